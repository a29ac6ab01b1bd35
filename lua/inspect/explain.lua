#!lua flags=no-writes
--[[
Script   inspect/explain
Purpose  Say in words why a context waits, runs or ended, and why a job does or did not fire, for a person with redis-cli.
Usage    redis-cli fcall_ro tickwheel_explain 0 <id, or namespace/name> [<prefix>]
         redis-cli fcall_ro tickwheel_explain 0 <namespace/name> <due ms> [<prefix>]
         In Redis Cluster: redis-cli -c fcall_ro tickwheel_explain 1 '{tw:7}' <id, or name and due ms>
Reply    One JSON text: subject and because, a list of sentences.
Cost     As inspect/context; for a due time at most 20000 ledger records are looked at
]]
-- @use inspection/context_story
-- @use inspection/sentences
-- @use inspection/subject
-- @use keys
-- @use partition
-- @use records/context_id
-- @use args/forms
-- @use records/job_record
-- @use records/ledger_record
local say, when = sentences.say, sentences.when
local LEDGER_LOOKED = 20000
local REASONS = {
  misfire_skip = 'It was popped later than its tolerance, and the misfire policy is skip.',
  misfire_collapsed = 'It was popped later than its tolerance, and a newer late due time fired for it (misfire policy fire_once).',
  misfire_limit = 'It was popped later than its tolerance, and the newer ones used up the limit of the misfire policy fire_all.',
  catch_up_window = 'It was older than the catch-up window when it was popped.',
  overlap_discard = 'An earlier context was still active, and the overlap policy is discard.',
  overlap_parallel = 'As many contexts were active as the overlap policy parallel allows.',
  overlap_queue_full = 'An earlier context was still active, and as many waited for it as the overlap policy queue allows.',
  overlap_collapsed = 'An earlier context was still active and one waited for it already (overlap policy queue_one).',
  paused = 'The job was paused.',
  max_runs = 'The job had fired max_runs times.',
  deleted = 'The job was deleted.',
}

local asked = ARGV[1]
if not asked then
  return redis.error_reply('USAGE redis-cli fcall_ro tickwheel_explain 0 <id or namespace/name> [<due ms>] [<prefix>]')
end
local asked_due = forms.is_digits(ARGV[2] or '') and ARGV[2] or nil
local prefix = subject.prefix(asked_due and 3 or 2)

local function explain_due(job)
  local due = tonumber(asked_due)
  local fields = redis.call('HMGET', keys.job(job), 'next', 'plan', 'created_ms')
  local ledger = redis.call('LRANGE', keys.ledger(job), -LEDGER_LOOKED, -1)
  for i = #ledger, 1, -1 do
    local from, to, verdict, rest = ledger_record.split(ledger[i])
    if verdict ~= ledger_record.REVISED and due >= tonumber(from) and due <= tonumber(to) then
      if verdict == ledger_record.FIRED then
        say('It fired, %s ms after its due time.', ledger_record.late_of(rest) or '?')
      elseif verdict == ledger_record.SKIPPED then
        say('It was skipped.')
      elseif verdict == ledger_record.MISSED then
        say('It was missed.')
      else
        say('It was cancelled.')
      end
      if REASONS[rest] then
        say('%s', REASONS[rest])
      end
      return
    end
  end
  if fields[1] == asked_due or job_record.is_planned(fields[2] or '', asked_due) then
    say('It is planned for %s.', when(due))
  elseif due < tonumber(fields[3] or 0) then
    say('The job was created later, at %s.', when(fields[3]))
  elseif due > sentences.now() then
    say('It lies ahead and is not planned: either it is no due time of the job, or it is behind the planned ones.')
  else
    say('The ledger does not know it: either it is no due time of the job, or its record was trimmed.')
  end
end

local function explain_job(job)
  local fields = redis.call('HMGET', keys.job(job), 'state', 'note', 'kind', 'next', 'overlap', 'revision')
  local state, note, kind, next = fields[1], fields[2], fields[3], fields[4]
  say('The job is %s, by its revision %s.', state, fields[6])
  local active, queued = redis.call('HLEN', keys.active(job)), redis.call('ZCARD', keys.queue(job))
  local entry = redis.call('ZSCORE', keys.wheel, '@' .. job)
  if state == 'paused' then
    say('It does not fire by its trigger until it is resumed%s', note ~= '' and ': ' .. note or '.')
  elseif state == 'finished' then
    say('No due time is left: max_runs is reached, end_at has passed, or a single instant has fired.')
  elseif state == 'deleting' then
    say('Its deletion was not completed: delete it again.')
  elseif kind == 'manual' or kind == 'after' then
    say('Its trigger is %s: it has no due time of its own.', kind)
  elseif next ~= '' then
    say('It is due next at %s.', when(next))
    if not entry then
      say('It has no place in the wheel, which breaks invariant W4: apply it again.')
    elseif tonumber(entry) < sentences.now() then
      say('It is overdue: no tracker has turned partition %s since.', partition.number())
    end
  elseif entry then
    say('Its next due time is not known yet: a tracker plans it.')
  elseif active + queued > 0 then
    say('Its next due time counts from the end of the firing that is under way.')
  else
    say('It has no next due time and nothing under way, which breaks invariant W4: apply it again.')
  end
  say('%d contexts are active and %d wait for them (overlap policy %s).', active, queued, fields[5])
end

local p, due, _, job = context_id.split(asked)
if p then
  subject.lie_in(prefix, p)
  context_story.tell(asked, due, job)
  return cjson.encode({ subject = asked, because = sentences.all() })
end
asked = subject.job_named(asked)
if not subject.lie_with_job(prefix, asked) then
  say('There is no job of this name.')
elseif asked_due then
  explain_due(asked)
else
  explain_job(asked)
end
return cjson.encode({ subject = asked, due_ms = tonumber(asked_due), because = sentences.all() })
