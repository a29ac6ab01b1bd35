-- Module records/context_record: `<id> <attempt>:<failures> <rest>`, a member of wheel, ready and queue. Its rest, which a job has as its
-- template, is `<group> <handler> <priority> <options> <body>`. No text is made of a body that nobody asked for: it would be hashed whole.
-- @use record
local context_record = {}
local find, match, sub = string.find, string.match, string.sub
local int, is_count = record.int, record.is_count

-- `<attempt>:<failures>` as two texts.
function context_record.split_counts(counts)
  return match(counts, '^(%d+):(%d+)$')
end

-- Whether both are numbers of attempts.
function context_record.are_counts(counts)
  local attempt, failures = match(counts, '^(%d+):(%d+)$')
  return attempt and is_count(attempt) and is_count(failures)
end

function context_record.has_no_failure(counts)
  return find(counts, ':0', 1, true) ~= nil
end

function context_record.text(id, attempt, failures, rest)
  return id .. ' ' .. int(attempt) .. ':' .. int(failures) .. ' ' .. rest
end

-- Id, attempt, failures and rest; nil for one that cannot be used.
function context_record.split(member)
  local id, attempt, failures, rest = match(member, '^(%S+) (%d+):(%d+) (.*)$')
  if not id or not is_count(attempt) or not is_count(failures) then
    return nil
  end
  return id, tonumber(attempt), tonumber(failures), rest
end

-- What a list chooses by: id, attempt as a text, group and handler; nil for one that cannot be used.
function context_record.chosen_by(member)
  local id, attempt, failures, group, handler = match(member, '^(%S+) (%d+):(%d+) (%S+) (%S+) ')
  if not id or not is_count(attempt) or not is_count(failures) then
    return nil
  end
  return id, attempt, group, handler
end

-- Attempt, failures and rest as they stand there.
function context_record.split_texts(member)
  return match(member, '^%S+ (%d+):(%d+) (.*)$')
end

-- `<attempt>:<failures>`, whatever stands there, and rest.
function context_record.split_behind_id(member)
  return match(member, '^%S+ (%S+) (.*)$')
end

-- Id, counts, rest, options and `<group> <handler>`, as few texts as possible: this runs for every context. Nil for one that cannot be
-- used.
function context_record.open(member)
  local id, counts, at, base, options = match(member, '^(%d+%.%d+%.%S+) (%d+:%d+) ()(%S+ %S+) [0-4] (%S+) ')
  if not id or (#counts > 9 and not context_record.are_counts(counts)) then
    return nil
  end
  return id, counts, sub(member, at), options, base
end

-- The same of one whose queue is known.
function context_record.open_in_queue(member)
  local id, counts, at, options = match(member, '^(%d+%.%d+%.%S+) (%d+:%d+) ()%S+ %S+ [0-4] (%S+) ')
  if not id or (#counts > 9 and not context_record.are_counts(counts)) then
    return nil
  end
  return id, counts, sub(member, at), options
end

function context_record.id_of(member)
  return match(member, '^%S+')
end

function context_record.handler_of(member)
  return match(member, '^%S+ %S+ %S+ (%S+)')
end

function context_record.options_of(member)
  return match(member, '^%S+ %d+:%d+ %S+ %S+ %d (%S+) ')
end

-- All of it but its body, with a space at its end; nil when the member does not follow the grammar.
function context_record.head_of(member)
  return match(member, '^%S+ %d+:%d+ %S+ %S+ %d %S+ ')
end

-- The same of one that a turn can use.
function context_record.usable_head(member)
  return match(member, '^%d+%.%d+%.%S+ %d+:%d+ %S+ %S+ [0-4] %S+ ')
end

-- `<group> <handler>`, priority and options of a head.
function context_record.split_head(head)
  return match(head, '(%S+ %S+) (%d) (%S+) $')
end

-- Whether a head has a start deadline.
function context_record.has_start_deadline(head)
  return find(head, '[ ,]s=%d+[, ]') ~= nil
end

-- Whether no attempt of it has failed.
function context_record.never_failed(member)
  return find(member, '^%S+ %d+:0 ') ~= nil
end

-- Group, handler, priority and options of a rest, as texts.
function context_record.split_rest(rest)
  return match(rest, '^(%S+) (%S+) (%d) (%S+) ')
end

-- The same with the body.
function context_record.open_rest(rest)
  return match(rest, '^(%S+) (%S+) (%d) (%S+) (.*)$')
end

-- `<group> <handler>`, priority and options.
function context_record.base_of_rest(rest)
  return match(rest, '^(%S+ %S+) (%d) (%S+) ')
end

-- The same of a rest that may be put into a ready set.
function context_record.placeable_base(rest)
  return match(rest, '^(%S+ %S+) ([0-4]) (%S+) ')
end

-- Group and handler alone.
function context_record.names_of_rest(rest)
  return match(rest, '^(%S+) (%S+)')
end

function context_record.group_of_rest(rest)
  return match(rest, '^%S+')
end

function context_record.priority_of_rest(rest)
  return tonumber(match(rest, '^%S+ %S+ (%d)'))
end

function context_record.rest_text(group, handler, priority, options, body)
  return group .. ' ' .. handler .. ' ' .. priority .. ' ' .. options .. ' ' .. body
end

-- What stands before the options of a rest, these, and what stands behind them.
function context_record.around_options(rest)
  return match(rest, '^(%S+ %S+ %d )(%S+)( .*)$')
end

-- The same rest with another body.
function context_record.with_body(rest, body)
  return match(rest, '^(%S+ %S+ %d %S+ )') .. body
end

-- The same rest as if no worker had died with it.
function context_record.without_lost(rest)
  return (string.gsub(rest, '^(%S+ %S+ %d %S-),o=%d+', '%1', 1))
end

-- Whether a person can read a body.
function context_record.is_shown(body)
  return not find(body, '[^\t\r\n -~]')
end

return context_record
