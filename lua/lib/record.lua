-- Module record: the grammar of the text records, read and written in one place. docs/keyspace.md shows each of them.
-- @use bounds
local record = {}

-- Integers above 2^53 are not expected; tostring() would print those above 1e14 with an exponent. Printing one costs as much as a small
-- command and most are the same few times, so each is printed once in a call.
local printed = {}

function record.begin()
  printed = {}
end

function record.int(number)
  local text = printed[number]
  if not text then
    text = string.format('%.0f', number)
    printed[number] = text
  end
  return text
end
local int = record.int

-- Parts of a context id: <partition>.<due ms>.<unique>[@<owner>], where the owner is a job, or `<namespace>/` of what was submitted alone.
function record.due_of(id)
  return tonumber(string.match(id, '^%d+%.(%d+)%.'))
end

function record.job_of(id)
  return string.match(id, '@(.*[^/])$')
end

-- `@<owner>`, or nothing.
function record.owner_suffix(id)
  return string.match(id, '@.*$') or ''
end

-- True for what a job's own trigger created: its unique part is `f`, with digits behind it where the job was registered after that due
-- time.
function record.is_scheduled(id)
  return string.find(id, '%.f%d*@') ~= nil
end

-- Whether digits are a number of attempts, and whether they are an instant; mostly their length tells.
function record.is_count(digits)
  return #digits < 10 or tonumber(digits) <= bounds.ATTEMPT_MAX
end

-- The same of `<attempt>:<failures>`.
function record.are_counts(counts)
  local attempt, failures = string.match(counts, '^(%d+):(%d+)$')
  return attempt and record.is_count(attempt) and record.is_count(failures)
end

function record.is_instant(digits)
  return #digits < 16 or tonumber(digits) <= bounds.INSTANT_MAX
end

-- A context member is `<id> <attempt>:<failures> <rest>`, its rest `<group> <handler> <priority> <options> <body>`.
function record.split_member(member)
  local id, attempt, failures, rest = string.match(member, '^(%S+) (%d+):(%d+) (.*)$')
  if not id or not record.is_count(attempt) or not record.is_count(failures) then
    return nil
  end
  return id, tonumber(attempt), tonumber(failures), rest
end

function record.split_rest(rest)
  return string.match(rest, '^(%S+) (%S+) (%d) (%S+) ')
end

function record.member_of(id, attempt, failures, rest)
  return id .. ' ' .. int(attempt) .. ':' .. int(failures) .. ' ' .. rest
end

-- Options are `-` or `k=v,k=v`; see docs/keyspace.md for the letters. No value has a `=`, so a letter is found without a pattern.
local marks = {} -- `<letter>=` of those that were looked for: joining texts costs as much as finding one
function record.option(options, letter)
  local mark = marks[letter]
  if not mark then
    mark = letter .. '='
    marks[letter] = mark
  end
  local at = string.find(options, mark, 1, true)
  return at and string.match(options, '^[^,]*', at + 2) or nil
end

function record.option_number(options, letter, default)
  return tonumber(record.option(options, letter)) or default
end

-- When a context must have started, nil without a start deadline. For one that was asked to run again it counts from then (`d`).
function record.start_by(id, options)
  local span = tonumber(record.option(options, 's'))
  return span and math.min(record.due_of(id) + record.option_number(options, 'd', 0) + span, bounds.INSTANT_MAX)
end

-- Whether what a held value begins with can be used.
function record.is_held(attempt, failures, claimed, expires, deadline, cancel)
  local is_count, is_instant = record.is_count, record.is_instant
  return is_count(attempt) and is_count(failures) and is_instant(claimed) and is_instant(expires) and is_instant(deadline)
    and (cancel == '-' or is_instant(string.match(cancel, '^[%a_]+@(%d+)$') or string.rep('9', 16)))
end

-- A held value is `<attempt>:<failures> <worker> <claimed> <expires> <deadline>[<limits>] <cancel> <rest>`. Of one that does not follow
-- the grammar every part is nil.
function record.split_held(value)
  local attempt, failures, worker, claimed, expires, deadline, under, cancel, rest =
    string.match(value, '^(%d+):(%d+) (%S+) (%d+) (%d+) (%d+)(%l*) (%S+) (.*)$')
  if not rest or not record.is_held(attempt, failures, claimed, expires, deadline, cancel) then
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

function record.held_value(held)
  return int(held.attempt) .. ':' .. int(held.failures) .. ' ' .. held.worker .. ' ' .. int(held.claimed) .. ' '
    .. int(held.expires) .. ' ' .. int(held.deadline) .. (held.under or '') .. ' ' .. held.cancel .. ' ' .. held.rest
end

record.MESSAGE_BYTES = 1024 -- of how a context ended

-- A message as records have it: on one line, and not too long.
function record.clean(text)
  return (string.gsub(string.sub(text or '', 1, record.MESSAGE_BYTES), '[\t\r\n]', ' '))
end

return record
