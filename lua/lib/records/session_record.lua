-- Module records/session_record: what `sessions` has of the session of a browser, `<digest> <ends ms> <made ms> <token> <shown>`: the
-- SHA-256 of its secret, when it ends, when it was made, the token that it stands for, and the SHA-256 of the secret that was shown for it.
-- A link that logs a browser in has ` once` behind it: it is no session, and is exchanged for one.
-- @use record
local session_record = {}
local match = string.match
local int = record.int

function session_record.text(digest, ends, made, token, shown)
  return digest .. ' ' .. int(ends) .. ' ' .. int(made) .. ' ' .. token .. ' ' .. shown
end

-- The text of a link.
function session_record.link(digest, ends, made, token, shown)
  return session_record.text(digest, ends, made, token, shown) .. ' once'
end

-- When it ends, when it was made, and its token, as texts; nil for a link, and for one that cannot be read.
function session_record.open(text)
  local ends, made, token = match(text, '^%x+ (%d+) (%d+) (%w+) %x+$')
  if ends and record.is_instant(ends) and record.is_instant(made) then
    return ends, made, token
  end
  return nil
end

-- Of a link: the digest of its secret, when it ends, when it was made, its token, and what was shown for it; nil for what is none.
function session_record.open_link(text)
  local digest, ends, made, token, shown = match(text, '^(%x+) (%d+) (%d+) (%w+) (%x+) once$')
  if ends and record.is_instant(ends) and record.is_instant(made) then
    return digest, ends, made, token, shown
  end
  return nil
end

return session_record
