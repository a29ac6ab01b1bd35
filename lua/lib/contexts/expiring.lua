-- Module contexts/expiring: contexts that did not start by their start deadline.
-- @use fan_out/finishing
-- @use records/context_options
-- @use records/context_record
-- @use records/wheel_entry
local expiring = {}

local WEIGHT_MAX = 65536 -- of contexts that expire in one call: some 1 ms of Redis
local BASE = 2048 -- so many bytes cost as much as the end of a context without a body, 25 to 30 us

-- One more of them expires in the call.
function expiring.count(visit, member)
  visit.expired = visit.expired + BASE + #member
end

function expiring.is_full(visit)
  return visit.expired >= WEIGHT_MAX
end

-- The turn has no room for `entry`, that of a start deadline: the next one takes it. It is in the wheel again when this one ends, and
-- nobody claims the context meanwhile.
function expiring.put_off(visit, entry)
  visit.again[#visit.again + 1] = visit.now
  visit.again[#visit.again + 1] = entry
  visit.more = 1
  local id = wheel_entry.split_start_deadline(entry)
  if id then
    visit.endings.watched[id] = true
  end
end

-- True when a context that never started is past its start deadline. `counts` is `<attempt>:<failures>`.
function expiring.is_late(now, id, counts, options)
  local at = options ~= '-' and context_record.has_no_failure(counts) and context_options.start_by(id, options)
  return at and at <= now
end

function expiring.expire(endings, now, id, counts, rest)
  local attempt, failures = context_record.split_counts(counts)
  finishing.end_context(endings, now, { id = id, state = 'expired', attempt = tonumber(attempt), failures = tonumber(failures),
    message = 'not started by its start deadline', rest = rest })
end

return expiring
