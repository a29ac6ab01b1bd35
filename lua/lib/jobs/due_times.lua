-- Module jobs/due_times: which due times of a job have come, which of them fire by its misfire policy, and what follows them (W3, W6).
-- Decides and notes; writes nothing to Redis.
-- @use jobs/arming
-- @use jobs/firing
-- @use record
local due_times = {}
local int = record.int

-- Index (from 0) of the first of `n` due times that is not earlier than `time`.
local function first_from(due_at, n, time)
  local low, high = 0, n
  while low < high do
    local middle = math.floor((low + high) / 2)
    if due_at(middle) < time then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

local function note_missed(fields, due_at, from, to, reason)
  if to < from then
    return
  end
  fields.missed = fields.missed + to - from + 1
  if from == to then
    firing.note_due(fields, int(due_at(from)) .. ' M ' .. reason)
  else
    firing.note_due(fields, int(due_at(from)) .. '-' .. int(due_at(to)) .. 'x' .. int(to - from + 1) .. ' M ' .. reason)
  end
end

-- Jitter delays a due time on purpose; that delay is no lateness.
function due_times.tolerance_of(fields)
  return (tonumber(fields.tolerance) or 5000) + (tonumber(fields.jitter) or 0)
end

-- Applies the misfire policy to due times 0..n-1: notes the missed, and answers the index of the first that fires.
function due_times.apply_misfire(now, fields, due_at, n)
  local on_time = first_from(due_at, n, now - due_times.tolerance_of(fields))
  if on_time == 0 then
    return 0
  end
  local from = 0
  if fields.catch_up ~= '' then
    local window = tonumber(fields.catch_up) + (tonumber(fields.jitter) or 0)
    from = math.min(first_from(due_at, n, now - window), on_time)
    note_missed(fields, due_at, 0, from - 1, 'catch_up_window')
  end
  local keep, reason = 0, 'misfire_skip'
  if fields.misfire == 'fire_once' then
    keep, reason = 1, 'misfire_collapsed'
  elseif fields.misfire == 'fire_all' then
    keep, reason = tonumber(fields.misfire_limit) or 1, 'misfire_limit'
  end
  local first = math.max(from, on_time - keep)
  note_missed(fields, due_at, from, first - 1, reason)
  return first
end

-- The due times of a job that have come: how many, a function of their index, and the list behind it for planned ones.
function due_times.come(now, fields)
  local first, jitter = tonumber(fields.next), tonumber(fields.jitter) or 0
  local function has_come(due, gap)
    return due + arming.jitter(fields.name, due, jitter, gap) <= now
  end
  if fields.kind == 'fixed_rate' then
    local period = tonumber(fields.period)
    local function due_at(i)
      return first + i * period
    end
    local n = math.floor((now - first) / period) + 1
    if fields.end_at ~= '' then
      n = math.min(n, math.floor((tonumber(fields.end_at) - first) / period) + 1)
    end
    while n > 0 and not has_come(due_at(n - 1), period) do
      n = n - 1
    end
    return n, due_at, nil
  end
  local list = { first }
  for due in string.gmatch(fields.plan, '%d+') do
    list[#list + 1] = tonumber(due)
  end
  local n = 0
  while n < #list and has_come(list[n + 1], (list[n + 2] or list[n + 1] + 1) - list[n + 1]) do
    n = n + 1
  end
  return n, function(i) return list[i + 1] end, list
end

-- What follows due time `done` (an index): the next due time or nil, whether the job is finished, and the plan that remains.
function due_times.what_follows(now, fields, due_at, done, list, last_fired)
  if done == 0 then
    return tonumber(fields.next), false, list and { unpack(list, 2) } or {}
  end
  if fields.max_runs ~= '' and fields.fired >= tonumber(fields.max_runs) then
    return nil, true, {}
  end
  if fields.kind == 'fixed_rate' then
    local next = due_at(done)
    if fields.end_at ~= '' and next > tonumber(fields.end_at) then
      return nil, true, {}
    end
    return next, false, {}
  end
  if fields.kind == 'fixed_delay' or fields.kind == 'second_delay' then
    if last_fired then
      return nil, false, {}
    end
    local next = now + tonumber(fields.period)
    local over = fields.end_at ~= '' and next > tonumber(fields.end_at)
    return not over and next or nil, over, {}
  end
  local left = {}
  for i = done + 2, #list do
    left[#left + 1] = int(list[i])
  end
  local over = done >= #list and (fields.kind == 'once' or fields.plan_end == '1')
  return list[done + 1], over, left
end

return due_times
