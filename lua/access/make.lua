#!lua
--[[
Script   access/make
Purpose  Keep a new token: whoever shows its secret may do what it says. Or keep the first token of an admin, where there is none.

KEYS     1 tokens   hash  id -> token    {tw}:tokens
           computed: {tw}:meta
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           id         of the token, 8 to 16 letters and digits
           digest     SHA-256 of its secret, 64 hexadecimal digits
           about      its role, `:`, and who it is for and what it may, as JSON
           valid_ms?  how long it is good, integer, 1000..315360000000; absent: until it is revoked
           first?     1: only where no token of an admin is good

Reply    { 'MADE', now_ms }
         { 'TAKEN' }        another token is called so
         { 'TOKENS_FULL' }  there are as many tokens as may be
         { 'HAS_ADMIN' }    there is a token of an admin that is good
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(1), of the first one O(tokens); at most 7 commands
Holds    W9 W10
Repeat   A second call finds the id taken; that of the first one finds it, and changes nothing.
]]
-- @use args
-- @use keys
-- @use tokens
-- @use records/token_record
local TOKENS_MAX = 10000
local ABOUT_BYTES = 65536
local given = args.only_named('now_ms id digest about valid_ms first')
local now = args.now_of(given)
local id, digest = args.text_of(given, 'id', 16), args.text_of(given, 'digest', 64)
local about = args.text_of(given, 'about', ABOUT_BYTES)
local valid = args.int_or_nil(given, 'valid_ms', 1000, 315360000000)
if not token_record.is_id(id) then
  args.bad('id', 'must be small letters and digits', '')
elseif not token_record.is_digest(digest) then
  args.bad('digest', 'must be 64 hexadecimal digits', '')
elseif not token_record.is_about(about) then
  args.bad('about', 'must be a role and JSON', '')
end

local function has_admin()
  for _, text in ipairs(redis.call('HVALS', keys.tokens)) do
    local ends, role = token_record.role_of(text)
    if role == 'admin' and (ends == '0' or tonumber(ends) > now) then
      return true
    end
  end
  return false
end

if given.first and has_admin() then
  return { 'HAS_ADMIN' }
end
if redis.call('HEXISTS', keys.tokens, id) == 1 then
  return { 'TAKEN' }
end
if redis.call('HLEN', keys.tokens) >= TOKENS_MAX then
  return { 'TOKENS_FULL' }
end
local rest = token_record.rest(valid and now + valid or 0, now, 0, about)
tokens.count_change(now)
redis.call('HSET', keys.tokens, id, token_record.text(digest, '-', 0, rest))
return { 'MADE', now }
