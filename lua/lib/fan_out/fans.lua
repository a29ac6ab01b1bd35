-- Module fan_out/fans: contexts that are split into subtasks, as a call reads and counts them (W8). A fan is loaded once in a call and
-- counted in memory; what changed is written by fan_out/fan_changes when the call flushes.
-- @use keys
-- @use partition
-- @use record
local fans = {}
local int = record.int

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
  'pinned', 'lane' }
local FAN_NUMBERS = { 'round', 'created_ms', 'total', 'succeeded', 'failed', 'out', 'later', 'parallelism', 'next_index', 'pinned' }
-- These may be absent; what is no number counts as that.
local FAN_OPTIONAL = { 'quorum', 'max_failed', 'wanted' }
fans.MODELS = { map = true, broadcast = true, sharding = true, indexed = true }
fans.STATES = { open = true, closed = true, reducing = true, dropping = true }

-- Root, round and number (`r` is the reduce) of a subtask's id; nil for any other context.
function fans.split(id)
  local head, part, tail = string.match(id, '^([^~]+)~([%d%.r]+)(.*)$')
  if not head then
    return nil
  end
  local round, n = string.match(part, '^(%d+)%.(%w+)$')
  return head .. tail, tonumber(round) or 1, n or part
end

-- What stands before and behind the number in the ids of a fan's subtasks. The first round is not named, so that its ids are short.
function fans.ends(root, round)
  local head, tail = string.match(root, '^([^@]+)(.*)$')
  return head .. '~' .. (round > 1 and int(round) .. '.' or ''), tail
end

-- What a call that ends nothing passes in place of its endings.
function fans.new()
  return { fans = { roots = {}, order = {} } }
end

-- What is kept of a root's subtasks; nil when nothing is.
function fans.read(root)
  if not record.due_of(root) then
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
    fan[name] = string.find(fan[name], '^%d+$') and record.is_instant(fan[name]) and tonumber(fan[name]) or 0
    fan.before[name] = fan[name]
  end
  for _, name in ipairs(FAN_OPTIONAL) do
    fan[name] = string.match(fan[name], '^%-?%d+$') or ''
  end
  fan.lane = string.match(fan.lane, '^%x%x%x%x%x%x%x%x%x%x$') or ''
  fan.head, fan.tail = fans.ends(root, fan.round)
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
    local n = string.match(id, '^[%dr]+', #last.head + 1)
    if n and string.sub(id, #last.head + #n + 1) == last.tail then
      return last, n
    end
  end
  local root, round, n = fans.split(id)
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

-- The queue of a handler's subtasks: workers are offered for it as for contexts in the lane of their root.
function fans.queue(fan, handler)
  return fan.group .. ' ' .. handler .. (fan.lane ~= '' and ' c=' .. fan.lane or '') .. ' /' .. fan.id
end

-- What every subtask of a handler has before its body: it runs where its root may run. `options` is `<priority> <options>`.
function fans.template(fan, handler, options)
  if fan.lane ~= '' then
    local priority, rest = string.match(options, '^(%d) (%S+)$')
    options = priority .. ' c=' .. fan.lane .. (rest ~= '-' and ',' .. rest or '')
  end
  return fan.group .. ' ' .. handler .. ' ' .. options .. ' '
end

-- What the root was given; known once no attempt of it is under way. Parts of a model and the reduce get it behind what is their own, so
-- that a body is kept once.
function fans.body(fan)
  return string.match(fan.root, '^%d+:%d+ %S+ %S+ %d %S+ (.*)$') or ''
end

-- The member that stands for an entry of a list; nil for one that does not follow the grammar.
function fans.member(fan, handler, entry)
  local n, counts, extra, body = string.match(entry, '^(%w+) (%d+:%d+)(%S*) (.*)$')
  if not n then
    return nil
  end
  local template = redis.call('HGET', keys.fan(fan.id), n == 'r' and 'r' or 't:' .. handler) or ''
  if fan.model ~= 'map' or n == 'r' then
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
    local root, round = fans.split(id)
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
    local worker = string.match(name, '^w:(.+)$')
    if worker then
      workers[#workers + 1] = ':' .. worker
    end
  end
  for handler in string.gmatch(fan.handlers, '%S+') do
    for _, worker in ipairs(workers) do
      count = count + redis.call('LLEN', keys.parts(handler .. ':' .. fan.id .. worker))
    end
  end
  return count
end

return fans
