#!lua flags=no-writes
--[[
Script   placement/get
Purpose  Read the content of placements. A placement never changes, so whoever has read one need not read it again.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:placements
ARGV     1 placements    their names, 1..256 of them

Reply    { 'PLACEMENTS', content... }   in msgpack, in the order of the names; empty for one that is not there
Raises   BAD_ARG    an argument is out of range

Cost     O(placements); one command
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use record
local int = record.int
local PLACEMENTS_MAX = 256
if #ARGV < 1 or #ARGV > PLACEMENTS_MAX then
  args.bad('placements', 'must be 1 to ' .. int(PLACEMENTS_MAX), #ARGV)
end
local contents = redis.call('HMGET', keys.placements, unpack(ARGV))
for i = 1, #ARGV do
  contents[i] = contents[i] or ''
end
return { 'PLACEMENTS', unpack(contents) }
