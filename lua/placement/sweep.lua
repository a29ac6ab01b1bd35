#!lua flags=allow-oom
--[[
Script   placement/sweep
Purpose  Begin to look which placements a partition still needs, or let those go that nothing needs: no place that was looked at since then
         (placement/list) has a context of theirs, and none was put anywhere meanwhile.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:placements :used_placements :backlog :route:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 what     begin or end
         3 number   begin: placements from which on it is worth while, integer, 0..1000; end: the token of its beginning
         4 placements    end: those that are needed, any number; behind them nothing

Reply    { 'BEGUN', token, placement... }  with the placements of what waits for permits
         { 'FEW' }      the partition has fewer placements
         { 'BUSY' }     another one began a moment ago
         { 'SWEPT', how many placements went }
         { 'STALE' }    another one began since then; nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(placements, and queues that wait); at most 6 commands
Holds    W9
Repeat   A second end is STALE.
]]
-- @use args
-- @use keys
-- @use record
-- @use records/queue_name
local int = record.int
local PATIENCE_MS = 600000 -- who began and has not ended by then is gone
local MARK = '!' -- no placement has this name

local what, used = ARGV[2], keys.used_placements
if what == 'begin' and redis.call('HLEN', keys.placements) < math.max(args.int(3, 'number', 0, 1000), 1) then
  return { 'FEW' } -- mostly, so it is known first
end
local now = args.now(1)
local token = redis.call('HGET', used, MARK)
if what == 'begin' then
  local began = token and tonumber(token)
  if began and now >= began and now - began < PATIENCE_MS then
    return { 'BUSY' }
  end
  redis.call('DEL', used)
  redis.call('HSET', used, MARK, int(now))
  local placements, seen = {}, {}
  for _, queue in ipairs(redis.call('ZRANGE', keys.backlog, 0, -1)) do
    local placement = queue_name.placement_of(queue)
    if placement and not seen[placement] then
      seen[placement] = true
      placements[#placements + 1] = placement
    end
  end
  return { 'BEGUN', int(now), unpack(placements, 1, math.min(#placements, 4000)) }
elseif what ~= 'end' then
  args.bad('what', 'must be begin or end', what)
end
if not token or token ~= ARGV[3] then
  return { 'STALE' }
end
local needed, gone, routes = {}, {}, {}
for i = 4, #ARGV do
  needed[ARGV[i]] = true
end
for _, placement in ipairs(redis.call('HKEYS', used)) do
  needed[placement] = true
end
for _, placement in ipairs(redis.call('HKEYS', keys.placements)) do
  if not needed[placement] and #gone < 4000 then
    gone[#gone + 1] = placement
    routes[#routes + 1] = keys.route(placement)
  end
end
redis.call('DEL', used)
if #gone > 0 then
  redis.call('HDEL', keys.placements, unpack(gone))
  redis.call('UNLINK', unpack(routes))
end
return { 'SWEPT', #gone }
