#!lua flags=allow-oom
--[[
Script   lease/renew
Purpose  Turn dispatch leases into running ones (accept), and prolong running ones.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held {tw:p}:stats
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 workers  ids of those that ask, separated by a space, 1..1000
         3 count    integer, 1..1000; then two for each attempt:
           id       context
           holder   `<attempt> <n>`: number of the attempt, and which of the workers asks, the first being 1

Reply    { 'RENEWED', now_ms, verdicts }  verdicts: one letter for each attempt
           K kept     C kept until its grace ends: a cancellation waits
           L lost: not held, or a later attempt holds it; nothing changed
           F foreign: another worker holds that attempt; nothing changed
         a fourth element lists, in order, the lease in ms of each K and the reason of each C
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(count); at most 6 commands
Holds    W2 W10
Repeat   Idempotent but for the later expiry.
]]
-- @use args
-- @use bounds
-- @use counters
-- @use keys
-- @use record
-- @use records/context_options
-- @use records/context_record
-- @use records/held_value
-- @use args/forms
local int = record.int
local SPAN_MAX = 316224000000 -- ten years, as for every span of time that somebody chooses
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
local held_key = keys.held
local values = redis.call('HMGET', held_key, unpack(ids))
local LOST, FOREIGN, KEPT, CANCELLED = 'L', 'F', 'K', 'C'
local verdicts, changed, details, stale, foreign = {}, {}, {}, 0, 0
for i = 1, count do
  local held = values[i] and held_value.split(values[i])
  local attempt = held and held.attempt and int(held.attempt)
  if not attempt or attempt ~= forms.number_before(ARGV[3 + 2 * i]) then
    verdicts[i] = LOST
    stale = stale + 1
  elseif attempt .. (which[held.worker] or ' -') ~= ARGV[3 + 2 * i] then
    verdicts[i] = FOREIGN
    foreign = foreign + 1
  else
    verdicts[i] = KEPT
    local _, _, _, options = context_record.split_rest(held.rest)
    local lease = math.min(context_options.number(options or '-', 'l', bounds.LEASE_MS), SPAN_MAX)
    held.expires = now + lease
    if held.cancel ~= '-' then
      local reason, until_ms = held_value.split_cancel(held.cancel)
      verdicts[i] = CANCELLED
      details[#details + 1] = reason
      held.expires = math.min(held.expires, tonumber(until_ms))
    else
      details[#details + 1] = int(lease)
    end
    changed[#changed + 1] = ids[i]
    changed[#changed + 1] = held_value.text(held)
  end
end
if #changed > 0 then
  redis.call('HSET', held_key, unpack(changed))
end
if stale > 0 then
  counters.add('stale', stale)
end
if foreign > 0 then
  counters.add('foreign', foreign)
end
return { 'RENEWED', now, table.concat(verdicts), details }
