-- Module claims/restoring: a turn that fails half way, because a key has another type than it should, loses nothing (W1): what it took out
-- and did not bring elsewhere goes back into the wheel, or to the other subtasks. Scripts do not undo what they wrote before an error.
-- @use contexts/ending
-- @use fan_out/fan_changes
-- @use fan_out/concluding
-- @use fan_out/fans
-- @use keys
-- @use contexts/locating
-- @use limits/parking
-- @use contexts/ready
-- @use ready_sets
-- @use record
-- @use limits/shares
-- @use claims/sources
-- @use zsets
-- @use records/context_id
-- @use records/context_options
-- @use records/context_record
-- @use records/queue_name
-- @use records/wheel_entry
local restoring = {}
local int = record.int

-- The answer of a command, nil when it cannot be given.
local function ask(...)
  local done, answer = pcall(redis.call, ...)
  return done and answer or nil
end

-- Whether it waits in the ready set of a queue, where it is found: one that the backlog cannot name is taken out.
local function waits_in(queue, id, priority)
  local tag = queue_name.is_fair(queue) and tonumber(ask('HGET', keys.fair, id) or nil)
  local score = tag or ready_sets.score(priority, context_id.due_of(id))
  local done, member = pcall(zsets.find, ready_sets.key_of(queue), score, id .. ' ')
  if not done or not member then
    return false
  end
  if ask('ZADD', keys.backlog, 0, queue) then
    return true
  end
  ask('ZREM', ready_sets.key_of(queue), member)
  ask('HDEL', keys.fair, id)
  return false
end

local function is_somewhere(id, member, queue, options, priority)
  if ask('HEXISTS', keys.held, id) == 1 or ask('ZSCORE', keys.wheel, member) then
    return true
  end
  if context_id.is_subtask(id) then
    local done, place = pcall(locating.find, id)
    return done and place ~= nil
  end
  local key = queue_name.is_fair(queue) and context_options.value(options, 'k')
  return waits_in(queue, id, priority) or key and waits_in(queue .. key, id, priority)
end

-- A subtask that was claimed from its list and is not held waits again.
local function wait_again(endings, id, counts, rest)
  local fan, n = fans.of_subtask(endings, id)
  if fan and fan.state ~= 'dropping' then
    fan_changes.wait_again(fan, n, counts, rest)
  end
end

-- `listed`: endings for a subtask that goes back to its list, nil for what goes into the wheel.
local function put_back(now, member, listed)
  local queue, id, counts, rest, options = sources.open_member(member)
  if not queue then
    return ask('ZADD', keys.wheel, 'NX', int(now), member)
  end
  if is_somewhere(id, member, queue, options, context_record.priority_of_rest(rest)) then
    return
  end
  if listed and context_id.is_subtask(id) then
    return pcall(wait_again, listed, id, counts, rest)
  end
  local at = context_id.due_of(id)
  if string.byte(counts) ~= 48 then
    at = now
    ask('HSET', keys.retry, id, int(at))
  end
  ask('ZADD', keys.wheel, int(at), member)
  ready.use_placement(options)
end

-- Puts back what `visit` took out and brought nowhere.
local function restore(visit)
  local now, endings, known = visit.now, ending.new(), {}
  for _, entry in ipairs(visit.taken) do
    known[entry] = true
    local kind = wheel_entry.kind_of(entry)
    if wheel_entry.is_context(kind) and not visit.gone[entry] then
      put_back(now, entry)
    elseif not visit.gone[entry] then
      ask('ZADD', keys.wheel, 'NX', int(now), entry)
    end
  end
  for _, member in ipairs(visit.out) do
    put_back(now, member)
  end
  for _, member in ipairs(shares.groups and parking.moved() or {}) do
    put_back(now, member)
  end
  for i = 2, #visit.claims.told, 2 do
    local member = visit.claims.told[i]
    if not known[member] then
      put_back(now, member, endings)
    end
  end
  pcall(ready.flush_placements)
  for _, fan in ipairs(endings.fans.order) do
    pcall(fan_changes.flush_waiting, fan, now)
  end
  if visit.held then -- the subtasks among them are counted as running
    pcall(concluding.flush_claims, visit.endings, now)
  end
end

-- What `turn` answers. When it fails before everything was written, what it took out is back in its place when the error is raised.
function restoring.unless_done(visit, turn)
  local done, reply = pcall(turn)
  if done then
    return reply
  end
  if not visit.done then
    restore(visit)
  end
  error(reply, 0)
end

return restoring
