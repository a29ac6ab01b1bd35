#!lua
--[[
Script   wheel/replace
Purpose  Put a new context that was submitted alone in place of the one that its dedup key stands for: that one is cancelled if it waits. If
         it runs it goes on, and the key is the new one's.

KEYS     1 wheel    zset  score = due ms, member = context member   {tw:p}:wheel
           computed: {tw:p}:held :retry :backlog :events :placements :fair :wake :quarantine :stats :ready: :tags: :dedup:
             and for split ones :fans :fan: :parts: :results: :result:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           when       `+<delay ms>`, or the due time in ms
           unique     third part of the id: unique in the cluster, grows within a tracker
           rest       `<group> <handler> <priority> <options> <body>`
           dedup      `<keep ms> <key>`
         then, where its options name a placement, the word `placements`, its name, 10 hexadecimal digits, and its content in msgpack

Reply    { 'ACCEPTED', now_ms, replaced | '' }   the context that had the key
         { 'PLACEMENTS_FULL' }   the partition keeps as many placements as it may; nothing was written
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
-- @use record
-- @use records/context_options
-- @use records/context_record
-- @use records/queue_name
-- @use records/wheel_entry
-- @use args/forms
local int = record.int
local DUE_MAX = 9007199254740991

local given, first = args.named('now_ms when unique rest dedup')
local now, when = args.now_of(given), given.when
local due = tonumber(when)
if not due or due ~= math.floor(due) or due < 0 or due > DUE_MAX then
  args.bad('when', 'must be +delay or a time in ms', when)
end
if string.byte(when) == 43 then -- '+'
  due = now + due
end
local unique, rest = args.text_of(given, 'unique', 64), given.rest or ''
local group, handler, priority, options = context_record.split_rest(rest)
if not group then
  args.bad('rest', 'must be group, handler, priority, options and body', rest)
end
local keep, name = forms.split_plain_dedup(given.dedup or '')
if not keep then
  args.bad('dedup', 'must be a keep time and a key', given.dedup)
end
if ARGV[first] and (#ARGV ~= first + 2 or ARGV[first] ~= 'placements') then
  args.bad('arguments', 'must have names, but for a placement', ARGV[first])
end
local named = placements.read(first + 1)
if not placements.has_room_for(named) then
  return { 'PLACEMENTS_FULL' }
end
local id = partition.number() .. '.' .. int(due) .. '.' .. unique
local dedup = keys.dedup(name)
local before = redis.call('GET', dedup)
if before == id then
  return { 'ACCEPTED', now, '' }
end
local full = queues.too_many({ queue_name.of(group .. ' ' .. handler, options) })
if full then
  return { 'QUEUES_FULL', full }
end
local endings = ending.new()
local place = before and locating.find(before)
if place and place ~= 'held' and place ~= 'waiting_for_subtasks' then
  cancelling.cancel(endings, now, before, 'REPLACED', 'replaced by ' .. id)
end
redis.call('SET', dedup, id, 'PX', int(math.max(math.max(due - now, 0) + tonumber(keep), 1)))
placements.keep(named)

local function put_wheel(at, entry)
  endings.wheel[#endings.wheel + 1] = at
  endings.wheel[#endings.wheel + 1] = entry
  endings.soonest = math.min(endings.soonest or at, at)
end

local member = context_record.text(id, 0, 0, rest)
if due > now then
  put_wheel(due, member)
else
  ready.add(endings.ready, id, member, rest)
end
local deadline = tonumber(context_options.value(options, 's'))
if deadline then
  put_wheel(due + deadline, wheel_entry.start_deadline(id, queue_name.of(group .. ' ' .. handler, options), priority))
end
concluding.flush(endings, now)
ending.flush(endings, now)
return { 'ACCEPTED', now, before or '' }
