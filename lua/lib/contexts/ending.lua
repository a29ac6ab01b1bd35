-- Module contexts/ending: the one place where an attempt or a context ends, with everything that follows from it.
-- @use jobs/arming
-- @use bounds
-- @use keys
-- @use lists
-- @use quarantine
-- @use contexts/ready
-- @use record
-- @use history/ends
-- @use history/traces
local ending = {}
local int = record.int

local DEAD_KEPT = 10000 -- contexts of a partition that ended without success
ending.MESSAGE_BYTES = 1024
local DEAD_BODY_BYTES = 16384 -- a greater body does not stay with a context that ended without success

function ending.new()
  return { records = {}, dead = {}, ready = {}, wheel = {}, retry = {}, attempts = {}, watched = {}, results = {}, forgotten = {},
    soonest = nil, fans = { roots = {}, order = {} } }
end

function ending.clean(text)
  return (string.gsub(string.sub(text or '', 1, ending.MESSAGE_BYTES), '[\t\r\n]', ' '))
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

local ATTEMPTS_KEPT = 20 -- that ended without success, of one context
local NOTED_KEPT = 2000 -- contexts of a partition with such attempts
local NOTED_KEPT_MS = 90000000 -- after the last of them; 25 h
local NOTED_BYTES = 200 -- of an attempt's message
local ORPHANED_MAX = 3 -- workers that may die or fall silent with a context before it is taken for their cause
local UNREADABLE_MAX = 100 -- records of an overlap queue that are put aside in one call

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

