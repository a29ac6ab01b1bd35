-- Module records/held_value: what `held` has of a running attempt, `<attempt>:<failures> <worker> <claimed ms> <expires ms>
-- <deadline ms>[<limits>] <cancel> <rest>`; the rest is that of its context, `<cancel>` is `-` or `<REASON>@<ms>`.
-- @use record
-- @use records/context_options
local held_value = {}

-- The limits that a context counts under: that of its group, that of its key, or both.
held_value.UNDER_GROUP, held_value.UNDER_KEY, held_value.UNDER_BOTH = 'g', 'k', 'gk'
local match = string.match
local int, is_count, is_instant = record.int, record.is_count, record.is_instant

-- Whether what it begins with can be used.
local function is_sound(attempt, failures, claimed, expires, deadline, cancel)
  return is_count(attempt) and is_count(failures) and is_instant(claimed) and is_instant(expires) and is_instant(deadline)
    and (cancel == '-' or is_instant(match(cancel, '^[%a_]+@(%d+)$') or string.rep('9', 16)))
end

function held_value.is_under_group(under)
  return under == held_value.UNDER_GROUP or under == held_value.UNDER_BOTH
end

function held_value.is_under_key(under)
  return under == held_value.UNDER_KEY or under == held_value.UNDER_BOTH
end

-- Of one that does not follow the grammar every part is nil.
function held_value.split(value)
  local attempt, failures, worker, claimed, expires, deadline, under, cancel, rest =
    match(value, '^(%d+):(%d+) (%S+) (%d+) (%d+) (%d+)(%l*) (%S+) (.*)$')
  if not rest or not is_sound(attempt, failures, claimed, expires, deadline, cancel) then
    return {}
  end
  return {
    attempt = tonumber(attempt),
    failures = tonumber(failures),
    worker = worker,
    claimed = tonumber(claimed),
    expires = tonumber(expires),
    deadline = tonumber(deadline),
    under = under,
    cancel = cancel,
    rest = rest,
  }
end

function held_value.text(held)
  return int(held.attempt) .. ':' .. int(held.failures) .. ' ' .. held.worker .. ' ' .. int(held.claimed) .. ' '
    .. int(held.expires) .. ' ' .. int(held.deadline) .. (held.under or '') .. ' ' .. held.cancel .. ' ' .. held.rest
end

-- `<claimed> <expires>` with spaces around it, which all that is claimed at once shares.
function held_value.lease(claimed, expires)
  return ' ' .. int(claimed) .. ' ' .. int(expires) .. ' '
end

-- What the value of the attempt behind `counts`, those of its context, begins with: all up to the rest, without a deadline.
function held_value.start(counts, worker, lease, under)
  local attempt, failures = match(counts, '^(%d+):(%d+)$')
  return int(attempt + 1) .. ':' .. failures .. ' ' .. worker .. lease .. '0' .. (under or '') .. ' - '
end

-- The same with a deadline.
function held_value.start_by(start, deadline)
  local before, under = match(start, '^(.*) 0(%l*) %- $')
  return before .. ' ' .. int(deadline) .. under .. ' - '
end

-- What a value begins with, up to its handler, and as texts attempt, failures, worker, claimed, expires, deadline, cancel, group and
-- handler.
function held_value.split_names(value)
  return match(value, '^((%d+):(%d+) (%S+) (%d+) (%d+) (%d+)%l* (%S+) (%S+) (%S+) )')
end

-- The same beginning, its attempt and its worker; nil for one that cannot be used.
function held_value.open_names(value)
  local start, attempt, failures, worker, claimed, expires, deadline, cancel = held_value.split_names(value)
  if not start or not is_sound(attempt, failures, claimed, expires, deadline, cancel) then
    return nil
  end
  return start, attempt, worker
end

-- Attempt and worker, as texts.
function held_value.holder_of(value)
  return match(value, '^(%d+):%d+ (%S+) ')
end

-- `<attempt> <worker> <claimed ms>`.
function held_value.attempt_of(value)
  local attempt, taken = match(value, '^(%d+):%d+ (%S+ %d+)')
  return attempt .. ' ' .. taken
end

-- Attempt, worker, claimed, expires and cancel, as texts, for a person.
function held_value.lease_of(value)
  return match(value, '^(%d+):%d+ (%S+) (%d+) (%d+) %d+%l* (%S+) ')
end

-- All of it but the body; nil when it does not follow the grammar.
function held_value.head_of(value)
  return match(value, '^%d+:%d+ %S+ %d+ %d+ %d+%l* %S+ %S+ %S+ %d %S+ ')
end

-- The letters of the limits that it counts under, its group and its options.
function held_value.limits_of(value)
  return match(value, '^%S+ %S+ %d+ %d+ %d+(%l*) %S+ (%S+) %S+ %d (%S+) ')
end

-- What it begins with, up to its options, with the letters of its limits and its group: what was claimed together begins with the same.
function held_value.split_limits(value)
  return match(value, '^(%S+ %S+ %d+ %d+ %d+(%l*) %S+ (%S+) %S+ %d )')
end

-- The fairness key of a value whose options begin at `at`.
function held_value.key_at(value, at)
  return match(value, '^k=([^, ]+)', at) or context_options.value(match(value, '^%S+', at), 'k')
end

-- `<REASON>@<ms>`: its worker has to be told to stop, and may settle until then.
function held_value.cancel(reason, until_ms)
  return reason .. '@' .. int(until_ms)
end

-- Reason and the text of its ms; nil without one.
function held_value.split_cancel(cancel)
  return match(cancel, '^([%a_]+)@(%d+)$')
end

-- True when somebody wants it to end; one that only timed out would be tried again.
function held_value.is_cancelled(cancel)
  return cancel ~= '-' and string.sub(cancel, 1, 9) ~= 'TIMED_OUT'
end

return held_value
