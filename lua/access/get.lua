#!lua flags=no-writes
--[[
Script   access/get
Purpose  Read one token, to know whether what somebody shows is good.

KEYS     1 tokens   hash  id -> token    {tw}:tokens
ARGV     1 id       of the token

Reply    { 'TOKEN', now_ms, record }
         { 'NO_TOKEN' }   there is none of this id
Raises   BAD_ARG    an argument is out of range

Cost     O(1); 2 commands
Holds    W9 W10
Repeat   Reads only.
]]
-- @use args
-- @use keys
local id = args.text(1, 'id', 16)
local text = redis.call('HGET', keys.tokens, id)
if not text then
  return { 'NO_TOKEN' }
end
return { 'TOKEN', args.now(), text }
