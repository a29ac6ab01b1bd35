#!lua
--[[
Script   wheel/replace
Purpose  Put a new context that was submitted alone in place of the one that its dedup key stands for: that one is cancelled if it waits. If
         it runs it goes on, and the key is the new one's.

KEYS     1 wheel    zset  score = due ms, member = context member   {tw:p}:wheel
           computed: {tw:p}:held :retry :backlog :events :lanes :fair :wake :quarantine :stats :ready: :tags: :dedup:
             and for split ones :fans :fan: :parts: :results: :result:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 when     `+<delay ms>`, or the due time in ms
         3 unique   third part of the id: unique in the cluster, grows within a tracker
         4 rest     `<group> <handler> <priority> <options> <body>`
         5 dedup    `<keep ms> <key>`
         6 lanes    where its options name a lane, this word, and behind it its name, 10 hexadecimal digits, and its content in msgpack

Reply    { 'ACCEPTED', now_ms, replaced | '' }   the context that had the key
         { 'LANES_FULL' }   the partition keeps as many lanes as it may; nothing was written
         { 'QUEUES_FULL', queue }   so many different queues of its group wait here that no other may; nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(ready sets * log(wheel)); at most 90 + 170 * ready sets commands
Holds    W1 W5 W7 W9
Repeat   With the same unique part: accepted, and nothing changes. Otherwise it replaces what the first call put there.
]]
-- @use args
-- @use contexts/cancelling
-- @use contexts/ending
-- @use fan_out/concluding
-- @use keys
-- @use contexts/locating
-- @use partition
-- @use claims/placements
-- @use claims/queues
-- @use contexts/ready
-- @use ready_sets
-- @use record
local int = record.int
local DUE_MAX = 9007199254740991

local now = args.now(1)
local due = tonumber(ARGV[2])
if not due or due ~= math.floor(due) or due < 0 or due > DUE_MAX then
  args.bad('when', 'must be +delay or a time in ms', ARGV[2])
end
if string.byte(ARGV[2]) == 43 then -- '+'
  due = now + due
end
local unique, rest = args.text(3, 'unique', 64), ARGV[4] or ''
local group, handler, priority, options = record.split_rest(rest)
if not group then
  args.bad('rest', 'must be group, handler, priority, options and body', rest)
end
local keep, name = string.match(ARGV[5] or '', '^(%d+) (%S+)$')
if not keep then
  args.bad('dedup', 'must be a keep time and a key', ARGV[5])
end
if #ARGV ~= 5 and (#ARGV ~= 8 or ARGV[6] ~= 'lanes') then
  args.bad('arguments', 'must be five, or eight with a lane', #ARGV)
end
local lanes = placements.read(7)
if not placements.has_room_for(lanes) then
  return { 'LANES_FULL' }
end
local id = partition.number() .. '.' .. int(due) .. '.' .. unique
local dedup = keys.dedup(name)
local before = redis.call('GET', dedup)
if before == id then
  return { 'ACCEPTED', now, '' }
end
local full = queues.too_many({ ready_sets.queue_of(group .. ' ' .. handler, options) })
if full then
  return { 'QUEUES_FULL', full }
end
local endings = ending.new()
local place = before and locating.find(before)
if place and place ~= 'held' and place ~= 'fanned' then
  cancelling.cancel(endings, now, before, 'REPLACED', 'replaced by ' .. id)
end
redis.call('SET', dedup, id, 'PX', int(math.max(math.max(due - now, 0) + tonumber(keep), 1)))
placements.keep(lanes)

local function put_wheel(at, entry)
  endings.wheel[#endings.wheel + 1] = at
  endings.wheel[#endings.wheel + 1] = entry
  endings.soonest = math.min(endings.soonest or at, at)
end

local member = record.member_of(id, 0, 0, rest)
if due > now then
  put_wheel(due, member)
else
  ready.add(endings.ready, id, member, rest)
end
local deadline = tonumber(record.option(options, 's'))
if deadline then
  put_wheel(due + deadline, '#' .. id .. ' ' .. ready_sets.queue_of(group .. ' ' .. handler, options) .. ' ' .. priority)
end
concluding.flush(endings, now)
ending.flush(endings, now)
return { 'ACCEPTED', now, before or '' }
