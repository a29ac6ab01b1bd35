#!lua flags=allow-oom
--[[
Script   access/revoke
Purpose  Forget a token: nobody may do anything by it any more. Trackers learn of it within seconds.

KEYS     1 tokens   hash  id -> token    {tw}:tokens
           computed: {tw}:meta {tw}:tokens_used
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 id       of the token

Reply    { 'REVOKED' }
         { 'NO_TOKEN' }   there is none of this id
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(1); at most 6 commands
Holds    W10
Repeat   A second call finds none.
]]
-- @use args
-- @use keys
-- @use tokens
local now = args.now(1)
local id = args.text(2, 'id', 16)
if redis.call('HEXISTS', keys.tokens, id) == 0 then
  return { 'NO_TOKEN' }
end
tokens.count_change(now)
redis.call('HDEL', keys.tokens, id)
-- What is beside it is no reason to keep it.
redis.pcall('HDEL', keys.tokens_used, id)
return { 'REVOKED' }
