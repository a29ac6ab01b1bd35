#!lua flags=allow-oom
--[[
Script   lease/release
Purpose  Give back attempts that a worker refused, or that could not be sent: ready again, no failure counted. A context of a placement
         goes to another worker next, and is not counted as a pick of this one. One that was cancelled meanwhile ends.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :backlog :ready: :fair :tags: :limit_released :limit_waiting :limit_contended :route: :wake :quarantine
             :stats
             for cancelled ones :events :job: :active: :queue: :runs: and for split ones :fans :fan: :parts: :results: :result:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 workers  ids of those for which the attempts were claimed, separated by a space, 1..1000
         3 count    integer, 1..1000; then two for each attempt:
           id       context
           holder   `<attempt> <n>`: number of the attempt, and which of the workers it was claimed for, the first being 1

Reply    { 'RELEASED', released, foreign }   those that were still held by that attempt; those that another worker holds, which stay so
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(count * log(ready)); at most 11 + 2 * ready sets commands, 12 more for each cancelled context of a job, 2 for each of a
         placement, 7 when some ran under limits
Holds    W1 W2 W4 W7
Repeat   Idempotent: an attempt is released once.
]]
-- @use args
-- @use bounds
-- @use counters
-- @use contexts/ending
-- @use contexts/keeping
-- @use fan_out/concluding
-- @use fan_out/finishing
-- @use keys
-- @use claims/placements
-- @use contexts/ready
-- @use record
-- @use limits/usage
-- @use records/context_record
-- @use records/held_value
-- @use args/forms
local int = record.int
local now = args.now(1)
local which = forms.places_of(args.text(2, 'workers', 129 * bounds.ITEMS_MAX))
local count = args.int(3, 'count', 1, bounds.ITEMS_MAX)
if #ARGV ~= 3 + 2 * count then
  args.bad('attempts', 'must be two values each', #ARGV - 3)
end
local ids = {}
for i = 1, count do
  ids[i] = ARGV[2 + 2 * i]
end
local values = redis.call('HMGET', keys.held, unpack(ids))
local endings, gone, left, seen, foreign = ending.new(), {}, {}, {}, 0
for i = 1, count do
  local held = values[i] and held_value.split(values[i])
  local attempt = held and not seen[ids[i]] and held.attempt and int(held.attempt)
  local named = attempt and attempt == forms.number_before(ARGV[3 + 2 * i])
  if named and attempt .. (which[held.worker] or ' -') ~= ARGV[3 + 2 * i] then
    foreign = foreign + 1
  elseif named then
    seen[ids[i]] = true
    gone[#gone + 1] = ids[i]
    left[#left + 1] = values[i]
    if held_value.is_cancelled(held.cancel) then
      finishing.end_context(endings, now, { id = ids[i], state = 'cancelled', attempt = held.attempt, failures = held.failures,
        message = 'cancelled before it started', rest = held.rest })
    elseif not finishing.give_back(endings, ids[i], held, placements.passed_over) then
      local rest = placements.passed_over(held.rest, held.worker)
      ready.add(endings.ready, ids[i], context_record.text(ids[i], held.attempt, held.failures, rest), rest)
    end
  end
end
if #gone > 0 then
  redis.call('HDEL', keys.held, unpack(gone))
  keeping.unless_done(gone, left, function()
    concluding.flush(endings, now)
    ending.flush(endings, now)
    usage.leave(left, now) -- last: a call that comes again must not count twice what left
  end)
end
if foreign > 0 then
  counters.add('foreign', foreign)
end
return { 'RELEASED', #gone, foreign }
