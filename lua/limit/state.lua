#!lua flags=no-writes
--[[
Script   limit/state
Purpose  Read how much of a limit is used and waited for, where the limit lies.

KEYS     1 wheel    zset  only names the partition                  {tw:p}:wheel
           computed: {tw:p}:limit:
ARGV     1 limit    its name, with `:` in place of the space

Reply    { 'STATE', granted, waiting, partitions }
           granted  contexts that partitions were granted; waiting: that wait; partitions: that take part
Raises   BAD_ARG    an argument is out of range

Cost     O(partitions); 1 command
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use reading
-- @use record
-- @use records/limit_share
local int = record.int
local granted, waiting, partitions = 0, 0, 0
local fields = reading.call({}, 'HGETALL', keys.limit(args.text(1, 'limit', 256)))
for i = 2, #fields, 2 do
  local runs, waits = limit_share.granted_and_waiting(fields[i])
  if runs then
    granted, waiting, partitions = granted + runs, waiting + waits, partitions + 1
  end
end
return { 'STATE', int(granted), int(waiting), int(partitions) }
