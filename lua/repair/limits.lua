#!lua flags=allow-oom
--[[
Script   repair/limits
Purpose  Count anew what runs under the limits of a partition. What is granted stays as it is: the next turn reports it.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:limit_shares :limit_released :held :limit_contended :wake
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)

Reply    { 'REPAIRED', what was done... }
         { 'CLEAN' }   there was nothing to do, or so much runs that no one call looks at it
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(what runs here + limits); at most 9 commands, and one for each of at most 4000 running contexts and each 1000 limits
Holds    W6 W9
Repeat   Idempotent: the second call is CLEAN.
]]
-- @use args
-- @use limits/counting
-- @use keys
-- @use contexts/ready
-- @use record
-- @use records/wheel_entry
local int = record.int
local now = args.now(1)
local done, written, alone, gone = {}, {}, {}, {}
counting.each(function(name, using, left, running, rest)
  if using ~= left + running then
    done[#done + 1] = int(running) .. ' run under ' .. name .. ', ' .. int(math.max(using - left, 0)) .. ' were counted'
  end
  if running == 0 and left == 0 and not rest then
    gone[#gone + 1] = name
    return
  end
  -- Without a report the number of the next one is that of the clock.
  written[#written + 1], written[#written + 2] = name, int(running) .. ' ' .. (rest or int(running) .. ' 0 0 k')
  if not rest then
    alone[#alone + 1] = name
  end
end)
if #done == 0 then
  return { 'CLEAN' }
end
redis.call('DEL', keys.limit_released)
for first = 1, #written, 2000 do
  redis.call('HSET', keys.limit_shares, unpack(written, first, math.min(first + 1999, #written)))
end
for first = 1, #gone, 2000 do
  redis.call('HDEL', keys.limit_shares, unpack(gone, first, math.min(first + 1999, #gone)))
end
for first = 1, #alone, 2000 do
  redis.call('HDEL', keys.limit_contended, unpack(alone, first, math.min(first + 1999, #alone)))
end
redis.call('ZADD', KEYS[1], 'LT', now, wheel_entry.limits('0'))
ready.wake(now)
return { 'REPAIRED', unpack(done, 1, 100) }
