#!lua flags=allow-oom
--[[
Script   lease/reap
Purpose  Look at one page of the running contexts: take back expired leases and those of evicted workers, start the cancellation of
         attempts past their timeout, and end those whose grace is over.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :retry :events :dead :backlog :stats :wake :quarantine :ready: :fair :tags: :limit_released :limit_waiting
             :limit_contended
             for contexts of jobs :job: :active: :queue: :runs: and for split ones :fans :fan: :parts: :results: :result:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           cursor     of the scan, `0` to begin
           page       entries wanted, integer, 1..1000
           soonest?   earliest end among the pages before, ms
           random     integer, 0..999999
           lease_ms   dispatch lease of claims made meanwhile, integer, 100..3600000
           workers    how many follow, integer, 0..1000
         then the ids of these workers: evicted, their leases end now

Reply    { 'REAPED', fields... }
           now_ms
           cursor     `0`: all were looked at, and the next scan has its place in the wheel
           soonest?   earliest end so far, for the next page, ms
           lost       `<id> <attempt> <worker> <RETRYING|SETTLED>`... taken back
           timed_out  how many ended at the end of their grace
           cancels    `<worker> <id> <attempt> <reason>`... cancellations that begin
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(page); at most 16 + 16 * page commands, 4 and one for each 32 contexts more when some run under limits
Holds    W1 W2 W7 W10
Repeat   Idempotent: what was taken back is no longer held.
]]
-- @use args
-- @use bounds
-- @use counters
-- @use contexts/ending
-- @use contexts/keeping
-- @use fan_out/concluding
-- @use fan_out/finishing
-- @use keys
-- @use lists
-- @use quarantine
-- @use record
-- @use limits/usage
-- @use records/context_id
-- @use records/context_options
-- @use records/context_record
-- @use records/held_value
-- @use args/forms
-- @use replies
local int = record.int
local given, first = args.named('now_ms cursor page soonest random lease_ms workers')
local now = args.now_of(given)
local cursor = args.text_of(given, 'cursor', 20)
local page = args.int_of(given, 'page', 1, bounds.ITEMS_MAX)
local soonest = args.int_or_nil(given, 'soonest', 0, 9007199254740991)
local random = args.int_of(given, 'random', 0, 999999) / 1000000
local lease_ms = args.int_of(given, 'lease_ms', 100, 3600000)
local workers = args.int_of(given, 'workers', 0, bounds.ITEMS_MAX)
if #ARGV ~= first + workers - 1 then
  args.bad('workers', 'must be as many as said', #ARGV - first + 1)
end
local evicted = {}
for i = first, #ARGV do
  evicted[ARGV[i]] = true
end
if not forms.is_digits(cursor) then
  args.bad('cursor', 'must be a number', cursor)
end
local held_key = keys.held
local scanned = redis.call('HSCAN', held_key, cursor, 'COUNT', page)
cursor = scanned[1]
local endings, gone, left, changed, seen = ending.new(), {}, {}, {}, {}
local lost, timed_out, cancels = {}, 0, {}

local function keep(at)
  soonest = math.min(soonest or at, at)
end

local function take_back(id, held, how)
  gone[#gone + 1] = id
  left[#left + 1] = held_value.text(held)
  return finishing.fail_attempt(endings, now, id, held, how)
end

-- What was seen of a worker that lost a lease. How long it was silent is known where it never took the context up.
local function why_lost(held)
  if evicted[held.worker] then
    return 'its worker is gone'
  end
  local silent = held.expires - held.claimed <= lease_ms and string.format(' for %.1f s', (now - held.claimed) / 1000) or ''
  return 'its lease ran out: its worker was silent' .. silent .. ' (does a handler block its loop? docs/guides/blocking.md)'
end

for i = 1, #scanned[2], 2 do
  local id = scanned[2][i]
  local held = not seen[id] and held_value.split(scanned[2][i + 1])
  seen[id] = true
  if held and not (context_id.due_of(id) and held.rest and context_record.split_rest(held.rest)) then
    quarantine.put(now, 'held', id, 'no running context', id .. ' ' .. scanned[2][i + 1])
    gone[#gone + 1], left[#left + 1] = id, scanned[2][i + 1] -- where it still says so, it counted under limits
  elseif held then
    local _, _, _, options = context_record.split_rest(held.rest)
    local reason, until_ms = held_value.split_cancel(held.cancel)
    if reason and tonumber(until_ms) <= now then
      local state = reason == 'TIMED_OUT' and 'timed_out' or 'cancelled'
      take_back(id, held, { state = state, random = random, message = 'did not end within its grace' })
      timed_out = timed_out + 1
      cancels[#cancels + 1] = held.worker .. ' ' .. id .. ' ' .. int(held.attempt) .. ' FENCED'
    elseif held.expires <= now or evicted[held.worker] then
      local verdict = take_back(id, held, {
        state = 'failed', retry_after = 0, avoid = held.worker, final = context_options.value(options, 'x') == '1',
        message = why_lost(held), random = random,
      })
      lost[#lost + 1] = id .. ' ' .. int(held.attempt) .. ' ' .. held.worker .. ' ' .. verdict
    elseif held.deadline > 0 and held.deadline <= now and held.cancel == '-' then
      local grace_end = now + context_options.number(options, 'g', bounds.GRACE_MS)
      held.cancel = held_value.cancel('TIMED_OUT', grace_end)
      changed[#changed + 1] = id
      changed[#changed + 1] = held_value.text(held)
      cancels[#cancels + 1] = held.worker .. ' ' .. id .. ' ' .. int(held.attempt) .. ' TIMED_OUT'
      keep(math.min(held.expires, grace_end))
    else
      keep(held.expires)
      if reason then
        keep(tonumber(until_ms))
      elseif held.deadline > 0 then
        keep(held.deadline)
      end
    end
  end
end
for from = 1, #gone, 4000 do
  redis.call('HDEL', held_key, unpack(gone, from, math.min(from + 3999, #gone)))
end
keeping.unless_done(gone, left, function()
  lists.write_many('HSET', held_key, changed)
  if #lost > 0 then
    counters.add('reaped', #lost)
  end
  concluding.flush(endings, now)
  ending.flush(endings, now)
  usage.leave(left, now) -- last: a call that comes again must not count twice what left
end)
for _, cancel in ipairs(cancels) do
  redis.call('SPUBLISH', keys.wake, 'cancel ' .. cancel)
end
if cursor == '0' then
  if redis.call('HLEN', held_key) == 0 then
    redis.call('ZREM', KEYS[1], '!reap')
  else
    -- Claims made between the pages end no earlier than a dispatch lease from now.
    local at = math.max(math.min(soonest or now + lease_ms, now + lease_ms), now + bounds.REAP_STEP_MS)
    redis.call('ZADD', KEYS[1], at, '!reap')
  end
end
local reply = { 'REAPED', 'now_ms', now, 'cursor', cursor, 'lost', lost, 'timed_out', timed_out, 'cancels', cancels }
replies.tell(reply, 'soonest', soonest and int(soonest))
return reply
