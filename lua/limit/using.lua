#!lua flags=no-writes
--[[
Script   limit/using
Purpose  Read how many contexts of one partition run under limits.

KEYS     1 wheel    zset  only names the partition                  {tw:p}:wheel
           computed: {tw:p}:limit_shares :limit_released
ARGV     1 limits   their names, 1..1000 of them: `<group>` or `<group> k=<key>`

Reply    { 'USING', running... }   one number for each
Raises   BAD_ARG    there are none, or too many

Cost     O(limits + contexts that ended since the last turn); 2 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use bounds
-- @use limits/counting
-- @use keys
-- @use record
-- @use records/limit_share
local int = record.int
if not ARGV[1] or #ARGV > bounds.ITEMS_MAX then
  args.bad('limits', 'must be 1 to 1000', #ARGV)
end
local left = counting.left()
local reply = { 'USING' }
for i, share in ipairs(redis.call('HMGET', keys.limit_shares, unpack(ARGV))) do
  reply[1 + i] = int(math.max((limit_share.using_of(share or '') or 0) - (left[ARGV[i]] or 0), 0))
end
return reply
