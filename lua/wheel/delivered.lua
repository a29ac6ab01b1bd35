#!lua flags=allow-oom
--[[
Script   wheel/delivered
Purpose  Take entries out of a partition's outbox whose followers were told.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
ARGV     1 count    integer, 1..1000; then the entries as wheel/turn gave them

Reply    { 'DELIVERED', removed }
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(count * log(wheel)); 1 command
Holds    W3 W9
Repeat   Idempotent: what is gone stays gone.
]]
-- @use args
-- @use bounds
local count = args.int(1, 'count', 1, bounds.ITEMS_MAX)
if #ARGV ~= 1 + count then
  args.bad('entries', 'must be as many as count', #ARGV - 1)
end
local entries = {}
for i = 1, count do
  entries[i] = '&' .. ARGV[1 + i]
end
return { 'DELIVERED', redis.call('ZREM', KEYS[1], unpack(entries)) }
