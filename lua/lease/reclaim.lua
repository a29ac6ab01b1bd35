#!lua flags=allow-oom
--[[
Script   lease/reclaim
Purpose  Give back, page by page, the contexts that a dead tracker claimed for workers and did not deliver: ready again, no failure
         counted. Called when these workers have said all they hold, so a claim from before that nobody announced was not delivered.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :backlog :ready: :fair :tags: :limit_released :limit_waiting :limit_contended :route: :wake and for
             subtasks :fans :fan: :parts:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           cursor     of the scan, `0` to begin
           page       entries wanted, integer, 1..1000
           before     claims made before this instant, ms, integer
           lease_ms   dispatch lease they were made with, integer, 100..3600000
           workers    how many follow, integer, 1..1000
         then the ids of these workers

Reply    { 'RECLAIMED', cursor, given_back }   cursor `0`: all were looked at
           given_back `<id> <attempt>`...
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(page); at most 10 + 2 * ready sets commands, 2 more for each context of a placement, 4 and one for each
         32 contexts more when some ran under limits
Holds    W1 W2 W7
Repeat   Idempotent: what was given back is no longer held.
]]
-- @use args
-- @use bounds
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
local given, first = args.named('now_ms cursor page before lease_ms workers')
local now = args.now_of(given)
local cursor = args.text_of(given, 'cursor', 20)
local page = args.int_of(given, 'page', 1, bounds.ITEMS_MAX)
local before = args.int_of(given, 'before', 0, 9007199254740991)
local lease_ms = args.int_of(given, 'lease_ms', 100, 3600000)
local count = args.int_of(given, 'workers', 1, bounds.ITEMS_MAX)
if #ARGV ~= first + count - 1 then
  args.bad('workers', 'must be as many as said', #ARGV - first + 1)
end
local workers = {}
for i = first, #ARGV do
  workers[ARGV[i]] = true
end
if not forms.is_digits(cursor) then
  args.bad('cursor', 'must be a number', cursor)
end
local held_key = keys.held
local scanned = redis.call('HSCAN', held_key, cursor, 'COUNT', page)
local endings, gone, left, given_back, seen = ending.new(), {}, {}, {}, {}
for i = 1, #scanned[2], 2 do
  local id = scanned[2][i]
  local held = not seen[id] and held_value.split(scanned[2][i + 1])
  seen[id] = true
  -- A lease that was announced ends at another instant; one that is over, or whose context is cancelled, is for lease/reap.
  if held and workers[held.worker] and held.claimed < before and held.cancel == '-'
    and held.expires == held.claimed + lease_ms and held.expires > now then
    gone[#gone + 1] = id
    left[#left + 1] = scanned[2][i + 1]
    given_back[#given_back + 1] = id .. ' ' .. int(held.attempt)
    if not finishing.give_back(endings, id, held, placements.uncounted) then
      local rest = placements.uncounted(held.rest, held.worker)
      ready.add(endings.ready, id, context_record.text(id, held.attempt, held.failures, rest), rest)
    end
  end
end
for from = 1, #gone, 4000 do
  redis.call('HDEL', held_key, unpack(gone, from, math.min(from + 3999, #gone)))
end
keeping.unless_done(gone, left, function()
  concluding.flush(endings, now)
  ending.flush(endings, now)
  usage.leave(left, now) -- last: a call that comes again must not count twice what left
end)
return { 'RECLAIMED', scanned[1], given_back }
