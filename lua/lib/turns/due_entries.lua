-- Module turns/due_entries: takes what is due out of the wheel, and does with each entry what its first byte says.
-- @use claims/claiming
-- @use claims/sources
-- @use claims/turn_report
-- @use contexts/expiring
-- @use fan_out/fan_changes
-- @use fan_out/fans
-- @use jobs/due_jobs
-- @use keys
-- @use limits/idle_shares
-- @use turns/start_deadlines
-- @use turns/visits
-- @use records/context_id
-- @use records/queue_name
-- @use records/wheel_entry
local due_entries = {}

local LOOK_AGAIN_MS = 1000 -- an outbox entry, and a scan, is offered to the next tracker after this

-- Takes at most `visit.limit` entries, and not much more than TURN_BYTES.
function due_entries.take(visit)
  local due, due_bytes, page = {}, 0, math.min(visit.limit, sources.PAGE)
  while page > 0 do
    local found = redis.call('ZRANGE', keys.wheel, '-inf', visit.now, 'BYSCORE', 'LIMIT', #due, page)
    for _, entry in ipairs(found) do
      due[#due + 1] = entry
      due_bytes = due_bytes + #entry
    end
    visit.more = #found == page and 1 or 0
    local fit = visit.more == 1 and math.floor((claiming.TURN_BYTES - due_bytes) * #due / due_bytes) or 0
    page = math.min(visit.limit - #due, fit)
  end
  if #due > 0 then
    redis.call('ZREMRANGEBYRANK', keys.wheel, 0, #due - 1)
  end
  visit.taken = due
end

local function come_again(visit, at, entry)
  visit.again[#visit.again + 1] = at
  visit.again[#visit.again + 1] = entry
end

local function decide(visit, entry, kind)
  if kind == wheel_entry.JOB then
    due_jobs.fire(visit, wheel_entry.name_of(entry))
  elseif entry == '!reap' then -- the scan itself sets the time of the next one
    visit.scan = 1
    come_again(visit, visit.now + LOOK_AGAIN_MS, entry)
  elseif wheel_entry.is_limits(entry) then
    local at, cursor = idle_shares.look(visit.now, wheel_entry.cursor_of_limits(entry))
    if at then
      come_again(visit, at, wheel_entry.limits(cursor))
    end
  elseif kind == wheel_entry.DEADLINE and expiring.is_full(visit) then
    expiring.put_off(visit, entry) -- what ends then costs many times as much as what was taken
  elseif kind == wheel_entry.DEADLINE then
    start_deadlines.expire(visit, entry)
  elseif kind == wheel_entry.PARTS then
    local look = turn_report.look(visit.endings, wheel_entry.name_of(entry))
    if look then
      visit.looks[#visit.looks + 1] = look
      come_again(visit, visit.now + fans.LOOK_MS, entry)
    end
  elseif wheel_entry.is_delivery(entry) then
    visit.outbox[#visit.outbox + 1] = wheel_entry.name_of(entry)
    come_again(visit, visit.now + LOOK_AGAIN_MS, entry)
  else
    sources.leave_aside(visit, 'wheel', entry)
  end
end

-- A context is fresh, or a subtask that comes back after its delay. Notes those that were to be tried again.
local function take_context(visit, entry, retried)
  local queue, id, counts, rest, options = sources.open_member(entry)
  if not queue or not (visit.fresh[queue] or queue_name.is_one(queue)) then
    return sources.leave_aside(visit, 'wheel', entry)
  end
  local is_retry = string.byte(counts) ~= 48
  if is_retry then
    retried[#retried + 1] = id
  end
  if is_retry and context_id.is_subtask(id) then
    turn_report.due_again(visit.endings, id, counts, rest)
  else
    visits.add_fresh(visit, queue, id, counts, rest, options, entry)
  end
end

function due_entries.decide(visit)
  local retried = {}
  for _, entry in ipairs(visit.taken) do
    local kind = wheel_entry.kind_of(entry)
    if wheel_entry.is_context(kind) then
      take_context(visit, entry, retried)
    else
      decide(visit, entry, kind)
    end
  end
  if #retried > 0 then
    redis.call('HDEL', keys.retry, unpack(retried))
  end
  for _, fan in ipairs(visit.endings.fans.order) do
    if not fan.over then
      fan_changes.flush_waiting(fan, visit.now)
      visits.forget_backlog(visit)
    end
  end
end

return due_entries
