-- Module records/dedup_record: what a dedup key stands for: `<context>`, or `<context> <reason>` of a firing that was refused. The key is
-- `<name>[@<owner>]`.
local dedup_record = {}
local match = string.match

-- Context, and the reason or ''.
function dedup_record.split(text)
  return match(text, '^(%S+) ?(%S*)$')
end

function dedup_record.refused(id, reason)
  return id .. ' ' .. reason
end

function dedup_record.context_of(text)
  return match(text, '^%S+')
end

-- The name in a key.
function dedup_record.name_of(key)
  return match(key, '^[^@]+')
end

return dedup_record
