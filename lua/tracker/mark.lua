#!lua flags=allow-oom
--[[
Script   tracker/mark
Purpose  A small write behind others: who waits until replicas or the disk have it, knows that they have the others too.

KEYS     1 wheel    zset  not touched, names the partition               {tw:p}:wheel
           computed: {tw:p}:stats
ARGV     none

Reply    { 'MARKED', marks }   as many as there were so far
Raises   nothing

Cost     O(1); 1 command
Holds    W5
Repeat   Counts again.
]]
-- @use counters
return { 'MARKED', counters.add('confirmed', 1) }
