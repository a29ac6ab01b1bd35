#!lua flags=allow-oom
--[[
Script   access/close_session
Purpose  End the session of a browser: what it shows is good no more. Trackers learn of it within seconds.

KEYS     1 tokens   hash  id -> token    {tw}:tokens
           computed: {tw}:meta {tw}:sessions
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 id       of the session

Reply    { 'CLOSED' }
         { 'NO_SESSION' }   there is none of this id
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(1); at most 5 commands
Holds    W10
Repeat   A second call finds none.
]]
-- @use args
-- @use keys
-- @use tokens
local now = args.now(1)
local id = args.text(2, 'id', 16)
if redis.call('HEXISTS', keys.sessions, id) == 0 then
  return { 'NO_SESSION' }
end
tokens.count_change(now)
redis.call('HDEL', keys.sessions, id)
return { 'CLOSED' }
