#!lua
--[[
Script   wheel/fire
Purpose  Make a context of a job now, asked for by a person, a program, or the end of another job; the overlap policy holds.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:job: :active: :queue: :ledger: :ready: :fair :tags: :dedup: :backlog :held :retry :events :dead :wake
             :runs: :quarantine :stats and for split ones that are replaced :fans :fan: :parts: :results: :result:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 job      name
         3 due_ms   integer, or empty for now
         4 unique   third part of the context's id
         5 own_body 1 when ARGV 6 replaces the job's body, else 0
         6 body     bytes
         7 dedup    empty, or `<keep ms> <name>@<job>`; with ` once` behind it a refusal is kept too, else the key stays free, also when
                    what was fired is cancelled before it starts
         8 upstream empty, or the job whose end asks for it; may be absent
         9 told     empty, or `<context>:<state>:<error>` of that end, at most 1000 bytes; may be absent

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
local int = record.int
if #ARGV < 7 or #ARGV > 9 then
  args.bad('arguments', 'must be seven to nine', #ARGV)
end
local now = args.now(1)
local job = args.text(2, 'job', 128)
local due = ARGV[3] == '' and now or args.int(3, 'due_ms', 0, 9007199254740991)
local unique = args.text(4, 'unique', 64)
local own_body = args.int(5, 'own_body', 0, 1)
local keep, dedup, once = string.match(ARGV[7], '^(%d+) (%S+)( ?%a*)$')
if ARGV[7] ~= '' and (not keep or (once ~= '' and once ~= ' once')) then
  args.bad('dedup', 'must be a keep time and a key', ARGV[7])
end
local upstream = ARGV[8] or ''
local told = ARGV[9] or ''
if #told > 1000 or string.find(told, '[%s,=]') then
  args.bad('told', 'must have at most 1000 bytes, and none that separates options', told)
end
local fields = firing.load_job(job)
if not fields or fields.state == 'deleting' or (upstream ~= '' and string.match(fields.after, '^%S*') ~= upstream) then
  return { 'NO_JOB' }
end
local id = partition.number() .. '.' .. int(due) .. '.' .. unique .. '@' .. job
if dedup then
  local existing, skipped = string.match(redis.call('GET', keys.dedup(dedup)) or '', '^(%S+) ?(%S*)$')
  if existing then
    return skipped == '' and { 'DUPLICATE', existing } or { 'SKIPPED', skipped }
  end
end
local rest = fields.tmpl
if own_body == 1 then
  rest = string.match(rest, '^(%S+ %S+ %d %S+ )') .. ARGV[6]
end
local name = dedup and once == '' and string.match(dedup, '^[^@]+')
local added = {}
if name then
  added[#added + 1] = 'u=' .. name
end
if told ~= '' then
  added[#added + 1] = 'f=' .. told
end
if #added > 0 then
  local head, options, body = string.match(rest, '^(%S+ %S+ %d )(%S+)( .*)$')
  rest = head .. (options == '-' and '' or options .. ',') .. table.concat(added, ',') .. body
end
if fields.active > 0 and (redis.call('HEXISTS', keys.active(job), id) == 1 or zsets.find(keys.queue(job), due, id .. ' ')) then
  return { 'DUPLICATE', id }
end
local endings = ending.new()
local verdict, reason = firing.offer_firing(endings, now, fields, id, rest)
local decided = ' +' .. int(math.max(now - due, 0)) .. ' ' .. id
if verdict == 'SKIP' then
  firing.note_due(fields, int(due) .. ' S ' .. reason .. decided)
else
  firing.note_due(fields, int(due) .. ' F' .. decided)
  redis.call('HINCRBY', keys.job(job), 'manual', 1)
end
if dedup and verdict ~= 'SKIP' then
  redis.call('SET', keys.dedup(dedup), id, 'PX', keep)
elseif dedup and once ~= '' then
  redis.call('SET', keys.dedup(dedup), id .. ' ' .. reason, 'PX', keep)
end
firing.flush_ledger(fields)
if verdict == 'START' then
  ready.add(endings.ready, id, record.member_of(id, 0, 0, rest), rest)
end
concluding.flush(endings, now)
ending.flush(endings, now)
if verdict == 'SKIP' then
  return { 'SKIPPED', reason }
end
return { verdict == 'START' and 'STARTED' or 'QUEUED', id }
