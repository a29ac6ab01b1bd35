-- Module fan_out/fans: contexts that are split into subtasks, as a call reads and counts them (W8). A fan is loaded once in a call and
-- counted in memory; what changed is written by fan_out/fan_changes when the call flushes.
-- @use keys
-- @use partition
-- @use records/context_id
-- @use records/placement_name
-- @use records/fan_record
-- @use records/queue_name
-- @use records/waiting_part
local fans = {}

fans.LOOK_MS = 1000 -- between two looks at parts that wait for certain workers
fans.PART_OVERHEAD = 16

local FANS_LISTED = 64 -- with so many open fans in a partition their names are read at once, with more one by one

-- True when the partition has split contexts at all: most have none, and ask once in a call.
function fans.any(endings)
  local loaded = endings.fans
  if partition.is_plain() then
    return false
  end
  if loaded.open == nil then
    loaded.open = redis.call('HLEN', keys.fans)
    if loaded.open > 0 and loaded.open <= FANS_LISTED then
      loaded.known = {}
      for _, root in ipairs(redis.call('HKEYS', keys.fans)) do
        loaded.known[root] = true
      end
    end
  end
  return loaded.open > 0
end

local FAN_FIELDS = { 'root', 'by', 'model', 'state', 'round', 'created_ms', 'total', 'succeeded', 'failed', 'out', 'later', 'parallelism',
  'quorum', 'max_failed', 'wanted', 'success', 'reduce', 'reduce_on', 'group', 'handlers', 'next_index', 'deep', 'end', 'error', 'result',
  'pinned', 'placement' }
local FAN_NUMBERS = { 'round', 'created_ms', 'total', 'succeeded', 'failed', 'out', 'later', 'parallelism', 'next_index', 'pinned' }
-- These may be absent; what is no number counts as that.
local FAN_OPTIONAL = { 'quorum', 'max_failed', 'wanted' }
fans.MODELS = { map = true, broadcast = true, sharding = true, indexed = true }
fans.STATES = { open = true, closed = true, reducing = true, dropping = true }

-- What a call that ends nothing passes in place of its endings.
function fans.new()
  return { fans = { roots = {}, order = {} } }
end

-- What is kept of a root's subtasks; nil when nothing is.
function fans.read(root)
  if not context_id.due_of(root) then
    return nil -- no context id
  end
  local values = redis.call('HMGET', keys.fan(root), unpack(FAN_FIELDS))
  if not values[3] then
    return nil
  end
  local fan = { id = root, results = {}, parts = {}, back = {}, mapped = {}, before = {} }
  for i, name in ipairs(FAN_FIELDS) do
    fan[name] = values[i] or ''
  end
  for _, name in ipairs(FAN_NUMBERS) do
    fan[name] = fan_record.number(fan[name])
    fan.before[name] = fan[name]
  end
  for _, name in ipairs(FAN_OPTIONAL) do
    fan[name] = fan_record.optional(fan[name])
  end
  fan.placement = placement_name.is_one(fan.placement) and fan.placement or ''
  fan.head, fan.tail = context_id.ends_of_subtasks(root, fan.round)
  fan.blocked = fan.parallelism > 0 and fan.out >= fan.parallelism
  return fan
end

-- The fan of a root; nil when it has none.
function fans.of(endings, root)
  local loaded = endings.fans
  local fan = loaded.roots[root]
  if fan ~= nil then
    return fan or nil
  end
  loaded.roots[root] = false
  if not fans.any(endings) or (loaded.known and not loaded.known[root]) then
    return nil
  end
  if not loaded.known and redis.call('HEXISTS', keys.fans, root) == 0 then
    return nil
  end
  fan = fans.read(root)
  if not fan then
    return nil
  end
  loaded.roots[root] = fan
  loaded.order[#loaded.order + 1] = fan
  loaded.last = fan
  return fan
end

-- The fan of a subtask and the subtask's number; nil when it belongs to none that is open, say to a round that is over.
function fans.of_subtask(endings, id)
  local last = endings.fans.last
  if last and not last.over and string.sub(id, 1, #last.head) == last.head then
    local n = context_id.number_at(id, #last.head + 1)
    if n and string.sub(id, #last.head + #n + 1) == last.tail then
      return last, n
    end
  end
  local root, round, n = context_id.split_subtask(id)
  local fan = root and fans.of(endings, root)
  if fan and fan.round == round then
    endings.fans.last = fan
    return fan, n
  end
  return nil
end

-- Subtasks that nobody has claimed and that are not in the wheel; the reduce is none of them.
function fans.waiting(fan)
  return fan.total - fan.succeeded - fan.failed - fan.out - fan.later
end

-- The queue of a handler's subtasks: workers are offered for it as for contexts in the placement of their root.
function fans.queue(fan, handler)
  return queue_name.of_subtasks(fan.group, handler, fan.placement, fan.id)
end

-- What every subtask of a handler has before its body: it runs where its root may run. `options` is `<priority> <options>`.
function fans.template(fan, handler, options)
  return fan_record.template(fan.group, handler, fan.placement, options)
end

-- What the root was given; known once no attempt of it is under way. Parts of a model and the reduce get it behind what is their own, so
-- that a body is kept once.
function fans.body(fan)
  return fan_record.body_of_root(fan.root)
end

-- The member that stands for an entry of a list; nil for one that does not follow the grammar.
function fans.member(fan, handler, entry)
  local n, counts, extra, body = waiting_part.split(entry)
  if not n then
    return nil
  end
  local field = n == context_id.REDUCE and n or fan_record.template_field(handler)
  local template = redis.call('HGET', keys.fan(fan.id), field) or ''
  if fan.model ~= 'map' or n == context_id.REDUCE then
    body = body .. fans.body(fan)
  end
  return fan.head .. n .. fan.tail .. ' ' .. counts .. ' ' .. string.sub(template, 1, -2) .. extra .. ' ' .. body
end

-- True when nothing waits in the queue of a handler: neither for anybody nor for a certain worker, nor as an index that is to be made.
function fans.is_drained(fan, handler)
  if fan.pinned > 0 or (fan.model == 'indexed' and fan.next_index < fan.total) then
    return false
  end
  return redis.call('EXISTS', keys.parts(handler .. ':' .. fan.id)) == 0
end

-- How many subtasks of a fan a hash of contexts has.
function fans.count_in(fan, hash)
  local count = 0
  for _, id in ipairs(redis.call('HKEYS', keys.base .. hash)) do
    local root, round = context_id.split_subtask(id)
    if root == fan.id and round == fan.round then
      count = count + 1
    end
  end
  return count
end

-- How many subtasks wait in lists, or were not made yet.
function fans.count_listed(fan)
  local count = fan.model == 'indexed' and fan.state ~= 'dropping' and fan.total - fan.next_index or 0
  local workers = { '' }
  for _, name in ipairs(fan.pinned > 0 and redis.call('HKEYS', keys.fan(fan.id)) or {}) do
    local worker = fan_record.worker_of(name)
    if worker then
      workers[#workers + 1] = ':' .. worker
    end
  end
  for handler in fan_record.each_handler(fan.handlers) do
    for _, worker in ipairs(workers) do
      count = count + redis.call('LLEN', keys.parts(handler .. ':' .. fan.id .. worker))
    end
  end
  return count
end

return fans
