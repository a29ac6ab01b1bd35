#!lua flags=no-writes
--[[
Script   limit/list
Purpose  Read the limits of all groups, and which groups are paused.

KEYS     1 limits   hash  group -> its limits as JSON; `!`: how often they changed, and when last, ms    {tw}:limits
           computed: {tw}:pauses
ARGV     none

Reply    { 'LIMITS', fields... }
           changes     how often limits were given or taken away
           changed_ms  when last
           groups      { group, limits }...
           paused      { group, `<since ms> <by|-> <note>` }...
           unreadable  what was passed by because it does not follow its grammar
Raises   nothing

Cost     O(groups with limits or paused); 2 commands
Holds    W9
Repeat   Reads only.
]]
-- @use keys
-- @use reading
-- @use records/limit_share
local groups, changes, changed = {}, nil, nil
local found = reading.call({}, 'HGETALL', KEYS[1])
for i = 1, #found, 2 do
  if found[i] == '!' then
    changes, changed = limit_share.open_changes(found[i + 1])
    if not changes then
      reading.skip()
    end
  else
    groups[#groups + 1] = { found[i], found[i + 1] }
  end
end
local paused = {}
local pauses = reading.call({}, 'HGETALL', keys.pauses)
for i = 1, #pauses, 2 do
  paused[#paused + 1] = { pauses[i], pauses[i + 1] }
end
return { 'LIMITS', 'changes', changes or '0', 'changed_ms', changed or '0', 'groups', groups, 'paused', paused,
  'unreadable', reading.unreadable }
