-- Module quarantine: a record that no script can use goes where a person finds it, so that nothing stumbles over it and nothing is lost
-- with it.
-- @use asides
-- @use counters
-- @use keys
-- @use record
-- @use records/context_id
-- @use records/context_record
-- @use records/queue_name
local quarantine = {}
local int = record.int

local ASIDE_KEPT = 1000

-- `name` is the key without its partition that had `record`, `at` its score or field there.
function quarantine.put(now, name, at, why, record)
  local text = int(now) .. ' ' .. name .. ' ' .. at .. '\n' .. why .. '\n' .. record
  if not pcall(redis.call, 'RPUSH', keys.quarantine, text) then
    -- Something else has its place, and makes room.
    asides.move(now, 'quarantine')
    redis.call('RPUSH', keys.quarantine, text)
  end
  redis.call('LTRIM', keys.quarantine, -ASIDE_KEPT, -1)
  counters.add('put_aside', 1)
end

-- `id` and the parts of a context member behind it; nil for a record that cannot be used, which then goes aside. The caller takes it out
-- of `name`.
function quarantine.open_or_put(now, name, at, member)
  local id, attempt, failures, rest = context_record.split(member)
  if id and context_id.due_of(id) and queue_name.of_rest(rest) then
    return id, attempt, failures, rest
  end
  quarantine.put(now, name, at, 'no context', member)
  return nil
end

return quarantine
