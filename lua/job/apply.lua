#!lua
--[[
Script   job/apply
Purpose  Register a job, or give it a new revision when its definition changed. What it fired so far stays, a paused job stays
         paused, and a finished one becomes active again when the new definition has due times. What runs and waits keeps what it was
         created with; what waits is let in before anything new, as many as the new overlap policy allows. One that is registered anew tells
         the jobs that wait for one of its name.

KEYS     1 wheel    zset  score = ms; the job's entry is `@<job>`   {tw:p}:wheel
           computed: {tw:p}:jobs {tw:p}:zones {tw:p}:job:<job> :awaited: :placements :ledger: :active: :queue: :ready: :fair :tags:
             :backlog :quarantine :stats and the channel {tw:p}:wake
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           job        full name, 1..128 bytes
           digest     of the definition, 1..64 bytes
           spec       the definition in msgpack, without its body, 1..1048576 bytes
           dues?      ascending due times in ms separated by spaces, at most 1000; the first is the next. Before them may stand the
                      edition of the time zone table they are from, like 2026f
           plan_end   1: nothing follows the dues, else 0
           jobs_most? integer, 0..2000000000: a new job is kept where fewer of its namespace lie in this partition; absent: always
           if_revision? integer: only a job that has this revision; 0: only one that is not there; absent: any
         then name and value of each of: kind period anchor start_at end_at max_runs jitter misfire misfire_limit tolerance catch_up overlap
         overlap_limit tmpl ledger_limit runs_limit after followed_by
         and behind them, when the template names a placement, the word `placements`, its name, 10 hexadecimal digits, and its content in
         msgpack, 1..65536 bytes

Reply    { 'CREATED', 1, next_ms | '', followers }   as in the field `followers`
         { 'UPDATED', revision, next_ms | '', followers }
         { 'UNCHANGED', revision, next_ms | '', followers }   the digest is the present one; nothing was written
         { 'CHANGED', revision }                   it has another one than was asked for, 0: it is not there; nothing was written
         { 'DELETING' }                            its deletion is not complete; nothing was written
         { 'JOBS_FULL' }                           it is new, and its namespace has as many here as it may; nothing was written
         { 'PLACEMENTS_FULL' }                          the partition keeps as many placements as it may; nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(log(wheel + queue)); at most 48 commands, 8 more for each queued context that a new overlap policy lets in
Holds    W3 W4 W6 W9 W10
Repeat   Idempotent: the second call is UNCHANGED.
]]
-- @use args
-- @use jobs/arming
-- @use contexts/ending
-- @use keys
-- @use claims/placements
-- @use jobs/planning
-- @use record
-- @use records/job_record
-- @use jobs/zones
-- @use jobs/overlap_queue
-- @use records/ledger_record
local int = record.int
local DEFINITION = { 'kind', 'period', 'anchor', 'start_at', 'end_at', 'max_runs', 'jitter', 'misfire', 'misfire_limit', 'tolerance',
  'catch_up', 'overlap', 'overlap_limit', 'tmpl', 'ledger_limit', 'runs_limit', 'after', 'followed_by' }
local SPEC_BYTES = 1048576

local given, first = args.named('now_ms job digest spec dues plan_end jobs_most if_revision')
local now = args.now_of(given)
local job = args.text_of(given, 'job', 128)
local digest = args.text_of(given, 'digest', 64)
local spec = args.text_of(given, 'spec', SPEC_BYTES)
local dues, edition = planning.read_dues(given)
local plan_end = args.int_of(given, 'plan_end', 0, 1)
local most = args.int_or_nil(given, 'jobs_most', 0, 2000000000)
local if_revision = args.int_or_nil(given, 'if_revision', 0, 9007199254740991)
local fields, written = {}, {}
for i = first, math.min(#ARGV - 1, first + 2 * #DEFINITION - 2), 2 do
  fields[ARGV[i]] = ARGV[i + 1]
end
for _, name in ipairs(DEFINITION) do
  if not fields[name] then
    args.bad('fields', 'must have ' .. name, #ARGV)
  end
  written[#written + 1] = name
  written[#written + 1] = fields[name]
end
if #ARGV ~= first + #written - 1 and ARGV[first + #written] ~= 'placements' then
  args.bad('fields', 'must be ' .. int(#written) .. ' values', #ARGV - first + 1)
end
local named = placements.read(first + #written + 1)

local target = keys.job(job)
local old = redis.call('HMGET', target, 'revision', 'digest', 'state', 'next', 'last', 'fired', 'surplus', 'followers')
if old[3] == 'deleting' then
  return { 'DELETING' }
end
if old[2] == digest then
  return { 'UNCHANGED', tonumber(old[1]), old[4] or '', old[8] or '' }
end
local before = tonumber(old[1]) or 0
if if_revision and if_revision ~= before then
  return { 'CHANGED', before }
end
if most and not old[1] then
  -- `0` is the byte behind the slash.
  local namespace = job_record.namespace_of(job)
  if redis.call('ZLEXCOUNT', keys.jobs, '[' .. namespace .. '/', '(' .. namespace .. '0') >= most then
    return { 'JOBS_FULL' }
  end
end
if not placements.has_room_for(named) then
  return { 'PLACEMENTS_FULL' }
end
placements.keep(named)
local revision = before + 1
fields.state = old[3] == 'paused' and 'paused' or 'active'
fields.last = old[5] or ''
fields.fired = old[6] or '0'
fields.plan_end = int(plan_end)
planning.lay(job, fields, dues)

local followers = old[8] or ''
if not old[1] then
  followers = redis.call('GET', keys.awaited(job)) or ''
  redis.call('DEL', keys.awaited(job))
  redis.call('HSET', target, 'created_ms', int(now), 'last', '', 'fired', '0', 'manual', '0', 'note', '', 'followers', followers)
  redis.call('ZADD', keys.jobs, 0, job)
else
  planning.add_records(job, fields.ledger_limit, { ledger_record.revised(now, int(revision)) })
end
redis.call('HSET', target, 'spec', spec, 'digest', digest, 'revision', int(revision), 'updated_ms', int(now), 'state', fields.state,
  'next', fields.next, 'plan', fields.plan, 'plan_end', fields.plan_end, 'zones', zones.mark(fields.kind, edition),
  unpack(written))
arming.arm(job, fields, now)
local endings = ending.new()
if old[1] then
  overlap_queue.start(endings.ready, now, job, fields.overlap, fields.overlap_limit)
end
overlap_queue.note_surplus(job, fields.overlap, fields.overlap_limit, old[7]) -- one that was deleted may have contexts that run
ending.flush(endings, now)
return { old[1] and 'UPDATED' or 'CREATED', revision, fields.next, followers }
