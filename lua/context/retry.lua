#!lua flags=allow-oom
--[[
Script   context/retry
Purpose  Let contexts that have ended run again: from the dead, or from the runs of their job, to their ready sets, with their
         attempts counted on and their failures forgotten and their start deadlines counted from now.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:dead :placements :used_placements :traces :backlog :ready: :fair :tags: :wake, and :job: :active: :runs: of
             their jobs
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 count    integer, 1..100; then two for each context:
           id       context
           ended_ms when it ended, its score among the dead
         and behind them, maybe, `ended`: also what is not among the dead but the newest run of its id, and runs what its job says now

Reply    { 'RETRIED', verdicts }  verdicts: one letter for each context
           R it waits for a permit
           B its job has as many active contexts as its overlap policy allows; it stays among the dead
           L its body was too great to be kept; it stays among the dead
           G its placement is no longer kept; it stays among the dead
           N it is not among the dead, or its job's runs, with this end
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(count * log(dead + ready)), and of runs O(count * runs); at most 11 + 45 * count commands
Holds    W1 W2 W6
Repeat   The second call answers N for what the first one took.
]]
-- @use args
-- @use keys
-- @use contexts/ready
-- @use record
-- @use history/budgets
-- @use history/dead
-- @use zsets
-- @use records/context_id
-- @use records/context_options
-- @use records/context_record
-- @use records/queue_name
-- @use records/wheel_entry
-- @use records/dead_record
-- @use records/settled_record
-- @use records/active_mark
local RUNS, BUSY, TOO_LARGE, GONE, NOT_THERE = 'R', 'B', 'L', 'G', 'N'
local COUNT_MAX = 100
local RUNS_STEP = 1000
local now = args.now(1)
local count = args.int(2, 'count', 1, COUNT_MAX)
local any_end = #ARGV == 3 + 2 * count
if #ARGV ~= 2 + 2 * count and not any_end then
  args.bad('contexts', 'must be two values each', #ARGV - 2)
end
if any_end and ARGV[#ARGV] ~= 'ended' then
  args.bad('from', 'must be ended or absent', ARGV[#ARGV])
end
local contexts, soonest = {}, nil
for i = 1, count do
  local at = 1 + 2 * i
  local id = args.text(at, 'id', 300)
  if not context_id.due_of(id) then
    args.bad('id', 'must be a context id', id)
  end
  contexts[i] = { id, args.int(at + 1, 'ended_ms', 0, 9007199254740991) }
end

-- True when the overlap policy of the context's job lets it in; it is active then.
local function admit(id)
  local job = context_id.job_of(id)
  if not job then
    return true
  end
  local policy = redis.call('HMGET', keys.job(job), 'overlap', 'overlap_limit')
  local most = policy[1] == 'parallel' and tonumber(policy[2]) or 1
  if policy[1] and redis.call('HLEN', keys.active(job)) >= most then
    return false
  end
  redis.call('HSET', keys.active(job), id, active_mark.MANUAL)
  return true
end

-- The rest of a context that has a start deadline, with the deadline counted from now and looked at then.
local function watch_again(id, rest)
  local group, handler, priority, options, body = context_record.open_rest(rest)
  if not context_options.value(options, 's') then
    return rest
  end
  options = context_options.asked_again(options, math.max(now - context_id.due_of(id), 0))
  local at = context_options.start_by(id, options)
  redis.call('ZADD', KEYS[1], at, wheel_entry.start_deadline(id, queue_name.of(group .. ' ' .. handler, options), priority))
  soonest = math.min(soonest or at, at)
  return context_record.rest_text(group, handler, priority, options, body)
end

-- The attempts of the newest run of a context, where it ended then, and what its job runs now.
local function of_runs(id, ended)
  local job = any_end and context_id.job_of(id)
  local rest = job and redis.call('HGET', keys.job(job), 'tmpl')
  if not rest or redis.call('HEXISTS', keys.active(job), id) == 1 then
    return nil
  end
  local runs = keys.runs(job)
  for last = redis.call('LLEN', runs) - 1, 0, -RUNS_STEP do
    local page = redis.call('LRANGE', runs, math.max(last - RUNS_STEP + 1, 0), last)
    for i = #page, 1, -1 do
      if settled_record.is_of(page[i], id) then
        local attempt, at = settled_record.attempt_and_ended(page[i])
        return at == ended and attempt or nil, rest
      end
    end
  end
end

-- True when the context asks for certain workers, and nobody knows any more for which.
local function placement_is_gone(rest)
  local placement = context_options.value(select(4, context_record.split_rest(rest)), 'c')
  return placement and redis.call('HEXISTS', keys.placements, placement) == 0
end

local batch, verdicts, taken = {}, {}, false
for i, context in ipairs(contexts) do
  local id, ended = unpack(context)
  local member = zsets.find(keys.dead, ended, settled_record.start_of(id))
  local attempt, rest = dead_record.attempt_and_rest(member or '')
  if not member then
    attempt, rest = of_runs(id, ended)
  end
  if not attempt or not record.is_count(attempt) or not queue_name.of_rest(rest) then
    verdicts[i] = NOT_THERE
  elseif context_options.value(select(4, context_record.split_rest(rest)), 'n') then
    verdicts[i] = TOO_LARGE
  elseif placement_is_gone(rest) then
    verdicts[i] = GONE
  elseif not admit(id) then
    verdicts[i] = BUSY
  else
    verdicts[i] = RUNS
    if member then
      redis.call('ZREM', keys.dead, member)
      dead.count(-dead.weight(member))
      taken = true
    end
    -- Whoever asks for it answers for it: workers that it took along do not count any more.
    rest = watch_again(id, context_record.without_lost(rest))
    ready.add(batch, id, context_record.text(id, tonumber(attempt), 0, rest), rest)
  end
end
if taken then
  budgets.close()
end
if ready.flush(batch) then
  ready.wake(0)
elseif soonest then
  ready.wake(soonest)
end
return { 'RETRIED', table.concat(verdicts) }
