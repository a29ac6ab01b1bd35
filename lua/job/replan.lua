#!lua flags=allow-oom
--[[
Script   job/replan
Purpose  Lay due times in the place of all planned ones of an active cron job: they were made with an older table of time zones.

KEYS     1 wheel    zset  score = ms; the job's entry is `@<job>`   {tw:p}:wheel
           computed: {tw:p}:zones {tw:p}:job:<job> :ledger: :active: :queue: and the channel {tw:p}:wake
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           job        full name, 1..128 bytes
           revision   the caller planned for, integer
           next?      the next due time the caller saw
           planned?   the last planned due time the caller saw (next when nothing is planned behind it)
           dues       the edition of the time zone table, and ascending due times in ms, separated by spaces; at most 1000
           plan_end   1: nothing follows the dues, else 0
         then ledger records of missed due times, at most 1000

Reply    { 'PLANNED', next_ms | '' }
         { 'STALE' }   the job is gone, not active, no cron job, has another revision, was planned by another tracker, or its plan is
                       from this edition or a newer one; nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(dues + log(wheel + queue)); at most 40 commands
Holds    W3 W4 W9 W10
Repeat   The second call is STALE.
]]
-- @use args
-- @use jobs/arming
-- @use keys
-- @use jobs/planning
-- @use record
-- @use jobs/zones
-- @use records/job_record
local int = record.int
local READ = { 'revision', 'state', 'kind', 'period', 'next', 'plan', 'last', 'end_at', 'max_runs', 'fired', 'jitter', 'ledger_limit',
  'zones' }

local given, first = args.named('now_ms job revision next planned dues plan_end')
local now = args.now_of(given)
local job = args.text_of(given, 'job', 128)
local revision = args.int_of(given, 'revision', 1, 9007199254740991)
local dues, edition = planning.read_dues(given)
if edition == '' then
  args.bad('dues', 'must begin with an edition', given.dues)
end
local plan_end = args.int_of(given, 'plan_end', 0, 1)
local missed, newest = planning.read_records(first)

local target, fields = keys.job(job), {}
for i, value in ipairs(redis.call('HMGET', target, unpack(READ))) do
  fields[READ[i]] = value or ''
end
if tonumber(fields.revision) ~= revision or fields.state ~= 'active' or fields.kind ~= 'cron' or fields.zones >= edition then
  return { 'STALE' }
end
if fields.next ~= (given.next or '') or (job_record.last_due(fields.plan) or fields.next) ~= (given.planned or '') then
  return { 'STALE' }
end
if newest and newest > (tonumber(fields.last) or -1) then
  fields.last = int(newest)
end
fields.plan_end = int(plan_end)
planning.lay(job, fields, dues)

planning.add_records(job, fields.ledger_limit, missed)
redis.call('HSET', target, 'next', fields.next, 'plan', fields.plan, 'plan_end', fields.plan_end, 'last', fields.last,
  'state', fields.state, 'zones', zones.mark(fields.kind, edition))
arming.arm(job, fields, now)
return { 'PLANNED', fields.next }
