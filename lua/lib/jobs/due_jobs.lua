-- Module jobs/due_jobs: what the due times of a job become in a turn (W3, W4). A job of which a key has another type than it should waits,
-- and stops no other. `visit` has what the turn collects: `plan`, jobs whose planned due times ran low; `again`, score and member of what
-- stays in the wheel; `fired`, `skipped`, `missed` and `more`; `out`, contexts that are nowhere until the turn has placed them; and three
-- functions: `add_fresh` for a context that is due, `drop_fresh` for one that is not after all, and `place_fresh`, which writes them.
-- @use jobs/arming
-- @use jobs/due_times
-- @use jobs/firing
-- @use jobs/misfire
-- @use keys
-- @use record
-- @use turns/visits
-- @use records/context_record
-- @use records/queue_name
-- @use records/ledger_record
local due_jobs = {}
local int = record.int

local PLAN_LEASE_MS = 1000 -- an unplanned job is offered to the next tracker after this
local UNSOUND_MS = 60000 -- a job that cannot be used is tried again after this
local PLAN_LOW = 8 -- planned due times of a job below which a tracker adds some
local FIRINGS_MAX = 100 -- due times of one job decided in one visit, besides missed ones; the rest stays due

local function come_again(visit, job, at)
  visit.again[#visit.again + 1] = at
  visit.again[#visit.again + 1] = '@' .. job
end

local function rearm(visit, fields, next, left)
  if fields.kind == 'cron' and fields.plan_end ~= '1' and #left < PLAN_LOW then
    visit.plan[#visit.plan + 1] = fields.name
  end
  if not next then
    if fields.kind == 'cron' then
      come_again(visit, fields.name, visit.now + PLAN_LEASE_MS)
    end
    return -- a delay is armed by the end of its firing
  end
  local gap = tonumber(fields.period) or 0
  if fields.kind == 'cron' then
    gap = left[1] and tonumber(left[1]) - next or 0
  end
  come_again(visit, fields.name, next + arming.jitter(fields.name, next, tonumber(fields.jitter) or 0, gap))
end

-- True when the due time became a context. `made` collects what was written of the job for it: id, member and verdict.
local function fire_at(visit, fields, due, made)
  local id, shown = firing.firing_id(fields, due)
  if fields.overlap == 'replace' and fields.active > 0 then
    visits.place_fresh(visit)
  end
  local member = id .. ' 0:0 ' .. fields.tmpl
  local verdict, reason = firing.offer_firing(visit.endings, visit.now, fields, id, fields.tmpl)
  if verdict == 'SKIP' then
    visit.skipped = visit.skipped + 1
    firing.note_due(fields, ledger_record.skipped(due, reason))
    return false
  end
  made[#made + 1] = { id, member, verdict }
  visit.fired = visit.fired + 1
  fields.fired = fields.fired + 1
  firing.note_due(fields, ledger_record.fired(due, visit.now - due, shown))
  if verdict == 'START' then
    local group, handler, _, options = context_record.split_rest(fields.tmpl)
    visits.add_fresh(visit, queue_name.of(group .. ' ' .. handler, options), id, '0:0', fields.tmpl, options, member)
  end
  return true
end

local function fire(visit, job, made)
  local room = math.min(FIRINGS_MAX, visit.limit - visit.fired - visit.skipped)
  if room <= 0 then
    visit.more = 1
    return come_again(visit, job, visit.now)
  end
  local fields = firing.load_job(job)
  if not fields or fields.state ~= 'active' then
    return
  end
  if not firing.is_sound(fields) then
    visit.aside = visit.aside + 1 -- `store check` names the job
    return come_again(visit, job, visit.now + UNSOUND_MS)
  end
  if fields.next == '' then
    if fields.kind == 'cron' then
      rearm(visit, fields, nil, {})
    end
    return
  end
  local n, due_at, list = due_times.come(visit.now, fields)
  local behind = n > 0 and due_at(n - 1) < visit.now - misfire.tolerance_of(fields)
  if fields.kind == 'cron' and fields.plan_end ~= '1' and n == #list and behind then
    -- Behind its whole plan: which due time is the newest missed one is known only when the plan reaches the tolerance.
    visit.plan[#visit.plan + 1] = job
    return come_again(visit, job, visit.now + PLAN_LEASE_MS)
  end
  local index, last_fired = 0, false
  if n > 0 then
    index = misfire.apply(visit.now, fields, due_at, n)
    if n > index + room then
      n, visit.more = index + room, 1
    end
  end
  local most = fields.max_runs ~= '' and tonumber(fields.max_runs) or math.huge
  while index < n and fields.fired < most do
    last_fired = fire_at(visit, fields, due_at(index), made)
    index = index + 1
  end
  local next, finished, left = due_times.what_follows(visit.now, fields, due_at, index, list, last_fired)
  local written = { 'next', next and int(next) or '', 'fired', int(fields.fired) }
  if index > 0 then
    written[5], written[6] = 'last', int(due_at(index - 1))
  end
  if list then
    written[#written + 1], written[#written + 2] = 'plan', table.concat(left, ' ')
  end
  if finished then
    local at = #written
    written[at + 1], written[at + 2], written[at + 3], written[at + 4] = 'state', 'finished', 'finished_ms', int(visit.now)
  end
  firing.flush_ledger(fields)
  redis.call('HSET', keys.job(job), unpack(written))
  for _, one in ipairs(made) do
    visit.out[#visit.out + 1] = one[3] == 'START' and one[2] or nil
  end
  visit.missed = visit.missed + fields.missed
  if not finished then
    rearm(visit, fields, next, left)
  end
end

-- Nothing of these due times was decided after all: they are again when the job can be used.
local function take_back(visit, job, made)
  for _, one in ipairs(made) do
    local id, member, verdict = unpack(one)
    visit.fired = visit.fired - 1
    if verdict == 'START' then
      visits.drop_fresh(visit, id)
      pcall(redis.call, 'HDEL', keys.active(job), id)
    else
      pcall(redis.call, 'ZREM', keys.queue(job), member)
    end
  end
end

function due_jobs.fire(visit, job)
  local made = {}
  local done, why = pcall(fire, visit, job, made)
  if done then
    return
  end
  take_back(visit, job, made)
  if not string.find(type(why) == 'table' and why.err or tostring(why), 'WRONGTYPE', 1, true) then
    error(why, 0)
  end
  visit.aside = visit.aside + 1 -- `store check` names the key
  come_again(visit, job, visit.now + UNSOUND_MS)
end

return due_jobs
