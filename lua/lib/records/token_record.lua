-- Module records/token_record: what `tokens` has of a token, `<digest> <earlier> <until ms> <not after ms> <made ms> <rotated ms> <about>`:
-- the SHA-256 of its secret; that of the one before its last rotation, or `-`, and until when that is good; when the token ends, 0: never;
-- its role, `:`, and who it is for and what it may, as JSON.
-- @use record
local token_record = {}
local match = string.match
local int = record.int

-- The SHA-256 of a secret.
function token_record.is_digest(text)
  return #text == 64 and match(text, '^[0-9a-f]+$') ~= nil
end

function token_record.is_id(text)
  return #text >= 8 and #text <= 16 and match(text, '^[0-9a-z]+$') ~= nil
end

-- `<role>:{ ... }`.
function token_record.is_about(text)
  return match(text, '^%l+:{.*}$') ~= nil
end

function token_record.text(digest, earlier, before, about)
  return digest .. ' ' .. earlier .. ' ' .. int(before) .. ' ' .. about
end

-- What stands behind `<until ms>`.
function token_record.rest(not_after, made, rotated, about)
  return int(not_after) .. ' ' .. int(made) .. ' ' .. int(rotated) .. ' ' .. about
end

-- Its digest, when it ends, when it was made, and what is said about it, as texts; nil for one that cannot be read.
function token_record.open(text)
  local digest, not_after, made, about = match(text, '^(%x+) [%x-]+ %d+ (%d+) (%d+) %d+ (%l+:{.*})$')
  if digest and token_record.is_digest(digest) and record.is_instant(not_after) and record.is_instant(made) then
    return digest, not_after, made, about
  end
  return nil
end

-- Role and end, as texts.
function token_record.role_of(text)
  return match(text, '^%x+ [%x-]+ %d+ (%d+) %d+ %d+ (%l+):')
end

-- How often tokens changed, as the record of the cluster has it, a text; nil when that is no count.
function token_record.changes_of(text)
  return match(text, '^%d+$') and record.is_instant(text) and text or nil
end

return token_record
