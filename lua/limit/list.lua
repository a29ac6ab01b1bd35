#!lua flags=no-writes
--[[
Script   limit/list
Purpose  Read the limits of all groups.

KEYS     1 limits   hash  group -> its limits as JSON               {tw}:limits
ARGV     none

Reply    { 'LIMITS', { group, limits }... }
Raises   nothing

Cost     O(groups with limits); 1 command
Holds    W9
Repeat   Reads only.
]]
-- @prelude
local reply = { 'LIMITS' }
local found = redis.call('HGETALL', KEYS[1])
for i = 1, #found, 2 do
  reply[#reply + 1] = { found[i], found[i + 1] }
end
return reply
