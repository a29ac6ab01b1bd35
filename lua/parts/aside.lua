-- Part aside: a record that no script can use goes where a person finds it, so that nothing stumbles over it and nothing is lost with it.

local ASIDE_KEPT = 1000

-- `name` is the key without its partition that had `record`, `at` its score or field there.
local function put_aside(now, name, at, why, record)
  redis.call('RPUSH', BASE .. 'quarantine', int(now) .. ' ' .. name .. ' ' .. at .. '\n' .. why .. '\n' .. record)
  redis.call('LTRIM', BASE .. 'quarantine', -ASIDE_KEPT, -1)
  redis.call('HINCRBY', BASE .. 'stats', 'put_aside', 1)
end

-- `id` and the parts of a context member behind it; nil for a record that cannot be used, which then goes aside. The caller takes it out
-- of `name`.
local function open_or_put_aside(now, name, at, member)
  local id, attempt, failures, rest = split_member(member)
  if id and due_of(id) and split_rest(rest) then
    return id, attempt, failures, rest
  end
  put_aside(now, name, at, 'no context', member)
  return nil
end
