-- Part expiring: contexts that did not start by their start deadline. Needs the part ending.

-- True when a context that never started is past its start deadline. `counts` is `<attempt>:<failures>`.
local function is_late(now, id, counts, options)
  local at = options ~= '-' and string.find(counts, ':0', 1, true) and start_by(id, options)
  return at and at <= now
end

local function end_expired(endings, now, id, counts, rest)
  local attempt, failures = string.match(counts, '^(%d+):(%d+)$')
  end_context(endings, now, { id = id, state = 'expired', attempt = tonumber(attempt), failures = tonumber(failures),
    message = 'not started by its start deadline', rest = rest })
end
