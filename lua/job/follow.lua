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
         { 'FULL' }       the upstream has 100 followers that its ends start, or 200 in all; nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(followers); at most 3 commands
Holds    W9
Repeat   Idempotent.
]]
-- @use args
-- @use keys
-- @use records/job_record
local FOLLOWERS_MAX = 100
local EDGES_MAX = 200 -- with those that its ends do not start any more
local ONS = { [''] = true, succeeded = true, failed = true, ended = true }

local job = args.text(1, 'job', 128)
local follower = args.text(2, 'follower', 128)
local on = ARGV[3]
if not ONS[on] then
  args.bad('on', 'must be succeeded, failed, ended or empty', on)
end
local target, awaited = keys.job(job), keys.awaited(job)
local followers, followed_by = unpack(redis.call('HMGET', target, 'followers', 'followed_by'))
local kept, told = {}, 0
for name, word in job_record.each_follower(followers or redis.call('GET', awaited) or '') do
  if name ~= follower then
    kept[#kept + 1] = job_record.follower(name, word)
    if not followers or job_record.lets_follow(job, followed_by or '', name) then
      told = told + 1
    end
  end
end
if on ~= '' then
  if told >= FOLLOWERS_MAX or #kept >= EDGES_MAX then
    return { 'FULL' }
  end
  kept[#kept + 1] = job_record.follower(follower, on)
end
if followers then
  redis.call('HSET', target, 'followers', table.concat(kept, ' '))
elseif #kept > 0 then
  redis.call('SET', awaited, table.concat(kept, ' '))
else
  redis.call('DEL', awaited)
end
return { 'FOLLOWED' }
