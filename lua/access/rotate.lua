#!lua flags=allow-oom
--[[
Script   access/rotate
Purpose  Give a token another secret. The one before is good for a while, so that those who have it can be told.

KEYS     1 tokens   hash  id -> token    {tw}:tokens
           computed: {tw}:meta
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 id       of the token
         3 digest   SHA-256 of its new secret, 64 hexadecimal digits
         4 grace_ms how long the secret before is good, integer, 0..2592000000

Reply    { 'ROTATED', record }   as it is now
         { 'NO_TOKEN' }          there is none of this id, or it cannot be read, or is over
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(1); at most 5 commands
Holds    W10
Repeat   A second call with the same digest changes nothing.
]]
-- @use args
-- @use keys
-- @use tokens
-- @use records/token_record
local now = args.now(1)
local id, digest = args.text(2, 'id', 16), args.text(3, 'digest', 64)
local grace = args.int(4, 'grace_ms', 0, 2592000000)
if not token_record.is_digest(digest) then
  args.bad('digest', 'must be 64 hexadecimal digits', '')
end
local text = redis.call('HGET', keys.tokens, id) or ''
local known, ends, made, about = token_record.open(text)
if not known or (ends ~= '0' and tonumber(ends) <= now) then
  return { 'NO_TOKEN' }
end
if known ~= digest then
  local rest = token_record.rest(tonumber(ends), tonumber(made), now, about)
  text = token_record.text(digest, grace > 0 and known or '-', grace > 0 and now + grace or 0, rest)
  tokens.count_change(now)
  redis.call('HSET', keys.tokens, id, text)
end
return { 'ROTATED', text }
