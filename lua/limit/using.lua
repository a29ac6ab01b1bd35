#!lua flags=no-writes
--[[
Script   limit/using
Purpose  Read how many contexts of one partition run under limits.

KEYS     1 wheel    zset  only names the partition                  {tw:p}:wheel
           computed: {tw:p}:shares
ARGV     1 limits   their names, 1..1000 of them: `<group>` or `<group> k=<key>`

Reply    { 'USING', running... }   one number for each
Raises   BAD_ARG    there are none, or too many

Cost     O(limits); 1 command
Holds    W9
Repeat   Reads only.
]]
-- @prelude
if not ARGV[1] or #ARGV > ITEMS_MAX then
  bad_arg('limits', 'must be 1 to 1000', #ARGV)
end
local reply = { 'USING' }
for i, share in ipairs(redis.call('HMGET', BASE .. 'shares', unpack(ARGV))) do
  reply[1 + i] = string.match(share or '', '^%d+') or '0'
end
return reply
