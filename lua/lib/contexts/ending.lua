-- Module contexts/ending: the one place where a context ends, with everything that follows from it.
-- @use jobs/arming
-- @use jobs/overlap_queue
-- @use bounds
-- @use counters
-- @use keys
-- @use lists
-- @use contexts/ready
-- @use record
-- @use history/attempts
-- @use history/ends
-- @use history/budgets
-- @use history/dead
-- @use history/traces
-- @use records/context_id
-- @use records/context_options
-- @use records/context_record
-- @use records/settled_record
-- @use records/wheel_entry
-- @use records/dead_record
-- @use records/job_record
-- @use records/active_mark
local ending = {}
local int = record.int

local DEAD_BODY_BYTES = 16384 -- a greater body does not stay with a context that ended without success

function ending.new()
  return { records = {}, dead = {}, ready = {}, wheel = {}, retry = {}, attempts = {}, watched = {}, results = {}, forgotten = {},
    soonest = nil, untold = 0, fans = { roots = {}, order = {} } }
end

-- Adds the record of an end, given in two pieces: texts are hashed when they are made, so none is made for a single record.
function ending.add_record(endings, first, second)
  local records = endings.records
  local count = #records
  if count > 0 then
    count = count + 1
    records[count] = '\n'
  end
  records[count + 1], records[count + 2] = first, second
end


