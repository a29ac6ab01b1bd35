#!lua flags=no-writes
--[[
Script   access/get_session
Purpose  Read the session of a browser and the token that it stands for, to know whether what the browser shows is good.

KEYS     1 tokens   hash  id -> token    {tw}:tokens
           computed: {tw}:sessions
ARGV     1 id       of the session

Reply    { 'SESSION', now_ms, session, record }   the records of both
         { 'NO_SESSION' }   there is none of this id, or its token is gone
Raises   BAD_ARG    an argument is out of range

Cost     O(1); 3 commands
Holds    W9 W10
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use records/session_record
local text = redis.call('HGET', keys.sessions, args.text(1, 'id', 16))
local ends, _, token = session_record.open(text or '')
local record = ends and redis.call('HGET', keys.tokens, token)
if not record then
  return { 'NO_SESSION' }
end
return { 'SESSION', args.now(), text, record }
