#!lua
--[[
Script   limit/define
Purpose  Give a group its limits, or take them away. Trackers learn of it within about a second.

KEYS     1 limits   hash  group -> its limits as JSON               {tw}:limits
ARGV     1 group    id
         2 limits   JSON, or empty to take them away

Reply    { 'DEFINED' }   the group has these limits now
         { 'LIMITS_FULL' }  as many groups have limits as may
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(1); at most 3 commands
Holds    W9
Repeat   A second call changes nothing.
]]
-- @prelude
local GROUPS_MAX = 1000
local LIMITS_BYTES = 65536
local group = arg_text(1, 'group', 128)
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], group)
  return { 'DEFINED' }
end
local limits = arg_text(2, 'limits', LIMITS_BYTES)
if redis.call('HEXISTS', KEYS[1], group) == 0 and redis.call('HLEN', KEYS[1]) >= GROUPS_MAX then
  return { 'LIMITS_FULL' }
end
redis.call('HSET', KEYS[1], group, limits)
return { 'DEFINED' }
