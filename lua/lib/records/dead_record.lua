-- Module records/dead_record: a context that ended without success: its settled record, a line break, `<failures> <rest>`; older ones end
-- before the line break.
-- @use record
-- @use records/context_options
-- @use records/settled_record
local dead_record = {}
local find, match = string.find, string.match
local int = record.int

function dead_record.text(settled, failures, rest)
  return settled .. '\n' .. int(failures) .. ' ' .. rest
end

-- What is kept to run it again; of a body beyond `most` bytes only its size. No text is made of a body: it would be hashed whole.
function dead_record.kept_rest(rest, most)
  local head, options, body_at = match(rest, '^(%S+ %S+ %d )(%S+) ()')
  local bytes = body_at and #rest - body_at + 1 or 0
  if bytes <= most then
    return rest
  end
  return head .. context_options.with(options, 'n=' .. int(bytes)) .. ' '
end

function dead_record.id_of(member)
  return match(member, '^[^\t]*')
end

-- Its settled record.
function dead_record.settled_of(member)
  return match(member, '^[^\n]*')
end

-- Failures, as a text, and rest.
function dead_record.split_rest(member)
  return match(member, '\n(%d+) (.*)$')
end

-- Attempt, as a text, and rest, of one that can run again.
function dead_record.attempt_and_rest(member)
  return match(member, '^[^\t]*\t[^\t]*\t(%d+)\t[^\n]*\n%d+ (.*)$')
end

-- Id, state and rest; nil for one without a rest.
function dead_record.split(member)
  return match(member, '^([^\t]*)\t([^\t]*)[^\n]*\n%d+ (.*)$')
end

-- Group and handler of what it takes to run it again; nil for one without a rest.
function dead_record.names_of(member)
  return match(member, '\n%d+ (%S+) (%S+) ')
end

-- True for an older one, which says only how it ended.
function dead_record.has_no_rest(member)
  return find(member, '^[^\t]+\t[^\n]*$') ~= nil
end

-- All but the body, and the body; nil of one that does not follow the grammar. An older one has no body.
function dead_record.split_body(member)
  local head, body = match(member, '^([^\n]*\n%d+ %S+ %S+ %d %S+ )(.*)$')
  if head then
    return head, body
  end
  return not find(member, '\n', 1, true) and member or nil, ''
end

-- All but the body of one that follows the grammar as Rust's reader has it.
function dead_record.sound_head(member)
  local settled, behind = match(member, '^([^\n]*)(.*)$')
  local rest = behind == '' and '' or match(behind, '^\n%d+ [!-~]+ [!-~]+ %d [!-~]+ ')
  return settled_record.is_sound(settled) and rest and settled .. rest or nil
end

return dead_record
