-- Module records/settled_record: how a context ended, fields separated by tabs: id, state, attempt, worker or `-`, claimed ms or 0, ended
-- ms, message, group or `-`, handler or `-`, failures. Runs have one in each entry, an event has one on each line.
-- @use record
local settled_record = {}
local find, gmatch, match, sub = string.find, string.gmatch, string.match, string.sub
local int = record.int

settled_record.MESSAGE_BYTES = 1024 -- of how a context ended

-- A message as records have it: on one line, and not too long.
function settled_record.clean(text)
  return (string.gsub(sub(text or '', 1, settled_record.MESSAGE_BYTES), '[\t\r\n]', ' '))
end

function settled_record.text(id, state, attempt, worker, claimed, ended, message, group, handler, failures)
  return table.concat({ id, state, int(attempt), worker or '-', int(claimed or 0), int(ended), message, group or '-', handler or '-',
    int(failures) }, '\t')
end

-- What stands behind the id of one that succeeded; attempt, claimed and failures are texts.
function settled_record.succeeded(attempt, worker, claimed, ended, group, handler, failures)
  return '\tsucceeded\t' .. attempt .. '\t' .. worker .. '\t' .. claimed .. '\t' .. int(ended) .. '\t\t' .. group .. '\t' .. handler
    .. '\t' .. failures
end

-- Whether it tells of this context.
function settled_record.is_of(line, id)
  return sub(line, 1, #id + 1) == id .. '\t'
end

-- What the records of a context begin with, and its dead.
function settled_record.start_of(id)
  return id .. '\t'
end

-- Its line among those of an event; nil when it has none.
function settled_record.line_of(lines, id)
  local start = settled_record.is_of(lines, id) and 0 or find(lines, '\n' .. id .. '\t', 1, true)
  return start and match(lines, '^[^\n]*', start + 1)
end

function settled_record.each(lines)
  return gmatch(lines, '[^\n]+')
end

-- The same with empty ones.
function settled_record.each_or_empty(lines)
  return gmatch(lines .. '\n', '([^\n]*)\n')
end

-- Where lines that are longer than `bytes` may be cut: the line break behind so many; nil without one.
function settled_record.cut_behind(lines, bytes)
  return #lines > bytes and find(lines, '\n', bytes, true) or nil
end

-- Id, state and attempt of each line.
function settled_record.each_end(lines)
  return gmatch(lines, '([^\t\n]+)\t([^\t\n]*)\t(%d+)[^\n]*')
end

-- Id and state.
function settled_record.id_and_state(line)
  return match(line, '^([^\t]*)\t(%l*)')
end

-- What a list chooses by: id, state, worker, when it ended, message, group and handler, as texts.
function settled_record.chosen_by(line)
  return match(line, '^([^\t]*)\t([^\t]*)\t[^\t]*\t([^\t]*)\t[^\t]*\t(%d+)\t([^\t]*)\t([^\t]*)\t([^\t]*)')
end

-- When it ended, ms; nil where it cannot be read.
function settled_record.ended_of(line)
  return tonumber(match(line, '^[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t(%d+)'))
end

-- Attempt, as a text, and when it ended.
function settled_record.attempt_and_ended(line)
  local attempt, ended = match(line, '^[^\t]*\t[^\t]*\t(%d+)\t[^\t]*\t%d+\t(%d+)\t')
  return attempt, tonumber(ended)
end

-- All behind the id, as texts.
function settled_record.split(line)
  return match(line, '^[^\t]*\t([^\t]*)\t(%d+)\t([^\t]*)\t(%d+)\t(%d+)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t(%d+)$')
end

-- State, attempt, worker, ended and message, as texts, of whatever has so many fields.
function settled_record.story_of(line)
  return match(line, '^[^\t]*\t([^\t]*)\t(%d+)\t([^\t]*)\t%d+\t(%d+)\t([^\t]*)')
end

-- Whether it follows the grammar. Texts but for the message are of characters that Rust's reader and a repair take alike.
function settled_record.is_sound(line)
  return find(line, '^[!-~]+\t%l[%l_]+\t%d+\t[!-~]+\t%d+\t%d+\t[^\t\n]*\t[!-~]+\t[!-~]+\t%d+$') ~= nil
end

-- A message for people: the class of an error stands between two separators, in front of what it says.
function settled_record.message_in_words(message)
  return (string.gsub(message, '\31', ' '))
end

return settled_record
