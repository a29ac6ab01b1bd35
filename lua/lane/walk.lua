#!lua flags=no-writes
--[[
Script   lane/walk
Purpose  Read which lanes a step of one place of a partition needs. What stays in the place during a walk is seen at least once.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:held :jobs :job: :queue: :fans :fan:
ARGV     1 place    wheel, held, jobs, fans or queue:<job>; the dead are let go of when nothing else has their lane
         2 cursor   of an earlier reply; `0` to begin

Reply    { 'WALKED', cursor, { lane... }, { job... } }  cursor `0`: there is no more; of jobs those in whose overlap queue something waits
Raises   BAD_ARG    an argument is out of range

Cost     O(100 entries); at most 3000 commands for jobs, 1100 for split contexts, 1 otherwise
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use record
local COUNT = 100 -- a small hash or set comes at once
local place, cursor = args.text(1, 'place', 300), ARGV[2]
if not cursor or not string.find(cursor, '^%d+$') then
  args.bad('cursor', 'must be of an earlier reply', cursor)
end
local kind = string.match(place, '^%a+')
local lanes, seen, waiting = {}, {}, {}

local function add(lane)
  if lane and lane ~= '' and not seen[lane] then
    seen[lane] = true
    lanes[#lanes + 1] = lane
  end
end

-- The lane of a text that ends with options, or with options and a body behind `pattern`.
local function add_of(text, pattern)
  local options = string.match(text, pattern)
  add(options and record.option(options, 'c'))
end

local READS = {
  wheel = function(member) add_of(member, '^%S+ %d+:%d+ %S+ %S+ %d (%S+) ') end,
  queue = function(member) add_of(member, '^%S+ %d+:%d+ %S+ %S+ %d (%S+) ') end,
  held = function(_, value) add_of(value, '^%d+:%d+ %S+ %d+ %d+ %d+%l* %S+ %S+ %S+ %d (%S+) ') end,
  fans = function(root) add(redis.call('HGET', keys.fan(root), 'lane')) end,
  jobs = function(job)
    add_of(redis.call('HGET', keys.job(job), 'tmpl') or '', '^%S+ %S+ %d (%S+) ')
    if redis.call('EXISTS', keys.queue(job)) == 1 then
      waiting[#waiting + 1] = job
    end
  end,
}
if not READS[kind] then
  args.bad('place', 'must be one that has contexts or jobs', place)
end
local command = (kind == 'held' or kind == 'fans') and 'HSCAN' or 'ZSCAN'
local scanned = redis.call(command, keys.base .. place, cursor, 'COUNT', COUNT)
for i = 1, #scanned[2], 2 do
  READS[kind](scanned[2][i], scanned[2][i + 1])
end
return { 'WALKED', scanned[1], lanes, waiting }
