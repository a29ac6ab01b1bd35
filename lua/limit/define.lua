#!lua
--[[
Script   limit/define
Purpose  Give a group its limits, or take them away. Trackers learn of it within about a second.

KEYS     1 limits   hash  group -> its limits as JSON; `!`: how often they changed, and when last, ms    {tw}:limits
ARGV     1 group    id
         2 limits   JSON, or empty to take them away
         3 now_ms   integer, or empty for the server clock (only tests pass it)

Reply    { 'DEFINED' }   the group has these limits now
         { 'LIMITS_FULL' }  as many groups have limits as may
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(1); at most 6 commands
Holds    W9
Repeat   A second call changes nothing but the count of changes.
]]
-- @use args
-- @use records/limit_share
local GROUPS_MAX = 1000
local LIMITS_BYTES = 65536
local group = args.text(1, 'group', 128)

local function count_change()
  local changes = limit_share.count_changes(redis.call('HGET', KEYS[1], '!') or '')
  redis.call('HSET', KEYS[1], '!', limit_share.changes_text(changes + 1, args.now(3)))
end

if ARGV[2] == '' then
  if redis.call('HDEL', KEYS[1], group) == 1 then
    count_change()
  end
  return { 'DEFINED' }
end
local limits = args.text(2, 'limits', LIMITS_BYTES)
if redis.call('HEXISTS', KEYS[1], group) == 0 and redis.call('HLEN', KEYS[1]) > GROUPS_MAX then
  return { 'LIMITS_FULL' }
end
redis.call('HSET', KEYS[1], group, limits)
count_change()
return { 'DEFINED' }
