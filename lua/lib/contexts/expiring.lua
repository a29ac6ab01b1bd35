-- Module contexts/expiring: contexts that did not start by their start deadline.
-- @use fan_out/finishing
-- @use record
local expiring = {}

-- True when a context that never started is past its start deadline. `counts` is `<attempt>:<failures>`.
function expiring.is_late(now, id, counts, options)
  local at = options ~= '-' and string.find(counts, ':0', 1, true) and record.start_by(id, options)
  return at and at <= now
end

function expiring.expire(endings, now, id, counts, rest)
  local attempt, failures = string.match(counts, '^(%d+):(%d+)$')
  finishing.end_context(endings, now, { id = id, state = 'expired', attempt = tonumber(attempt), failures = tonumber(failures),
    message = 'not started by its start deadline', rest = rest })
end

return expiring
