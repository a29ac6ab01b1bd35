#!lua flags=allow-oom
--[[
Script   repair/job
Purpose  Give a job its place in the wheel again, from its definition and its ledger, and put its lists right; or clear away what is left
         of a job that does not exist. What was decided stays decided, and what passed meanwhile is left to the misfire policy.

KEYS     1 wheel    zset  score = ms; the job's entry is `@<job>`   {tw:p}:wheel
           computed: {tw:p}:jobs :events :backlog :ready: :fair :tags: :dedup: :wake :quarantine :stats,
             and :job: :awaited: :active: :queue: :ledger: :runs: of the job
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 job      full name, 1..128 bytes
         3 gone     followers that do not exist, or do not follow it, and shall not be told; at most 100; may be absent

Reply    { 'REPAIRED', what was done... }
         { 'MORE', what was done... }   so many contexts wait for a job that does not exist; call again
         { 'CLEAN' }   there was nothing to do
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(active + plan + log(wheel + queue)); at most 43 commands
Holds    W3 W4 W6 W7 W9
Repeat   Idempotent: the second call is CLEAN.
]]
-- @use args
-- @use jobs/arming
-- @use contexts/ending
-- @use keys
-- @use jobs/planning
-- @use quarantine
-- @use record
-- @use jobs/overlap_queue
-- @use records/context_record
-- @use args/forms
-- @use records/job_record
-- @use records/settled_record
-- @use records/active_mark
local int = record.int
local READ = { 'state', 'kind', 'period', 'anchor', 'next', 'plan', 'plan_end', 'last', 'end_at', 'max_runs', 'fired', 'jitter',
  'followers', 'revision', 'overlap', 'overlap_limit' }
local QUEUED_STEP = 500
local FOLLOWERS_MAX = 100
local AHEAD_MS = 1000 -- a turn puts back what it cannot decide yet so far ahead

local now = args.now(1)
local job = args.text(2, 'job', 128)
if #ARGV > 2 + FOLLOWERS_MAX then
  args.bad('gone', 'must be at most ' .. int(FOLLOWERS_MAX), #ARGV - 2)
end
local gone = {}
for i = 3, #ARGV do
  gone[args.text(i, 'gone', 128)] = true
end
local target, entry = keys.job(job), '@' .. job
local endings, did = ending.new(), {}

local function done(text)
  did[#did + 1] = text
end

local function disarm()
  if redis.call('ZREM', KEYS[1], entry) == 1 then
    done('taken out of the wheel')
  end
end

-- What is left of a job: what waits in its queue is cancelled as job/delete would have.
local function clear_away()
  disarm()
  if redis.call('ZREM', keys.jobs, job) == 1 then
    done('taken out of the list of jobs')
  end
  local popped = redis.call('ZPOPMIN', keys.queue(job), QUEUED_STEP)
  for i = 1, #popped, 2 do
    local id, attempt, failures, rest = quarantine.open_or_put(now, 'queue:' .. job, popped[i + 1], popped[i])
    if id then
      ending.free_key(id, attempt, rest)
      local group, handler = context_record.names_of_rest(rest)
      ending.add_record(endings, settled_record.text(id, 'cancelled', attempt, '-', 0, now, 'its job was deleted', group, handler,
        failures), '')
    end
  end
  if #popped > 0 then
    done(int(#popped / 2) .. ' queued contexts cancelled')
  end
  if redis.call('UNLINK', keys.ledger(job), keys.runs(job)) > 0 then
    done('its ledger and its runs are removed')
  end
  return redis.call('EXISTS', keys.queue(job)) == 1
end

-- Forgets followers that are none. Those that waited for the job to be registered are told by it, or, where it is not, wait on.
local function settle_followers(fields)
  local exists, awaited = fields.revision ~= '', redis.call('GET', keys.awaited(job)) or ''
  local kept, forgotten, known, taken = {}, 0, {}, 0
  for name, on in job_record.each_follower(fields.followers .. ' ' .. awaited) do
    if gone[name] then
      forgotten = forgotten + 1
    elseif not known[name] then
      known[name] = true
      kept[#kept + 1] = job_record.follower(name, on)
    end
  end
  local followers = table.concat(kept, ' ')
  if exists and (awaited ~= '' or forgotten > 0) then
    taken = redis.call('DEL', keys.awaited(job))
    redis.call('HSET', target, 'followers', followers)
  elseif forgotten > 0 and followers ~= '' then
    redis.call('SET', keys.awaited(job), followers)
  elseif forgotten > 0 then
    redis.call('DEL', keys.awaited(job))
  end
  if forgotten > 0 then
    done(int(forgotten) .. ' followers forgotten')
  end
  if taken > 0 then
    done('the followers that waited for it are told')
  end
end

-- A scheduled firing of it is active or queued: a delay counts from its end.
local function is_under_way(fields)
  for _, mark in ipairs(redis.call('HVALS', keys.active(job))) do
    if mark == active_mark.SCHEDULED then
      return true
    end
  end
  return planning.firing_under_way(job, fields.last)
end

-- Due times that are known of a job without a next one; nil leaves a cron job to be planned by a tracker.
local function derive(fields)
  local period = tonumber(fields.period)
  if planning.is_delay(fields) then
    local due = now + period
    local over = fields.end_at ~= '' and due > tonumber(fields.end_at)
    return over and {} or { due }
  elseif fields.kind == 'fixed_rate' then
    return { tonumber(fields.anchor) or now + period }
  end
  return {}
end

local function rearm(fields)
  local dues = job_record.dues_of(fields.next, fields.plan)
  if #dues == 0 then
    dues = derive(fields)
  end
  planning.lay(job, fields, dues)
  redis.call('HSET', target, 'next', fields.next, 'plan', fields.plan, 'state', fields.state)
  arming.arm(job, fields, now)
  local at = redis.call('ZSCORE', KEYS[1], entry)
  done(at and 'in the wheel at ' .. at or 'finished: nothing is left to fire')
end

local function go_on(fields)
  local timed = fields.kind ~= 'manual' and fields.kind ~= 'after'
  if fields.state ~= 'active' or not timed then
    return disarm()
  end
  local at = redis.call('ZSCORE', KEYS[1], entry)
  local latest = math.max((tonumber(fields.next) or 0) + (tonumber(fields.jitter) or 0), now + AHEAD_MS)
  local in_time = at and forms.is_digits(at) and tonumber(at) <= latest
  if in_time or (not at and planning.is_delay(fields) and is_under_way(fields)) then
    return
  end
  rearm(fields)
end

local fields = {}
for i, value in ipairs(redis.call('HMGET', target, unpack(READ))) do
  fields[READ[i]] = value or ''
end
local more = false
settle_followers(fields)
if fields.state == '' and fields.revision == '' then
  more = redis.call('EXISTS', target) == 0 and clear_away()
else
  if redis.call('ZADD', keys.jobs, 0, job) == 1 then
    done('added to the list of jobs')
  end
  local started = fields.state ~= 'deleting' and overlap_queue.start(endings.ready, now, job, fields.overlap, fields.overlap_limit) or 0
  if started > 0 then
    done(int(started) .. ' of its queue let in')
  end
  go_on(fields)
end
ending.flush(endings, now)
if #did == 0 then
  return { 'CLEAN' }
end
return { more and 'MORE' or 'REPAIRED', unpack(did) }
