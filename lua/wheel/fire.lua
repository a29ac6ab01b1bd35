#!lua
--[[
Script   wheel/fire
Purpose  Make a context of a job now, asked for by a person, a program, or the end of another job; the overlap policy holds.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:job: :active: :queue: :ledger: :ready: :fair :tags: :dedup: :backlog :held :retry :events :dead :wake
             :runs: :quarantine :stats and for split ones that are replaced :fans :fan: :parts: :results: :result:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           job        name
           due_ms?    integer; absent: now
           unique     third part of the context's id
           own_body?  1: `body` replaces the job's body; else 0
           body?      bytes; absent: none
           dedup?     `<keep ms> <name>@<job>`; with ` once` behind it a refusal is kept too, else the key stays free, also when what was
                      fired is cancelled before it starts
           upstream?  the job whose end asks for it
           told?      `<context>:<state>:<error>` of that end, at most 1000 bytes

Reply    { 'STARTED', id }      it is ready
         { 'QUEUED', id }       it waits for an earlier context of the job
         { 'SKIPPED', reason }  the overlap policy refused it, now or, with `once`, before
         { 'DUPLICATE', id }    its dedup key was used before, or its id by a context that has not ended
         { 'NO_JOB' }           there is none of this name, or it does not follow the upstream; nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(log(ready)); at most 60 commands, with `replace` 40 more for each context that is replaced
Holds    W1 W3 W6 W9
Repeat   With a dedup key: one context within its keep time, with `once` one decision. Without: once while the context has not ended,
         for the same due time.
]]
-- @use args
-- @use contexts/ending
-- @use fan_out/concluding
-- @use jobs/firing
-- @use keys
-- @use partition
-- @use contexts/ready
-- @use record
-- @use zsets
-- @use records/context_options
-- @use records/context_record
-- @use args/forms
-- @use records/dedup_record
-- @use records/job_record
-- @use records/ledger_record
local int = record.int
local given = args.only_named('now_ms job due_ms unique own_body body dedup upstream told')
local now = args.now_of(given)
local job = args.text_of(given, 'job', 128)
local due = args.int_or_nil(given, 'due_ms', 0, 9007199254740991) or now
local unique = args.text_of(given, 'unique', 64)
local own_body = args.int_or_nil(given, 'own_body', 0, 1)
local keep, dedup, once = forms.split_dedup(given.dedup or '')
if (given.dedup or '') ~= '' and (not keep or (once ~= '' and once ~= ' once')) then
  args.bad('dedup', 'must be a keep time and a key', given.dedup)
end
local upstream, told = given.upstream or '', given.told or ''
if #told > 1000 or not forms.is_told(told) then
  args.bad('told', 'must have at most 1000 bytes, and none that separates options', told)
end
local fields = firing.load_job(job)
if not fields or fields.state == 'deleting' or (upstream ~= '' and job_record.upstream_of(fields.after) ~= upstream) then
  return { 'NO_JOB' }
end
local id = partition.number() .. '.' .. int(due) .. '.' .. unique .. '@' .. job
if dedup then
  local existing, skipped = dedup_record.split(redis.call('GET', keys.dedup(dedup)) or '')
  if existing then
    return skipped == '' and { 'DUPLICATE', existing } or { 'SKIPPED', skipped }
  end
end
local rest = fields.tmpl
if own_body == 1 then
  rest = context_record.with_body(rest, given.body or '')
end
local name = dedup and once == '' and dedup_record.name_of(dedup)
local added = {}
if name then
  added[#added + 1] = 'u=' .. name
end
if told ~= '' then
  added[#added + 1] = 'f=' .. told
end
if #added > 0 then
  local head, options, tail = context_record.around_options(rest)
  rest = head .. context_options.with(options, table.concat(added, ',')) .. tail
end
if fields.active > 0 and (redis.call('HEXISTS', keys.active(job), id) == 1 or zsets.find(keys.queue(job), due, id .. ' ')) then
  return { 'DUPLICATE', id }
end
local endings = ending.new()
local verdict, reason = firing.offer_firing(endings, now, fields, id, rest)
local late = math.max(now - due, 0)
if verdict == 'SKIP' then
  firing.note_due(fields, ledger_record.skipped_by_hand(due, reason, late, id))
else
  firing.note_due(fields, ledger_record.fired(due, late, id))
  redis.call('HINCRBY', keys.job(job), 'manual', 1)
end
if dedup and verdict ~= 'SKIP' then
  redis.call('SET', keys.dedup(dedup), id, 'PX', keep)
elseif dedup and once ~= '' then
  redis.call('SET', keys.dedup(dedup), dedup_record.refused(id, reason), 'PX', keep)
end
firing.flush_ledger(fields)
if verdict == 'START' then
  ready.add(endings.ready, id, context_record.text(id, 0, 0, rest), rest)
end
concluding.flush(endings, now)
ending.flush(endings, now)
if verdict == 'SKIP' then
  return { 'SKIPPED', reason }
end
return { verdict == 'START' and 'STARTED' or 'QUEUED', id }
