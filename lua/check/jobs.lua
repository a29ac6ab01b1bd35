#!lua flags=no-writes
--[[
Script   check/jobs
Purpose  Everything that a check needs of some jobs at one instant, whether they exist or only something of them is left.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:jobs, and :job: :awaited: :active: :queue: :ledger: :runs: of the jobs
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 records  newest ledger records to read of each, integer, 0..1000
         3 jobs     full names, 1..20 of them

Reply    { 'JOBS', now_ms, { fields... }... } of each job:
           name
           hash      { field, value... } without spec and body; none when there is no such job
           listed    1 when it is in the list of jobs
           entry?    its score in the wheel
           active    how many contexts of it run or are to run,
           queued    wait for their turn,
           ledger    records there are,
           runs      and runs that are kept
           under_way 1 when a scheduled firing of it is active or queued
           records   { record... } the newest of its ledger
           awaited?  followers that wait for a job of this name to be registered, as in the field `followers`
Raises   BAD_ARG    an argument is out of range

Cost     O(jobs * (active + records)); at most 1 + 37 * jobs commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use partition
-- @use record
-- @use zsets
-- @use records/context_id
-- @use replies
-- @use records/active_mark
local int = record.int
local JOBS_MAX = 20
local FIELDS = { 'state', 'kind', 'period', 'anchor', 'next', 'plan', 'plan_end', 'last', 'fired', 'manual', 'end_at', 'max_runs', 'jitter',
  'misfire', 'overlap', 'overlap_limit', 'ledger_limit', 'runs_limit', 'followers', 'revision', 'digest',
  'updated_ms', 'after', 'surplus' }
local now = args.now(1)
local records = args.int(2, 'records', 0, 1000)
if #ARGV < 3 or #ARGV > 2 + JOBS_MAX then
  args.bad('jobs', 'must be 1 to ' .. int(JOBS_MAX), #ARGV - 2)
end

-- A firing of the trigger that has not ended: a delay counts from its end.
local function is_under_way(job, last)
  for _, mark in ipairs(redis.call('HVALS', keys.active(job))) do
    if mark == active_mark.SCHEDULED then
      return true
    end
  end
  local due = tonumber(last)
  return due and zsets.find(keys.queue(job), due, context_id.of_firing(partition.number(), int(due), job) .. ' ') ~= nil
end

local reply = { 'JOBS', now }
for i = 3, #ARGV do
  local job = args.text(i, 'job', 128)
  local fields, last = {}, nil
  for at, value in ipairs(redis.call('HMGET', keys.job(job), unpack(FIELDS))) do
    if value then
      fields[#fields + 1] = FIELDS[at]
      fields[#fields + 1] = value
    end
    if FIELDS[at] == 'last' then
      last = value
    end
  end
  local one = {
    'name', job, 'hash', fields,
    'listed', redis.call('ZSCORE', keys.jobs, job) and 1 or 0,
    'active', redis.call('HLEN', keys.active(job)),
    'queued', redis.call('ZCARD', keys.queue(job)),
    'under_way', is_under_way(job, last) and 1 or 0,
    'ledger', redis.call('LLEN', keys.ledger(job)),
    'runs', redis.call('LLEN', keys.runs(job)),
    'records', records > 0 and redis.call('LRANGE', keys.ledger(job), -records, -1) or {},
  }
  replies.tell(one, 'entry', redis.call('ZSCORE', KEYS[1], '@' .. job))
  replies.tell(one, 'awaited', redis.call('GET', keys.awaited(job)))
  reply[#reply + 1] = one
end
return reply
