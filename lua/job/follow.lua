#!lua
--[[
Script   job/follow
Purpose  Have a job told of another job's ends, or no longer. The follower lives in a partition of its own.

KEYS     1 wheel    zset  names the partition of the upstream job   {tw:p}:wheel
           computed: {tw:p}:job:<job>
ARGV     1 job      the upstream's full name, 1..128 bytes
         2 follower full name, 1..128 bytes
         3 on       succeeded, failed or ended; empty: no longer

Reply    { 'FOLLOWED' }   it is told, or no longer told
         { 'FULL' }       the upstream has 100 followers; nothing was written
         { 'NO_JOB' }     there is no such upstream job
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(followers); at most 2 commands
Holds    W9
Repeat   Idempotent.
]]
-- @prelude
local FOLLOWERS_MAX = 100
local ONS = { [''] = true, succeeded = true, failed = true, ended = true }

local job = arg_text(1, 'job', 128)
local follower = arg_text(2, 'follower', 128)
local on = ARGV[3]
if not ONS[on] then
  bad_arg('on', 'must be succeeded, failed, ended or empty', on)
end
local target = key('job', job)
local followers = redis.call('HGET', target, 'followers')
if not followers then
  return { 'NO_JOB' }
end
local kept = {}
for name, word in string.gmatch(followers, '(%S+):(%a+)') do
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
redis.call('HSET', target, 'followers', table.concat(kept, ' '))
return { 'FOLLOWED' }
