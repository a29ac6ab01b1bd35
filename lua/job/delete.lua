#!lua flags=allow-oom
--[[
Script   job/delete
Purpose  Delete a job with its ledger, its runs and its contexts that have not started; running and split ones go on. A job with many
         waiting contexts takes several calls, and is in state `deleting` meanwhile. The jobs that follow it wait for one of its name.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:jobs :held :retry :backlog :events :fans :quarantine :stats :traces :untraced :ready: :fair :tags:
             :traced: :spaces: :subtraced: :log: :progress: :result: :split: :dedup:,
             and :job: :awaited: :active: :queue: :ledger: :runs: of the job
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           job        full name, 1..128 bytes
           resume?    1: only a deletion that began
           alone?     1: only a job that no other one follows
           over_ms?   only a finished `once` job that no other one follows, and that nothing happened to since then
           idle?      1: only a job of which nothing runs; of a `once` job also nothing that ran before
           if_revision?  integer: only a job that has this revision, or whose deletion began

Reply    { 'MORE', cancelled }               so many waiting contexts were cancelled in this call; call again
         { 'DELETED', cancelled, running }   and so many contexts go on running
         { 'FOLLOWED', follower:on... }      asked for one that nobody follows; nothing was written
         { 'CHANGED', revision }             it has another one than was asked for; nothing was written
         { 'KEPT' }                          asked for one that is over; nothing was written
         { 'BEGUN', id... }                  asked for one that is idle: up to 100 of its contexts that have begun and not ended; nothing
                                             was written
         { 'NO_JOB' }
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(active + 50 * ready sets * log(wheel)); at most 35 + active / 500 commands when nothing waits in the wheel or in a ready
         set, and 100 + 170 * ready sets more for each of at most 50 that do; 2 more for each with a dedup key; with `idle` as many again
Holds    W1 W7 W9
Repeat   Idempotent: the call after the last one is NO_JOB.
]]
-- @use args
-- @use bounds
-- @use contexts/ending
-- @use keys
-- @use contexts/locating
-- @use jobs/begun
-- @use jobs/over
-- @use quarantine
-- @use contexts/ready
-- @use record
-- @use history/ends
-- @use history/budgets
-- @use history/traces
-- @use records/context_record
-- @use records/job_record
-- @use records/settled_record
local int = record.int
local QUEUED_STEP = 500 -- taken out of the overlap queue in one call
local LOCATED_STEP = 50 -- looked for in the wheel and the ready sets in one call
local HELD_STEP = 500
local RUNS_STEP = 500 -- forgotten in one call with their traces

local given = args.only_named('now_ms job resume alone over_ms idle if_revision')
local now = args.now_of(given)
local job = args.text_of(given, 'job', 128)
local over_ms = args.int_or_nil(given, 'over_ms', 0, bounds.INSTANT_MAX)
local if_revision = args.int_or_nil(given, 'if_revision', 0, 9007199254740991)
local target, active = keys.job(job), keys.active(job)
local state, followers, followed_by, revision = unpack(redis.call('HMGET', target, 'state', 'followers', 'followed_by', 'revision'))
state = state or (redis.call('EXISTS', target) == 1 and '')
followers = followers or ''
if not state or (given.resume == '1' and state ~= 'deleting') then
  return { 'NO_JOB' }
end
if if_revision and state ~= 'deleting' and if_revision ~= (tonumber(revision) or 0) then
  return { 'CHANGED', tonumber(revision) or 0 }
end
if given.alone == '1' and state ~= 'deleting' and followers ~= '' then
  local reply = { 'FOLLOWED' }
  for follower, on in job_record.each_follower(followers) do
    -- What its ends do not start does not hold it back.
    if job_record.lets_follow(job, followed_by or '', follower) then
      reply[#reply + 1] = job_record.follower(follower, on)
    end
  end
  if #reply > 1 then
    return reply
  end
end
if over_ms and state ~= 'deleting' and not over.entirely(job, over_ms) then
  return { 'KEPT' }
end
if given.idle == '1' and state ~= 'deleting' then
  local has_begun, ids = begun.of(job)
  if has_begun then
    return { 'BEGUN', unpack(ids) }
  end
end
redis.call('HSET', target, 'state', 'deleting', 'next', '', 'plan', '', 'updated_ms', int(now))
redis.call('ZREM', KEYS[1], '@' .. job)

local records = {}
local function cancelled(name, at, member)
  local id, attempt, failures, rest = quarantine.open_or_put(now, name, at, member)
  if id then
    ending.free_key(id, attempt, rest)
    local group, handler = context_record.names_of_rest(rest)
    records[#records + 1] = settled_record.text(id, 'cancelled', attempt, '-', 0, now, 'its job was deleted', group, handler, failures)
  end
end

local popped = redis.call('ZPOPMIN', keys.queue(job), QUEUED_STEP)
for i = 1, #popped, 2 do
  cancelled('queue:' .. job, popped[i + 1], popped[i])
end

local running, gone, left = 0, {}, #popped == 2 * QUEUED_STEP
local ids = left and {} or redis.call('HKEYS', active)
local split = redis.call('HLEN', keys.fans) > 0
for first = 1, #ids, HELD_STEP do
  local last = math.min(first + HELD_STEP - 1, #ids)
  local held = redis.call('HMGET', keys.held, unpack(ids, first, last))
  for i = first, last do
    if held[i - first + 1] or (split and redis.call('HEXISTS', keys.fans, ids[i]) == 1) then
      running = running + 1
    elseif #gone == LOCATED_STEP then
      left = true
    else
      local place, zset, member, queue = locating.find(ids[i])
      if place == 'ready' then
        ready.remove(queue, zset, member)
      elseif place then
        redis.call('ZREM', zset, member)
        redis.call('HDEL', keys.retry, ids[i])
      end
      if place then
        cancelled(string.sub(zset, #keys.base + 1), '', member)
      end
      gone[#gone + 1] = ids[i]
    end
  end
end
if #gone > 0 then
  redis.call('HDEL', active, unpack(gone))
end
ends.add(table.concat(records, '\n'))
if left then
  return { 'MORE', #records }
end
if redis.call('HGET', target, 'traced') then
  local forgotten = {}
  for _, run in ipairs(redis.call('LPOP', keys.runs(job), RUNS_STEP) or {}) do
    local id, ended = settled_record.id_and_state(run)
    if ended == 'succeeded' or ended == 'cancelled' then
      forgotten[#forgotten + 1] = id
    end
  end
  traces.forget(forgotten)
  traces.forget_subtasks()
  budgets.close()
  if redis.call('EXISTS', keys.runs(job)) == 1 then
    return { 'MORE', #records }
  end
end
if followers ~= '' then
  redis.call('SET', keys.awaited(job), followers)
end
redis.call('UNLINK', target, keys.ledger(job), keys.runs(job))
redis.call('ZREM', keys.jobs, job)
return { 'DELETED', #records, running }
