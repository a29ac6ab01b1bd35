-- Module jobs/planning: the due times that a tracker lays into a job, and what a job is after them.
-- @use args
-- @use bounds
-- @use keys
-- @use partition
-- @use record
-- @use zsets
-- @use records/context_id
-- @use args/forms
-- @use records/job_record
-- @use records/ledger_record
-- @use records/active_mark
local planning = {}
local int = record.int

local PLAN_MAX = 1000 -- due times of one job
local RECORD_BYTES = 256 -- of one ledger record

-- The argument `dues` as ascending due times, separated by spaces, and the edition of the time zone table they are from, which may stand
-- before them; else it is empty.
function planning.read_dues(given)
  local text, dues, before = given.dues or '', {}, -1
  local zones = job_record.edition_before(text)
  for word in forms.each_word(zones and string.sub(text, #zones + 1) or text) do
    local due = tonumber(word)
    if not due or due ~= math.floor(due) or due <= before or due > 9007199254740991 then
      args.bad('dues', 'must be ascending times in ms', word)
    end
    dues[#dues + 1] = due
    before = due
  end
  if #dues > PLAN_MAX then
    args.bad('dues', 'must be at most ' .. int(PLAN_MAX) .. ' times', #dues)
  end
  return dues, zones or ''
end

-- ARGV[first] and all behind it as ledger records, with the newest due time they decide (nil when there are none).
function planning.read_records(first)
  local records, newest = {}, nil
  for i = first, #ARGV do
    local text = args.text(i, 'record', RECORD_BYTES)
    local due = ledger_record.newest_due(text)
    if not due then
      args.bad('record', 'must start with its due time', text)
    end
    newest = math.max(newest or due, due)
    records[#records + 1] = text
  end
  if #records > bounds.ITEMS_MAX then
    args.bad('records', 'must be at most ' .. int(bounds.ITEMS_MAX), #records)
  end
  return records, newest
end

function planning.add_records(job, limit, records)
  if #records == 0 then
    return
  end
  redis.call('RPUSH', keys.ledger(job), unpack(records))
  redis.call('LTRIM', keys.ledger(job), -(tonumber(limit) or 1000), -1)
end

function planning.is_delay(fields)
  return fields.kind == 'fixed_delay'
end

-- True while the last decided due time of a job runs or waits for its turn: a delay is then armed by its end. Not by that of one which was
-- asked to run again.
function planning.firing_under_way(job, last)
  if last == '' then
    return false
  end
  local id = context_id.of_firing(partition.number(), last, job)
  return redis.call('HGET', keys.active(job), id) == active_mark.SCHEDULED
    or zsets.find(keys.queue(job), tonumber(last), id .. ' ') ~= nil
end

-- Sets next, plan and state of a job that goes on with `dues`; those that were decided (up to `fields.last`) are dropped. Writes nothing.
-- `fields`: state (active or paused), kind, period, last, end_at, max_runs, fired, plan_end.
function planning.lay(job, fields, dues)
  local last = tonumber(fields.last) or -1
  local left = {}
  if planning.is_delay(fields) and dues[1] and dues[1] <= last then
    dues = { last + 1 } -- the clock was set back
  end
  for _, due in ipairs(dues) do
    if due > last then
      left[#left + 1] = int(due)
    end
  end
  if fields.kind == 'fixed_rate' and dues[1] and not left[1] then
    local period = tonumber(fields.period)
    local due = dues[1] + (math.floor((last - dues[1]) / period) + 1) * period
    if fields.end_at == '' or due <= tonumber(fields.end_at) then
      left[1] = int(due)
    end
  end
  local used_up = fields.max_runs ~= '' and tonumber(fields.fired) >= tonumber(fields.max_runs)
  local timed = fields.kind ~= 'manual' and fields.kind ~= 'after'
  local under_way = not used_up and planning.is_delay(fields) and planning.firing_under_way(job, fields.last)
  if used_up or under_way or not timed then
    left = {}
  end
  if #left > PLAN_MAX then
    args.bad('dues', 'must leave at most ' .. int(PLAN_MAX) .. ' planned', #left)
  end
  fields.next = left[1] or ''
  fields.plan = table.concat(left, ' ', 2)
  local over = used_up or fields.plan_end == '1' or (fields.kind ~= 'cron' and not under_way)
  if timed and fields.next == '' and over and fields.state == 'active' then
    fields.state = 'finished'
  end
end

return planning
