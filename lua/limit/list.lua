#!lua flags=no-writes
--[[
Script   limit/list
Purpose  Read the limits of all groups.

KEYS     1 limits   hash  group -> its limits as JSON; `!`: how often they changed, and when last, ms    {tw}:limits
ARGV     none

Reply    { 'LIMITS', changes, changed_ms, unreadable, { group, limits }... }
           changes  how often limits were given or taken away, and when last
           unreadable  what was passed by because it does not follow its grammar
Raises   nothing

Cost     O(groups with limits); 1 command
Holds    W9
Repeat   Reads only.
]]
-- @use reading
local reply = { 'LIMITS', '0', '0', 0 }
local found = reading.call({}, 'HGETALL', KEYS[1])
for i = 1, #found, 2 do
  if found[i] == '!' then
    local changes, changed = string.match(found[i + 1], '^(%d+) (%d+)$')
    reply[2], reply[3] = changes or '0', changed or '0'
    if not changes then
      reading.skip()
    end
  else
    reply[#reply + 1] = { found[i], found[i + 1] }
  end
end
reply[4] = reading.unreadable
return reply
