#!lua flags=no-writes
--[[
Script   lane/get
Purpose  Read the content of lanes. A lane never changes, so whoever has read one need not read it again.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:lanes
ARGV     1 lanes    their names, 1..256 of them

Reply    { 'LANES', content... }   in msgpack, in the order of the names; empty for one that is not there
Raises   BAD_ARG    an argument is out of range

Cost     O(lanes); one command
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use record
local int = record.int
local LANES_MAX = 256
if #ARGV < 1 or #ARGV > LANES_MAX then
  args.bad('lanes', 'must be 1 to ' .. int(LANES_MAX), #ARGV)
end
local contents = redis.call('HMGET', keys.lanes, unpack(ARGV))
for i = 1, #ARGV do
  contents[i] = contents[i] or ''
end
return { 'LANES', unpack(contents) }
