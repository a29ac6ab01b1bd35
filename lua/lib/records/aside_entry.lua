-- Module records/aside_entry: a key that made room for one of ours, `<bytes> aside:<key>:<ms>` in the list `asides`. What lies behind the
-- bytes is its name.
-- @use record
local aside_entry = {}
local match = string.match
local int = record.int

function aside_entry.name(key, ms)
  return 'aside:' .. key .. ':' .. int(ms)
end

function aside_entry.text(bytes, name)
  return int(bytes) .. ' ' .. name
end

function aside_entry.bytes_of(entry)
  return tonumber(match(entry, '^%d+')) or 0
end

-- Bytes, 0 where they cannot be read, and name; no name where it is none of ours.
function aside_entry.split(entry)
  local bytes, name = match(entry, '^(%d+) (aside:.+)$')
  return tonumber(bytes) or 0, name
end

return aside_entry
