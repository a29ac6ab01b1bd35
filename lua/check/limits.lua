#!lua flags=no-writes
--[[
Script   check/limits
Purpose  What is counted under the limits of a partition, and what runs under them, at one instant: those of which the two disagree.

KEYS     1 wheel    zset  only names the partition                  {tw:p}:wheel
           computed: {tw:p}:limit_shares :limit_released :held
ARGV     none

Reply    { 'LIMITS', { limit, using, left, running }... }   at most 100 that do not agree: contexts that `shares` counts, those of them
           that left since the last turn, and those that run
         { 'MANY' }   so much runs here that no one call looks at it
Raises   never

Cost     O(what runs here + limits); at most 4 commands, and one for each of at most 4000 running contexts
Holds    W6 W9
Repeat   Reads only.
]]
-- @use limits/counting
local SHOWN_MAX = 100
local reply = { 'LIMITS' }
local many = counting.each(function(name, using, left, running)
  if using ~= left + running and #reply <= SHOWN_MAX then
    reply[#reply + 1] = { name, using, left, running }
  end
end)
return many and { 'MANY' } or reply