-- A delay counts from the end of the scheduled firing, so this is where such a job gets its next place in the wheel (W4). One that has
-- it keeps it.
local function arm_after_end(endings, now, job)
  local names, fields = { 'state', 'period', 'jitter', 'end_at', 'max_runs', 'fired', 'last', 'next' }, {}
  for i, value in ipairs(redis.call('HMGET', keys.job(job), unpack(names))) do
    fields[names[i]] = value or ''
  end
  if fields.state ~= 'active' or fields.next ~= '' then
    return
  end
  local period = tonumber(fields.period)
  -- Behind every due time that was decided, also when the clock was set back meanwhile: a due time has one context (W3).
  local next = math.max(now + period, (tonumber(fields.last) or 0) + 1)
  local used_up = fields.max_runs ~= '' and tonumber(fields.fired) >= tonumber(fields.max_runs)
  if used_up or (fields.end_at ~= '' and next > tonumber(fields.end_at)) then
    redis.call('HSET', keys.job(job), 'state', 'finished', 'next', '')
    return
  end
  redis.call('HSET', keys.job(job), 'next', int(next))
  local score = next + arming.jitter(job, next, tonumber(fields.jitter) or 0, period)
  endings.wheel[#endings.wheel + 1] = score
  endings.wheel[#endings.wheel + 1] = '@' .. job
  endings.soonest = math.min(endings.soonest or score, score)
end

-- The followers' own partitions are told by a tracker; until it has done so, the outbox entry stays in the wheel. Of an end that a follower
-- may not hear of, nothing leaves this partition: it is counted here.
local function tell_followers(endings, now, job, told, id, state)
  for follower, on in job_record.each_follower(told.followers) do
    local failed = state ~= 'succeeded' and state ~= 'cancelled'
    local fits = on == 'ended' or on == state or (on == 'failed' and failed)
    if fits and not job_record.lets_follow(job, told.followed_by, follower) then
      endings.untold = endings.untold + 1
    elseif fits then
      endings.wheel[#endings.wheel + 1] = now
      endings.wheel[#endings.wheel + 1] = wheel_entry.delivery(follower, id, state)
      endings.soonest = now
    end
  end
end

-- The dedup key of what was cancelled before it ever started is free again.
function ending.free_key(id, attempt, rest)
  local _, _, _, options = context_record.split_rest(rest)
  local name = attempt == 0 and context_options.value(options, 'u')
  if not name then
    return
  end
  local dedup = keys.dedup(name .. context_id.owner_suffix(id))
  if redis.call('GET', dedup) == id then
    redis.call('DEL', dedup)
  end
end

-- Adds to the runs of a job. What falls out of them is forgotten with its traces, unless the dead still have it.
local function push_run(endings, job, line, is_traced)
  local runs = keys.runs(job)
  local length = redis.call('RPUSH', runs, line)
  if length % lists.TRIM_EVERY ~= 0 then
    return
  end
  local excess = length - (tonumber(redis.call('HGET', keys.job(job), 'runs_limit')) or 100)
  if excess <= 0 then
    return
  elseif not is_traced then
    redis.call('LTRIM', runs, excess, -1)
    return
  end
  for _, old in ipairs(redis.call('LPOP', runs, math.min(excess, bounds.ITEMS_MAX))) do
    local id, state = settled_record.id_and_state(old)
    if state == 'succeeded' or state == 'cancelled' then
      endings.forgotten[#endings.forgotten + 1] = id
    end
  end
end

-- Ends the context `ended.id` for good. `ended`: id, state, attempt, failures, worker, claimed, message, and rest or, of one that
-- succeeded, group and handler.
function ending.end_context(endings, now, ended)
  if ended.state == 'cancelled' then
    ending.free_key(ended.id, ended.attempt, ended.rest)
  end
  local group, handler = ended.group, ended.handler
  if not group then
    group, handler = context_record.names_of_rest(ended.rest or '')
  end
  local failures = ended.failures or 0
  local line = settled_record.text(ended.id, ended.state, ended.attempt, ended.worker, ended.claimed, now,
    settled_record.clean(ended.message), group, handler, failures)
  ending.add_record(endings, line, '')
  if ended.state ~= 'succeeded' and ended.state ~= 'cancelled' then
    endings.dead[#endings.dead + 1] = now
    endings.dead[#endings.dead + 1] = dead_record.text(line, failures, dead_record.kept_rest(ended.rest, DEAD_BODY_BYTES))
  end
  local job = context_id.job_of(ended.id)
  if not job then
    return
  end
  local kind, followers, policy, limit, surplus, is_traced, followed_by =
    unpack(redis.call('HMGET', keys.job(job), 'kind', 'followers', 'overlap', 'overlap_limit', 'surplus', 'traced', 'followed_by'))
  local arms = kind == 'fixed_delay' and context_id.is_scheduled(ended.id)
    -- One that was asked to run again ended before, and its job went on from there.
    and redis.call('HGET', keys.active(job), ended.id) ~= active_mark.MANUAL
  redis.call('HDEL', keys.active(job), ended.id)
  if not kind then
    return -- deleted while it ran
  end
  push_run(endings, job, line, is_traced)
  if followers and followers ~= '' then
    tell_followers(endings, now, job, { followers = followers, followed_by = followed_by or '' }, ended.id, ended.state)
  end
  overlap_queue.start(endings.ready, now, job, policy, limit)
  if surplus then
    overlap_queue.note_surplus(job, policy, limit, surplus)
  end
  if arms then
    arm_after_end(endings, now, job)
  end
end

-- Writes what was collected: the events, the dead, results, the retries and whatever became ready, and wakes the trackers where needed.
function ending.flush(endings, now)
  if #endings.records > 0 then
    ends.add(table.concat(endings.records))
  end
  local results, forgotten = endings.results, endings.forgotten
  if results[1] or endings.dead[1] or forgotten[1] then
    if results[1] then
      traces.keep_results(results, now)
    end
    if endings.dead[1] then
      dead.write(endings.dead)
    end
    if forgotten[1] then
      traces.forget(forgotten)
    end
    budgets.close()
  end
  if endings.untold > 0 then
    counters.add('followers_untold', endings.untold)
  end
  lists.write_many('HSET', keys.retry, endings.retry)
  if #endings.attempts > 0 then
    attempts.flush(endings.attempts)
  end
  local at = nil
  if #endings.wheel > 0 then
    local head = redis.call('ZRANGE', keys.wheel, 0, 0, 'WITHSCORES')
    lists.write_many('ZADD', keys.wheel, endings.wheel)
    if not head[2] or endings.soonest < tonumber(head[2]) then
      at = endings.soonest
    end
  end
  if ready.flush(endings.ready) then
    at = 0
  end
  if at then
    ready.wake(at)
  end
end

return ending
