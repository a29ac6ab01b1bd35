-- Module jobs/misfire: the misfire policy of a job: which of its due times fire although they come late, and which are missed (W3).
-- Decides and notes; writes nothing to Redis. A tracker that catches up decides alike (core/src/catch_up.rs).
-- @use jobs/firing
-- @use records/ledger_record
local misfire = {}

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
  firing.note_due(fields, ledger_record.missed(due_at(from), due_at(to), to - from + 1, reason))
end

-- Jitter delays a due time on purpose; that delay is no lateness.
function misfire.tolerance_of(fields)
  return (tonumber(fields.tolerance) or 5000) + (tonumber(fields.jitter) or 0)
end

-- Applies the misfire policy to due times 0..n-1: notes the missed, and answers the index of the first that fires.
function misfire.apply(now, fields, due_at, n)
  local on_time = first_from(due_at, n, now - misfire.tolerance_of(fields))
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

return misfire
