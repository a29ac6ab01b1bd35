#!lua flags=allow-oom
--[[
Script   access/note_used
Purpose  Note when tokens were used: now. Trackers say so every few minutes.

KEYS     1 tokens   hash  id -> token    {tw}:tokens
           computed: {tw}:tokens_used
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 count    how many follow, integer, 1..1000
           id       of a token

Reply    { 'NOTED', count }   those that there are
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(count); at most 1 + 2 * count commands
Holds    W9 W10
Repeat   Idempotent but for the time.
]]
-- @use args
-- @use bounds
-- @use keys
-- @use record
local now = args.now(1)
local count = args.int(2, 'count', 1, bounds.ITEMS_MAX)
if #ARGV ~= 2 + count then
  args.bad('tokens', 'must be one value each', #ARGV - 2)
end
local noted = 0
for i = 1, count do
  local id = ARGV[2 + i]
  -- One that was revoked meanwhile leaves nothing.
  if redis.call('HEXISTS', keys.tokens, id) == 1 then
    redis.call('HSET', keys.tokens_used, id, record.int(now))
    noted = noted + 1
  end
end
return { 'NOTED', noted }
