#!lua flags=allow-oom
--[[
Script   job/set_state
Purpose  Pause a job, so that nothing of it fires by its trigger, or resume it with the due times that follow now. What runs or
         waits already goes on.

KEYS     1 wheel    zset  score = ms; the job's entry is `@<job>`   {tw:p}:wheel
           computed: {tw:p}:zones {tw:p}:job:<job> :ledger: :active: :queue: and the channel {tw:p}:wake
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           job        full name, 1..128 bytes
           state      paused, or active
           note?      of a pause, at most 4096 bytes
           dues?      of a resume: ascending due times in ms separated by spaces, the first is the next. Before them may stand the
                      edition of the time zone table they are from, like 2026f
           plan_end   of a resume, 1: nothing follows the dues, else 0
         then, of a resume, ledger records of the due times in the pause, at most 1000

Reply    { 'PAUSED' }     it is paused; the due times it had stay in its record
         { 'RESUMED' }    it is active, or finished when no due time is left
         { 'UNCHANGED' }  asked to resume a job that is not paused; nothing was written
         { 'FINISHED' }   asked to pause a job that has nothing left to fire; nothing was written
         { 'NO_JOB' }     there is none of this name, or it is being deleted
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(dues + log(wheel + queue)); at most 40 commands
Holds    W4 W9 W10
Repeat   Idempotent: a second pause replaces the note, a second resume is UNCHANGED.
]]
-- @use args
-- @use jobs/arming
-- @use keys
-- @use jobs/planning
-- @use record
-- @use jobs/zones
-- @use records/ledger_record
local int = record.int
local READ = { 'revision', 'state', 'kind', 'period', 'last', 'end_at', 'max_runs', 'fired', 'jitter', 'ledger_limit' }
local NOTE_BYTES = 4096

local given, first = args.named('now_ms job state note dues plan_end')
local now = args.now_of(given)
local job = args.text_of(given, 'job', 128)
local state, note = given.state, given.note or ''
if state ~= 'paused' and state ~= 'active' then
  args.bad('state', 'must be paused or active', state)
end
if #note > NOTE_BYTES then
  args.bad('note', 'must have at most ' .. int(NOTE_BYTES) .. ' bytes', note)
end
local dues, edition = planning.read_dues(given)
local plan_end = args.int_of(given, 'plan_end', 0, 1)
local skipped, newest = planning.read_records(first)

local target, fields = keys.job(job), {}
for i, value in ipairs(redis.call('HMGET', target, unpack(READ))) do
  fields[READ[i]] = value or ''
end
if fields.revision == '' or fields.state == 'deleting' then
  return { 'NO_JOB' }
end
if state == 'paused' then
  if fields.state == 'finished' then
    return { 'FINISHED' }
  end
  redis.call('HSET', target, 'state', 'paused', 'note', note, 'updated_ms', int(now))
  redis.call('ZREM', KEYS[1], '@' .. job)
  return { 'PAUSED' }
end
if fields.state ~= 'paused' then
  return { 'UNCHANGED' }
end
if newest and newest > (tonumber(fields.last) or -1) then
  fields.last = int(newest)
end
fields.state = 'active'
fields.plan_end = int(plan_end)
planning.lay(job, fields, dues)
skipped[#skipped + 1] = ledger_record.revised(now, fields.revision)
planning.add_records(job, fields.ledger_limit, skipped)
redis.call('HSET', target, 'state', fields.state, 'note', '', 'updated_ms', int(now), 'next', fields.next, 'plan', fields.plan,
  'plan_end', fields.plan_end, 'last', fields.last, 'zones', zones.mark(fields.kind, edition))
arming.arm(job, fields, now)
return { 'RESUMED' }
