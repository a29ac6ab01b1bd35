-- Module jobs/due_times: which due times of a job have come, and what follows them (W3). Reads what it is given, and writes nothing.
-- @use jobs/arming
-- @use record
-- @use records/job_record
local due_times = {}
local int = record.int

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
  for due in job_record.each_due(fields.plan) do
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
  if fields.kind == 'fixed_delay' then
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
