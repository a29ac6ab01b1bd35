-- Module records/context_id: `<partition>.<due ms>.<unique>[~<subtask>][@<owner>]`, where the owner is a job, or `<namespace>/` of what was
-- submitted alone. A subtask is `<number>`, of a later round `<attempt>.<number>`; `r` is the reduce.
-- @use record
local context_id = {}
local find, match = string.find, string.match

-- The subtask that runs once when the others have ended.
context_id.REDUCE = 'r'

function context_id.due_of(id)
  return tonumber(match(id, '^%d+%.(%d+)%.'))
end

function context_id.job_of(id)
  return match(id, '@(.*[^/])$')
end

-- Its namespace, `default` where it names none.
function context_id.namespace_of(id)
  return match(id, '@([^/]+)/') or 'default'
end

-- `@<owner>`, or nothing.
function context_id.owner_suffix(id)
  return match(id, '@.*$') or ''
end

-- Partition, due time, unique part with the subtask, and owner (empty without one), as texts; nil for no id.
function context_id.split(id)
  return match(id, '^(%d+)%.(%d+)%.([^@]+)@?(.*)$')
end

-- The id of what the trigger of a job fires.
function context_id.of_firing(partition, due, job)
  return partition .. '.' .. due .. '.f@' .. job
end

-- True for what a job's own trigger created: its unique part is `f`, with digits behind it where the job was registered after that due
-- time.
function context_id.is_scheduled(id)
  return find(id, '%.f%d*@') ~= nil
end

function context_id.is_subtask(id)
  return find(id, '~', 1, true) ~= nil
end

-- Root, round and number (`r` is the reduce) of a subtask's id; nil for any other context.
function context_id.split_subtask(id)
  local head, part, tail = match(id, '^([^~]+)~([%d%.r]+)(.*)$')
  if not head then
    return nil
  end
  local round, n = match(part, '^(%d+)%.(%w+)$')
  return head .. tail, tonumber(round) or 1, n or part
end

-- What stands before and behind the number in the ids of a root's subtasks. The first round is not named, so that its ids are short.
function context_id.ends_of_subtasks(root, round)
  local head, tail = match(root, '^([^@]+)(.*)$')
  return head .. '~' .. (round > 1 and record.int(round) .. '.' or ''), tail
end

-- The number of a subtask, which stands at `at` of its id; nil where none does.
function context_id.number_at(id, at)
  return match(id, '^[%dr]+', at)
end

-- The root of whatever looks like a subtask, as a person may have written it; nil for any other context.
function context_id.asked_root(id)
  return context_id.is_subtask(id) and (string.gsub(id, '~[^@]*', '')) or nil
end

return context_id
