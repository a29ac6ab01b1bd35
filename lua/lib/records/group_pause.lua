-- Module records/group_pause: what `pauses` has of a group, `<since ms> <by|-> <note>`: since when none of its contexts starts, the token
-- of who wanted that, and why.
-- @use record
local group_pause = {}
local match = string.match

-- Nothing, or letters and digits.
function group_pause.is_word(text)
  return match(text, '^%w*$') ~= nil
end

function group_pause.text(since, by, note)
  return record.int(since) .. ' ' .. (by == '' and '-' or by) .. ' ' .. note
end

-- A text; nil for one that cannot be read.
function group_pause.since_of(text)
  local since = match(text, '^(%d+) [%w-]+ ')
  return since and record.is_instant(since) and since or nil
end

return group_pause
