-- Module records/failed_attempt: an attempt that ended without success, `<attempt> <worker or -> <claimed ms or 0> <ended ms> <outcome>
-- <error>`.
-- @use record
local failed_attempt = {}
local int = record.int

function failed_attempt.text(attempt, worker, claimed, ended, outcome, message)
  return int(attempt) .. ' ' .. (worker or '-') .. ' ' .. int(claimed or 0) .. ' ' .. int(ended) .. ' ' .. outcome .. ' ' .. message
end

-- When it ended, as a text.
function failed_attempt.ended_of(entry)
  return string.match(entry, '^%d+ %S+ %d+ (%d+)')
end

return failed_attempt
