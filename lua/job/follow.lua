#!lua
--[[
Script   job/follow
Purpose  Have a job told of another job's ends, or no longer. The follower lives in a partition of its own. Where there is no such
         upstream, its followers wait for one to be registered.

KEYS     1 wheel    zset  names the partition of the upstream job   {tw:p}:wheel
           computed: {tw:p}:job:<job> :awaited:
ARGV     1 job      the upstream's full name, 1..128 bytes
         2 follower full name, 1..128 bytes
         3 on       succeeded, failed or ended; empty: no longer

Reply    { 'FOLLOWED' }   it is told, or no longer told
         { 'FULL' }       the upstream has 100 followers; nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(followers); at most 3 commands
Holds    W9
Repeat   Idempotent.
]]
-- @use args
-- @use keys
local FOLLOWERS_MAX = 100
local ONS = { [''] = true, succeeded = true, failed = true, ended = true }

local job = args.text(1, 'job', 128)
local follower = args.text(2, 'follower', 128)
local on = ARGV[3]
if not ONS[on] then
  args.bad('on', 'must be succeeded, failed, ended or empty', on)
end
local target, awaited = keys.job(job), keys.awaited(job)
local followers = redis.call('HGET', target, 'followers')
local kept = {}
for name, word in string.gmatch(followers or redis.call('GET', awaited) or '', '(%S+):(%a+)') do
  if name ~= follower then
    kept[#kept + 1] = name .. ':' .. word
  end
end
if on ~= '' then
  if #kept >= FOLLOWERS_MAX then
    return { 'FULL' }
  end
  kept[#kept + 1] = follower .. ':' .. on
end
if followers then
  redis.call('HSET', target, 'followers', table.concat(kept, ' '))
elseif #kept > 0 then
  redis.call('SET', awaited, table.concat(kept, ' '))
else
  redis.call('DEL', awaited)
end
return { 'FOLLOWED' }
