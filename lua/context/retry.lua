#!lua flags=allow-oom
--[[
Script   context/retry
Purpose  Let a context that ended without success run again: from the dead to its ready set, with its attempts counted on and its
         failures forgotten.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:dead :backlog :ready: :wake, and :job: :active: of its job
ARGV     1 id       context
         2 ended_ms when it ended, its score among the dead

Reply    { 'READY' }    it waits for a permit
         { 'BUSY' }     its job has as many active contexts as its overlap policy allows; nothing was written
         { 'NOT_DEAD' } it is not among the dead with this end; nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(log(dead) + log(ready)); at most 30 commands
Holds    W1 W2 W6
Repeat   The second call is NOT_DEAD.
]]
-- @prelude
-- @part ready
local id = arg_text(1, 'id', 300)
local ended = arg_int(2, 'ended_ms', 0, 9007199254740991)
if not due_of(id) then
  bad_arg('id', 'must be a context id', id)
end
local member = find_member(BASE .. 'dead', ended, id .. ' ')
if not member then
  return { 'NOT_DEAD' }
end
local job = job_of(id)
if job then
  local policy = redis.call('HMGET', key('job', job), 'overlap', 'overlap_limit')
  local most = policy[1] == 'parallel' and tonumber(policy[2]) or 1
  if policy[1] and redis.call('HLEN', key('active', job)) >= most then
    return { 'BUSY' }
  end
  redis.call('HSET', key('active', job), id, 'm')
end
redis.call('ZREM', BASE .. 'dead', member)
local _, attempt, _, rest = split_member(member)
-- Whoever asks for it answers for it: workers that it took along do not count any more.
rest = string.gsub(rest, '^(%S+ %S+ %d %S-),o=%d+', '%1', 1)
local batch = {}
add_ready(batch, id, member_of(id, attempt, 0, rest), rest)
if flush_ready(batch) then
  wake(0)
end
return { 'READY' }
