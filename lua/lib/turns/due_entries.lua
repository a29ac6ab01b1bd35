-- Module turns/due_entries: takes what is due out of the wheel, and does with each entry what its first byte says.
-- @use claims/claiming
-- @use claims/sources
-- @use claims/turn_report
-- @use fan_out/fan_changes
-- @use fan_out/fans
-- @use jobs/due_jobs
-- @use keys
-- @use limits/idle_shares
-- @use ready_sets
-- @use turns/start_deadlines
-- @use turns/visits
local due_entries = {}

local EXPIRED_BYTES = 65536 -- of contexts that expire in one call: some 0.7 ms of Redis
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
  if kind == 64 then -- '@'
    due_jobs.fire(visit, string.sub(entry, 2))
  elseif entry == '!reap' then -- the scan itself sets the time of the next one
    visit.scan = 1
    come_again(visit, visit.now + LOOK_AGAIN_MS, entry)
  elseif string.find(entry, '^!limits') then
    local at, cursor = idle_shares.look(visit.now, string.match(entry, ' (%d+)$') or '0')
    if at then
      come_again(visit, at, cursor == '0' and '!limits' or '!limits ' .. cursor)
    end
  elseif kind == 35 and visit.expired_bytes >= EXPIRED_BYTES then -- '#'
    come_again(visit, visit.now, entry) -- what ends then may be many times larger than what was taken
    visit.more = 1
  elseif kind == 35 then
    start_deadlines.expire(visit, entry)
  elseif kind == 37 then -- '%'
    local look = turn_report.look(visit.endings, string.sub(entry, 2))
    if look then
      visit.looks[#visit.looks + 1] = look
      come_again(visit, visit.now + fans.LOOK_MS, entry)
    end
  elseif string.find(entry, '^&%S+ %d+%.%d+%.%S+ %l[%l_]+$') then
    visit.outbox[#visit.outbox + 1] = string.sub(entry, 2)
    come_again(visit, visit.now + LOOK_AGAIN_MS, entry)
  else
    sources.leave_aside(visit, 'wheel', entry)
  end
end

-- A context is fresh, or a subtask that comes back after its delay. Notes those that were to be tried again.
local function take_context(visit, entry, retried)
  local queue, id, counts, rest, options = sources.open_member(entry)
  if not queue or not (visit.fresh[queue] or ready_sets.is_queue(queue)) then
    return sources.leave_aside(visit, 'wheel', entry)
  end
  local is_retry = string.byte(counts) ~= 48
  if is_retry then
    retried[#retried + 1] = id
  end
  if is_retry and string.find(id, '~', 1, true) then
    turn_report.due_again(visit.endings, id, counts, rest)
  else
    visits.add_fresh(visit, queue, id, counts, rest, options, entry)
  end
end

function due_entries.decide(visit)
  local retried = {}
  for _, entry in ipairs(visit.taken) do
    local kind = string.byte(entry) or 0
    if kind >= 48 and kind <= 57 then -- a digit
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
