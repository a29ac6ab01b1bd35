#!lua flags=no-writes
--[[
Script   limit/list
Purpose  Read the limits of all groups.

KEYS     1 limits   hash  group -> its limits as JSON; `!`: how often they changed, and when last, ms    {tw}:limits
ARGV     none

Reply    { 'LIMITS', changes, changed_ms, { group, limits }... }   changes: how often limits were given or taken away, and when last
Raises   nothing

Cost     O(groups with limits); 1 command
Holds    W9
Repeat   Reads only.
]]
-- @prelude
local reply = { 'LIMITS', '0', '0' }
local found = redis.call('HGETALL', KEYS[1])
for i = 1, #found, 2 do
  if found[i] == '!' then
    reply[2], reply[3] = string.match(found[i + 1], '^(%d+) (%d+)$')
  else
    reply[#reply + 1] = { found[i], found[i + 1] }
  end
end
return reply
