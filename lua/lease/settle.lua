#!lua flags=allow-oom
--[[
Script   lease/settle
Purpose  End attempts with their outcomes: the context is settled, or waits for its next attempt by its retry policy.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :retry :events :dead :backlog :stats :wake :quarantine :ready: :fair :tags: :result:
             :limit_released :limit_waiting :limit_contended
             for contexts of jobs :job: :active: :queue: :runs: and for split ones :fans :fan: :parts: :results:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 workers  ids of those that report, separated by a space, 1..1000
         3 plain    integer, 0..1000: attempts that succeeded without a result; two values for each:
           id       context
           holder   `<attempt> <n>`: number of the attempt that ends, and which of the workers reports it, the first being 1
         and behind them the number of other settlements, integer, 0..1000 - plain; four values for each:
           id       context
           holder   the same
           outcome  succeeded | failed | fatal | retry_after | cancelled | timed_out
           payload  succeeded: the result; else `<random 0..999999> <retry after ms> <message>`; retry_after later than in ten years
                    ends the context as failed

Reply    { 'SETTLED', now_ms, verdicts }  verdicts: one letter for each settlement, the plain ones first
           S settled   R ended, the context waits for its next attempt
           G gone: not held; settled before, or reaped and not yet claimed again
           L lease lost: a later attempt holds it; nothing changed
           F foreign: another worker holds that attempt; nothing changed
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(count); at most 13 + 3 * count commands, 16 * count when they are contexts of jobs; 4 and one for
         each 32 contexts more when some run under limits
Holds    W1 W2 W4 W7 W9
Repeat   A second call answers G for what the first settled.
]]
-- @use args
-- @use bounds
-- @use counters
-- @use contexts/ending
-- @use contexts/keeping
-- @use fan_out/concluding
-- @use fan_out/fans
-- @use fan_out/finishing
-- @use keys
-- @use record
-- @use limits/usage
-- @use records/context_id
-- @use records/held_value
-- @use records/settled_record
-- @use args/forms
local int = record.int
local SPAN_MAX = 316224000000 -- ten years, as for every span of time that somebody chooses
local now = args.now(1)
local which = forms.places_of(args.text(2, 'workers', 129 * bounds.ITEMS_MAX))
local plain = args.int(3, 'plain', 0, bounds.ITEMS_MAX)
local others_at = 4 + 2 * plain
local count = plain + args.int(others_at, 'others', 0, bounds.ITEMS_MAX - plain)
if #ARGV ~= others_at + 4 * (count - plain) or count == 0 then
  args.bad('settlements', 'must be two values for each plain one and four for each other', #ARGV - 4)
end
local STATES = { succeeded = 'succeeded', failed = 'failed', fatal = 'failed', retry_after = 'failed', cancelled = 'cancelled',
  timed_out = 'timed_out' }
local SETTLED, RETRIES, GONE, LOST, FOREIGN = 'S', 'R', 'G', 'L', 'F'
local ids = {}
for i = 1, plain do
  ids[i] = ARGV[2 + 2 * i]
end
for i = plain + 1, count do
  local base = others_at + 4 * (i - plain - 1)
  ids[i] = ARGV[base + 1]
  if not STATES[ARGV[base + 3]] then
    args.bad('outcome', 'must be a known word', ARGV[base + 3])
  end
  if ARGV[base + 3] ~= 'succeeded' and not forms.is_payload(ARGV[base + 4]) then
    args.bad('payload', 'must be a random number, a delay and a message', ARGV[base + 4])
  end
end
local held_key = keys.held
local values = redis.call('HMGET', held_key, unpack(ids))
local endings, seen, stale, foreign, letters = ending.new(), {}, 0, 0, {} -- letters: verdicts that are not SETTLED
local tails = {} -- what records of contexts that were claimed together have behind their ids
local split = fans.any(endings)

local function record_tail(head)
  local _, attempt, failures, worker, claimed, _, _, _, group, handler = held_value.split_names(head)
  local tail = settled_record.succeeded(attempt, worker, claimed, now, group, handler, failures)
  tails[head] = tail
  return tail
end

-- `head` is what `value` begins with, up to its handler.
local function succeed(id, head, value)
  if split and finishing.succeed(endings, id, value, '') then
    return
  end
  if context_id.job_of(id) then
    local _, attempt, failures, worker, claimed, _, _, _, group, handler = held_value.split_names(head)
    finishing.end_context(endings, now, { id = id, state = 'succeeded', attempt = tonumber(attempt), failures = tonumber(failures),
      worker = worker,
      claimed = tonumber(claimed), group = group, handler = handler })
  else
    ending.add_record(endings, id, tails[head] or record_tail(head))
  end
end

-- Settles what is neither plain nor stale; `base` is where its four values stand. Returns its verdict.
local function settle_other(id, base, value, head)
  local outcome, payload = ARGV[base + 3], ARGV[base + 4]
  if outcome == 'succeeded' then
    if split and finishing.succeed(endings, id, value, payload) then
      return SETTLED
    end
    if payload ~= '' then
      endings.results[#endings.results + 1] = { id, payload }
    end
    succeed(id, head, value)
    return SETTLED
  end
  local random, after, message = forms.split_payload(payload)
  local retry_after, is_final = outcome == 'retry_after' and tonumber(after) or nil, outcome == 'fatal'
  if retry_after and retry_after > SPAN_MAX then -- one item of a batch that many workers share: it ends, and the others do not fail
    local asked = 'asked for its next attempt in ' .. string.sub(after, 1, 20) .. ' ms, at most '
    message = asked .. int(SPAN_MAX) .. ' are allowed: ' .. message
    retry_after, is_final = nil, true
  end
  return finishing.fail_attempt(endings, now, id, held_value.split(value), {
    state = STATES[outcome], message = message, random = tonumber(random) / 1000000, final = is_final, retry_after = retry_after,
  }) == 'RETRYING' and RETRIES or SETTLED
end

local head, attempt, holder = '\n', nil, nil
for i = 1, count do
  local id, value = ids[i], values[i]
  local base = i <= plain and 2 * i + 1 or others_at + 4 * (i - plain - 1)
  if not value or seen[id] then
    letters[i], stale = GONE, stale + 1
  else
    -- What was claimed together has the same head: comparing it costs a fifth of taking it apart.
    if string.find(value, head, 1, true) ~= 1 then
      local worker
      head, attempt, worker = held_value.open_names(value) -- what cannot be used is for lease/reap to put aside
      holder = head and attempt .. (which[worker] or ' -')
      head = head or '\n' -- no value begins with it
    end
    if holder ~= ARGV[base + 2] then
      if attempt and attempt == forms.number_before(ARGV[base + 2]) then
        letters[i], foreign = FOREIGN, foreign + 1
      else
        letters[i], stale = LOST, stale + 1
      end
    else
      seen[id] = true
      if i <= plain then
        succeed(id, head, value)
      else
        letters[i] = settle_other(id, base, value, head)
      end
    end
  end
end
if stale + foreign > 0 then
  if stale > 0 then
    counters.add('stale', stale)
  end
  if foreign > 0 then
    counters.add('foreign', foreign)
  end
  local kept, left = {}, {}
  for i = 1, count do
    if letters[i] ~= GONE and letters[i] ~= LOST and letters[i] ~= FOREIGN then
      kept[#kept + 1], left[#left + 1] = ids[i], values[i]
    end
  end
  ids, values = kept, left
end
if #ids > 0 then
  redis.call('HDEL', held_key, unpack(ids))
  keeping.unless_done(ids, values, function()
    concluding.flush(endings, now)
    ending.flush(endings, now)
    usage.leave(values, now) -- last: a call that comes again must not count twice what left
  end)
end
local verdicts = string.rep(SETTLED, count)
if next(letters) then
  for i = 1, count do
    letters[i] = letters[i] or SETTLED
  end
  verdicts = table.concat(letters)
end
return { 'SETTLED', now, verdicts }
