#!lua flags=allow-oom
--[[
Script   access/open_session
Purpose  Let a browser be known by a secret of its own, for as long as a token is good and at most for a while; or keep a link that will be
         exchanged for such a session once.

KEYS     1 tokens   hash  id -> token    {tw}:tokens
           computed: {tw}:sessions
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           session    id of the session, 8 to 16 letters and digits
           digest     SHA-256 of its secret, 64 hexadecimal digits
           token?     id of the token that was shown
           shown?     SHA-256 of the secret that was shown, which the caller compared
           link?      in place of both: id of the link that was opened, which is gone then
           secret?    SHA-256 of its secret
           once?      1: what is kept is a link, and no session
           valid_ms   how long it is good at most, integer, 1000..604800000

Reply    { 'OPENED', now_ms, ends_ms }
         { 'TAKEN' }           another session is called so
         { 'NO_LINK' }         there is no such link, it was opened before, is over, or has another secret
         { 'NO_TOKEN' }        there is none of this id, or it cannot be read, or is over
         { 'SESSIONS_FULL' }   there are as many sessions as may be
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(sessions), 2,000 at most; at most 6 commands
Holds    W9 W10
Repeat   A second call finds the id taken, or the link gone. Of one token the newest 20 sessions and 5 links are kept; what is over, or
         cannot be read, is forgotten.
]]
-- @use args
-- @use keys
-- @use records/session_record
-- @use records/token_record
local SESSIONS_MAX = 2000
local OF_TOKEN_MAX, LINKS_MAX = 20, 5
local given = args.only_named('now_ms session digest token shown link secret once valid_ms')
local now = args.now_of(given)
local by = given.link and 'link' or 'token'
local id, by_id = args.text_of(given, 'session', 16), args.text_of(given, by, 16)
local digest, by_digest = args.text_of(given, 'digest', 64), args.text_of(given, given.link and 'secret' or 'shown', 64)
local valid = args.int_of(given, 'valid_ms', 1000, 604800000)
if not token_record.is_id(id) or not token_record.is_id(by_id) then
  args.bad('session', 'and ' .. by .. ' must be small letters and digits', '')
elseif not token_record.is_digest(digest) or not token_record.is_digest(by_digest) then
  args.bad('digest', 'and what was shown must be 64 hexadecimal digits', '')
end

local token, shown = by_id, by_digest
if given.link then
  local secret, ends, _, of, shown_for = session_record.open_link(redis.call('HGET', keys.sessions, by_id) or '')
  if secret ~= by_digest or tonumber(ends) <= now then
    return { 'NO_LINK' }
  end
  token, shown = of, shown_for
end

local known, token_ends = token_record.open(redis.call('HGET', keys.tokens, token) or '')
token_ends = tonumber(token_ends)
if not known or (token_ends > 0 and token_ends <= now) then
  return { 'NO_TOKEN' }
end
local sessions, gone, own = redis.call('HGETALL', keys.sessions), {}, {}
for i = 1, #sessions, 2 do
  local name = sessions[i]
  local secret
  local ends, made, of = session_record.open(sessions[i + 1])
  if not ends then
    secret, ends, made, of = session_record.open_link(sessions[i + 1])
  end
  if name == id then
    return { 'TAKEN' }
  elseif not ends or tonumber(ends) <= now or name == given.link then
    gone[#gone + 1] = name
  elseif of == token and (secret ~= nil) == (given.once == '1') then
    own[#own + 1] = { name = name, made = tonumber(made) }
  end
end
table.sort(own, function(left, right)
  return left.made > right.made or (left.made == right.made and left.name > right.name)
end)
for i = given.once == '1' and LINKS_MAX or OF_TOKEN_MAX, #own do
  gone[#gone + 1] = own[i].name
end
if #sessions / 2 - #gone >= SESSIONS_MAX then
  return { 'SESSIONS_FULL' }
end
if #gone > 0 then
  redis.call('HDEL', keys.sessions, unpack(gone))
end
local ends = now + valid
if token_ends > 0 then
  ends = math.min(ends, token_ends)
end
local text = given.once == '1' and session_record.link or session_record.text
redis.call('HSET', keys.sessions, id, text(digest, ends, now, token, shown))
return { 'OPENED', now, ends }
