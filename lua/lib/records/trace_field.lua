-- Module records/trace_field: the hash `traces`, what the history of a partition takes. `l <context>` has `<bytes> <lines that its log
-- lost> <ms when its lifetime was last set> <entries that its log let go>`, `r <context>` bytes, `s <root>` how many of its subtasks left
-- something; `!<kind>` and `!<kind> <namespace>` are sums, `!budget` is `<logs> <results> <dead> <ms that they are kept>`.
-- @use record
local trace_field = {}
local gmatch, match = string.gmatch, string.match
local int = record.int

-- Bytes, lines lost, ms and entries that went; what is not there is 0.
function trace_field.split(text)
  local bytes, lost, renewed, gone = match(text, '^(%d+) ?(%d*) ?(%d*) ?(%d*)$')
  return tonumber(bytes) or 0, tonumber(lost) or 0, tonumber(renewed) or 0, tonumber(gone) or 0
end

function trace_field.text(kind, bytes, lost, renewed, gone)
  return int(bytes) .. (kind == 'l' and ' ' .. int(lost) .. ' ' .. int(renewed) .. ' ' .. int(gone) or '')
end

-- Lines that a log lost.
function trace_field.lost_of(text)
  local lost = match(text, '^%d+ (%d+)')
  return lost and record.is_instant(lost) and tonumber(lost) or 0
end

-- The same and the entries that it let go, of a whole text.
function trace_field.lost_and_gone(text)
  local lost, gone = match(text, '^%d+ (%d+) %d+ (%d+)$')
  return tonumber(lost) or 0, tonumber(gone) or 0
end

-- The bytes that it tells of; 0 where it tells of none.
function trace_field.bytes_of(text)
  return tonumber(match(text, '^%d+')) or 0
end

-- The same of a text that is nothing else, as a text.
function trace_field.sum_of(text)
  return match(text, '^%d+$') or '0'
end

-- One of the numbers of `!budget`; nil where it has fewer.
function trace_field.setting(text, place)
  local at = 0
  for word in gmatch(text, '%d+') do
    at = at + 1
    if at == place then
      return tonumber(word)
    end
  end
  return nil
end

-- Kind and namespace of `<kind> <namespace>`.
function trace_field.split_name(name)
  return match(name, '^(%l) (.*)$')
end

return trace_field
