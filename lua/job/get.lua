#!lua flags=no-writes
--[[
Script   job/get
Purpose  Read jobs of one partition with what they have under way, at one instant.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:job:<job> :active: :queue:
ARGV     1 jobs     full names, 1..100 of them

Reply    { 'JOBS', fields... }
           unreadable  keys of a wrong type, passed by
           jobs        { field, value, ... }, { active context id... }, queued ...  three elements for each name in the order given; the
                       first is empty when there is no such job; at most 1000 active ids
Raises   BAD_ARG    an argument is out of range

Cost     O(fields + active); at most 4 commands for each name
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use reading
-- @use record
local int = record.int
local JOBS_MAX = 100
local ACTIVE_MAX = 1000

if #ARGV > JOBS_MAX then
  args.bad('jobs', 'must be at most ' .. int(JOBS_MAX), #ARGV)
end
local jobs = {}
for i = 1, math.max(#ARGV, 1) do
  local job = args.text(i, 'job', 128)
  local active
  if reading.call(0, 'HLEN', keys.active(job)) <= ACTIVE_MAX then
    active = reading.call({}, 'HKEYS', keys.active(job))
  else
    active = redis.call('HRANDFIELD', keys.active(job), ACTIVE_MAX)
  end
  jobs[#jobs + 1] = reading.call({}, 'HGETALL', keys.job(job))
  jobs[#jobs + 1] = active
  jobs[#jobs + 1] = reading.call(0, 'ZCARD', keys.queue(job))
end
return { 'JOBS', 'unreadable', reading.unreadable, 'jobs', jobs }
