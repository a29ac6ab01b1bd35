-- Module records/log_entry: what one call kept of a log, `<ms> <attempt> <lines lost before> <lines>`, and for each line a line break and
-- `<mark> <bytes>:<line>`. A mark is a letter and a number, how many ms before its entry the line was said.
-- @use record
local log_entry = {}
local match = string.match
local int = record.int

function log_entry.head(now, attempt, lost, count)
  return int(now) .. ' ' .. attempt .. ' ' .. int(lost) .. ' ' .. int(count)
end

function log_entry.line(mark, line)
  return '\n' .. mark .. ' ' .. #line .. ':' .. line
end

-- Lines that are lost with an entry: those before it and its own. What cannot be read counts as one.
function log_entry.lines_of(entry)
  local before, own = match(entry, '^%d+ %d+ (%d+) (%d+)')
  return (tonumber(before) or 0) + (tonumber(own) or 1)
end

-- Ms, attempt and lines lost, as texts, and where its lines begin; nil for one that cannot be read.
function log_entry.split(entry)
  return match(entry, '^(%d+) (%d+) (%d+) %d+()')
end

-- Letter and age of the line at `at`, the line, and where the next one begins; nil where none can be read.
function log_entry.line_at(entry, at)
  local letter, age, bytes, first = match(entry, '^\n(%l)(%d+) (%d+):()', at)
  if not letter then
    return nil
  end
  return letter, age, string.sub(entry, first, first + bytes - 1), first + bytes
end

return log_entry