-- The followers' own partitions are told by a tracker; until it has done so, the outbox entry stays in the wheel.
local function tell_followers(endings, now, followers, id, state)
  for follower, on in string.gmatch(followers, '(%S+):(%a+)') do
    local failed = state ~= 'succeeded' and state ~= 'cancelled'
    if on == 'ended' or on == state or (on == 'failed' and failed) then
      endings.wheel[#endings.wheel + 1] = now
      endings.wheel[#endings.wheel + 1] = '&' .. follower .. ' ' .. id .. ' ' .. state
      endings.soonest = now
    end
  end
end

-- Contexts of a job that its overlap policy lets be active at once (W6), and that may wait for these (W9).
local function allowed(overlap, limit)
  return overlap == 'parallel' and tonumber(limit) or 1
end

local function may_wait(overlap, limit)
  if overlap == 'queue' then
    return tonumber(limit) or 1
  end
  return (overlap == 'queue_one' or overlap == 'replace') and 1 or 0
end

-- Lets in what waits in the overlap queue of a job, the oldest first, as many as its policy allows. It is called where there may be room:
-- no firing overtakes what waits, as there is no room for it while something does. Returns how many.
function ending.start_queued(endings, now, job, overlap, limit)
  local active, queue = keys.active(job), keys.queue(job)
  if redis.call('EXISTS', queue) == 0 then
    return 0
  end
  local room, unreadable = allowed(overlap, limit) - redis.call('HLEN', active), 0
  local started = {}
  while room > 0 and unreadable < UNREADABLE_MAX do
    local popped = redis.call('ZPOPMIN', queue, math.min(room, UNREADABLE_MAX))
    for i = 1, #popped, 2 do
      local id, _, _, rest = quarantine.open_or_put(now, 'queue:' .. job, popped[i + 1], popped[i])
      if id then
        started[#started + 1] = id
        started[#started + 1] = record.is_scheduled(id) and 's' or 'm'
        ready.add(endings.ready, id, popped[i], rest)
        room = room - 1
      else
        unreadable = unreadable + 1
      end
    end
    if #popped == 0 then
      break
    end
  end
  if #started > 0 then
    redis.call('HSET', active, unpack(started))
  end
  return #started / 2
end

-- What an earlier definition of a job let in goes on, also where the present one allows less. The job says how much of it there may still
-- be, `<active>:<waiting>`, until it is no more than what is allowed. `known`: what it says so far.
function ending.note_surplus(job, overlap, limit, known)
  local active, waiting = redis.call('HLEN', keys.active(job)), redis.call('ZCARD', keys.queue(job))
  if active > allowed(overlap, limit) or waiting > may_wait(overlap, limit) then
    redis.call('HSET', keys.job(job), 'surplus', int(active) .. ':' .. int(waiting))
  elseif known then
    redis.call('HDEL', keys.job(job), 'surplus')
  end
end

-- The dedup key of what was cancelled before it ever started is free again.
function ending.free_key(id, attempt, rest)
  local _, _, _, options = record.split_rest(rest)
  local name = attempt == 0 and record.option(options, 'u')
  if not name then
    return
  end
  local job = record.job_of(id)
  local dedup = keys.dedup(name .. (job and '@' .. job or ''))
  if redis.call('GET', dedup) == id then
    redis.call('DEL', dedup)
  end
end

-- What is kept to run it again; of a great body only its size.
local function rest_of_dead(rest)
  local head, options, body = string.match(rest, '^(%S+ %S+ %d )(%S+) (.*)$')
  if not head or #body <= DEAD_BODY_BYTES then
    return rest
  end
  return head .. (options == '-' and '' or options .. ',') .. 'n=' .. int(#body) .. ' '
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
    local id, state = string.match(old, '^([^\t]*)\t(%l*)')
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
    group, handler = string.match(ended.rest or '', '^(%S+) (%S+)')
  end
  local line = table.concat({ ended.id, ended.state, int(ended.attempt), ended.worker or '-', int(ended.claimed or 0), int(now),
    ending.clean(ended.message), group or '-', handler or '-', int(ended.failures or 0) }, '\t')
  ending.add_record(endings, line, '')
  if ended.state ~= 'succeeded' and ended.state ~= 'cancelled' then
    endings.dead[#endings.dead + 1] = now
    endings.dead[#endings.dead + 1] = line .. '\n' .. int(ended.failures or 0) .. ' ' .. rest_of_dead(ended.rest)
  end
  local job = record.job_of(ended.id)
  if not job then
    return
  end
  local kind, followers, overlap, limit, surplus, is_traced =
    unpack(redis.call('HMGET', keys.job(job), 'kind', 'followers', 'overlap', 'overlap_limit', 'surplus', 'traced'))
  local arms = (kind == 'fixed_delay' or kind == 'second_delay') and record.is_scheduled(ended.id)
    -- One that was asked to run again ended before, and its job went on from there.
    and redis.call('HGET', keys.active(job), ended.id) ~= 'm'
  redis.call('HDEL', keys.active(job), ended.id)
  if not kind then
    return -- deleted while it ran
  end
  push_run(endings, job, line, is_traced)
  if followers and followers ~= '' then
    tell_followers(endings, now, followers, ended.id, ended.state)
  end
  ending.start_queued(endings, now, job, overlap, limit)
  if surplus then
    ending.note_surplus(job, overlap, limit, surplus)
  end
  if arms then
    arm_after_end(endings, now, job)
  end
end

local function retry_delay(options, failures, random)
  local kind, delay, cap, jitter = string.match(record.option(options, 'b') or '', '^(%a):(%d+):(%d+):(%d)$')
  if not kind then
    kind, delay, cap, jitter = 'e', 1000, 60000, '1'
  end
  delay = tonumber(delay)
  if kind == 'e' then
    delay = math.min(tonumber(cap), delay * 2 ^ (failures - 1))
  end
  if jitter == '1' then
    delay = math.floor(random * (delay + 1))
  end
  return delay
end

-- What is kept for the next attempt: after a lost lease, whom to avoid and how many workers were lost in a row.
local function rest_for_retry(rest, avoid, orphaned)
  local group, handler, priority, given, body = string.match(rest, '^(%S+) (%S+) (%d) (%S+) (.*)$')
  if not avoid and not record.option(given, 'o') then
    return rest
  end
  local kept = string.gsub(',' .. given, avoid and ',[ao]=[^,]*' or ',o=[^,]*', '')
  kept = string.gsub(kept, '^,%-?,?', '')
  if avoid then
    kept = (kept == '' and '' or kept .. ',') .. 'a=' .. avoid .. ',o=' .. int(orphaned)
  elseif kept == '' then
    kept = '-'
  end
  return group .. ' ' .. handler .. ' ' .. priority .. ' ' .. kept .. ' ' .. body
end

-- What a person asks of an attempt that ended without success, once the next one has taken its place. Subtasks are too many: what
-- becomes of theirs is with their root.
local function note_attempt(endings, now, id, held, how)
  local outcome = how.avoid and 'lost' or how.state
  endings.attempts[#endings.attempts + 1] = id
  endings.attempts[#endings.attempts + 1] = int(held.attempt) .. ' ' .. (held.worker or '-') .. ' ' .. int(held.claimed or 0) .. ' '
    .. int(now) .. ' ' .. outcome .. ' ' .. string.sub(ending.clean(how.message), 1, NOTED_BYTES)
end

-- Keeps the newest attempts of each context, for the newest contexts of the partition.
function ending.flush_attempts(endings)
  local noted, scores = endings.attempts, {}
  for i = 1, #noted, 2 do
    local list = keys.attempts(noted[i])
    if redis.call('RPUSH', list, noted[i + 1]) > ATTEMPTS_KEPT then
      redis.call('LTRIM', list, -ATTEMPTS_KEPT, -1)
    end
    redis.call('PEXPIRE', list, NOTED_KEPT_MS)
    scores[i], scores[i + 1] = string.match(noted[i + 1], '^%d+ %S+ %d+ (%d+)'), noted[i]
  end
  lists.write_many('ZADD', keys.attempted, scores)
  local surplus = redis.call('ZCARD', keys.attempted) - NOTED_KEPT
  if surplus > 0 then
    local popped, lists = redis.call('ZPOPMIN', keys.attempted, math.min(surplus, bounds.ITEMS_MAX)), {}
    for i = 1, #popped, 2 do
      lists[#lists + 1] = keys.attempts(popped[i])
    end
    redis.call('UNLINK', unpack(lists))
  end
end

-- Ends an attempt without success: the next one waits in the wheel (or in ready, without a delay), or the context ends.
-- `how`: state, message, random (0 <= random < 1), and maybe retry_after (ms), final; of a lost lease: avoid, its worker.
-- `subtasks` is the module
-- fan_out/finishing, which knows what becomes of those. Returns 'RETRYING' or 'SETTLED'.
function ending.fail_attempt(endings, now, id, held, how, subtasks)
  local _, _, _, options = record.split_rest(held.rest)
  local failures = math.min(held.failures + 1, bounds.ATTEMPT_MAX)
  local cancelled = how.state == 'cancelled'
  if held.cancel ~= '-' and string.sub(held.cancel, 1, 9) ~= 'TIMED_OUT' then
    cancelled = true
  end
  local orphaned = how.avoid and record.option_number(options, 'o', 0) + 1 or 0
  if orphaned >= ORPHANED_MAX then
    how.message = how.message .. '; the leases of ' .. int(orphaned - 1) .. ' attempts before were lost too: taken for the cause'
    how.final = true
  end
  local subtask = string.find(id, '~', 1, true)
  if not subtask and not cancelled then
    note_attempt(endings, now, id, held, how)
  end
  local used_up = failures >= record.option_number(options, 'r', bounds.ATTEMPTS_MAX)
  if cancelled or how.final or used_up or (subtask and subtasks.is_final(endings, id, how)) then
    subtasks.end_context(endings, now, {
      id = id, state = cancelled and 'cancelled' or how.state, attempt = held.attempt, failures = failures,
      worker = held.worker, claimed = held.claimed, message = how.message, rest = held.rest,
    })
    return 'SETTLED'
  end
  local rest = rest_for_retry(held.rest, how.avoid, orphaned)
  local delay = how.retry_after or retry_delay(options, failures, how.random)
  local at = delay > 0 and now + delay or nil
  if subtask then
    rest = subtasks.retries(endings, id, held, rest, at)
  end
  if not at then
    if not subtask then
      ready.add(endings.ready, id, record.member_of(id, held.attempt, failures, rest), rest)
    end
    return 'RETRYING'
  end
  endings.wheel[#endings.wheel + 1] = at
  endings.wheel[#endings.wheel + 1] = record.member_of(id, held.attempt, failures, rest)
  ready.use_lane(options)
  endings.retry[#endings.retry + 1] = id
  endings.retry[#endings.retry + 1] = int(at)
  endings.soonest = math.min(endings.soonest or at, at)
  return 'RETRYING'
end

local function write_dead(dead)
  local bytes = 0
  for i = 2, #dead, 2 do
    bytes = bytes + traces.weight_of_dead(dead[i])
  end
  lists.write_many('ZADD', keys.dead, dead)
  traces.count_dead(bytes)
  traces.bound_dead(DEAD_KEPT)
end

-- Writes what was collected: the events, the dead, results, the retries and whatever became ready, and wakes the trackers where needed.
function ending.flush(endings, now)
  if #endings.records > 0 then
    ends.add(table.concat(endings.records))
  end
  local results, dead, forgotten = endings.results, endings.dead, endings.forgotten
  if results[1] or dead[1] or forgotten[1] then
    if results[1] then
      traces.keep_results(results, now)
    end
    if dead[1] then
      write_dead(dead)
    end
    if forgotten[1] then
      traces.forget(forgotten)
    end
    traces.close()
  end
  lists.write_many('HSET', keys.retry, endings.retry)
  if #endings.attempts > 0 then
    ending.flush_attempts(endings)
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
