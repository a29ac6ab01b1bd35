-- Module fan_out/fans: contexts that are split into subtasks, as a call reads, counts and writes them (W8). A fan is loaded once in a call,
-- counted in memory, and what changed is written when the call flushes.
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
local FAILURES_KEPT = 10000 -- results of a fan that nobody reduces
local PARTS_KEPT = 1000 -- that stay behind the end of a root, the first of them
local PARTS_KEPT_MS = 2592000000 -- of a root that has not ended, should nobody ever end it

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

-- Puts a subtask back to where it waits, in front of those that were not claimed yet. `only` is the worker it is meant for.
function fans.wait_again(fan, n, counts, rest, only)
  local handler, options, body = string.match(rest, '^%S+ (%S+) %d (%S+) (.*)$')
  local extra = string.match(options, ',[aow]=.*$') or ''
  only = only or string.match(extra, ',w=([^,]+)')
  extra = string.gsub(extra, ',w=[^,]+', '')
  if fan.model ~= 'map' or n == 'r' then
    body = string.sub(body, 1, #body - #fans.body(fan))
  end
  local list = handler .. ':' .. fan.id .. (only and ':' .. only or '')
  local back = fan.back[list]
  if not back then
    back = { handler = handler, only = only }
    fan.back[list] = back
  end
  back[#back + 1] = n .. ' ' .. counts .. extra .. ' ' .. body
end

-- So many parts more (or less) wait for a worker.
function fans.count_pinned(fan, worker, more)
  local field = 'w:' .. worker
  local waiting = redis.call('HINCRBY', keys.fan(fan.id), field, more)
  if waiting == 0 then
    redis.call('HDEL', keys.fan(fan.id), field)
    fan.pinned = fan.pinned - 1
  elseif waiting == more then
    fan.pinned = fan.pinned + 1
  end
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

function fans.push(command, list, entries)
  for first = 1, #entries, 2000 do
    redis.call(command, list, unpack(entries, first, math.min(first + 1999, #entries)))
  end
end

-- Writes what waits again, and names the queues from which something may be claimed now. True when no tracker may know of one.
function fans.flush_waiting(fan, now)
  if fan.state == 'dropping' then
    return false
  end
  local fields = {}
  for list, entries in pairs(fan.back) do
    fans.push('LPUSH', keys.parts(list), entries)
    if entries.only then
      fans.count_pinned(fan, entries.only, #entries)
      redis.call('ZADD', keys.wheel, 'NX', now + fans.LOOK_MS, '%' .. fan.id)
    end
    if not string.find(' ' .. fan.handlers .. ' ', ' ' .. entries.handler .. ' ', 1, true) then
      fan.handlers, fan.touched = fan.handlers .. (fan.handlers == '' and '' or ' ') .. entries.handler, true
    end
    fields[#fields + 1] = 0
    fields[#fields + 1] = fans.queue(fan, entries.handler)
  end
  fan.back = {}
  if fan.parallelism > 0 and fan.out >= fan.parallelism then
    return false
  end
  if fan.blocked and fans.waiting(fan) > 0 then
    for handler in string.gmatch(fan.handlers, '%S+') do
      if fan.model == 'indexed' or redis.call('EXISTS', keys.parts(handler .. ':' .. fan.id)) == 1 then
        fields[#fields + 1] = 0
        fields[#fields + 1] = fans.queue(fan, handler)
      end
    end
  end
  fan.blocked = false
  return #fields > 0 and redis.call('ZADD', keys.backlog, unpack(fields)) > 0
end

-- True when the call did nothing with the fan but claim of it, or nothing at all.
function fans.was_only_claimed(fan)
  local before = fan.before
  local ended = fan.succeeded ~= before.succeeded or fan.failed ~= before.failed or fan.later ~= before.later or fan.out < before.out
  return not (ended or fan.touched or fan.stopping or fan.reduced or fan.results[1] or fan.parts[1] or next(fan.back))
end

function fans.flush_counts(fan)
  local written = {}
  for name, before in pairs(fan.before) do
    if fan[name] ~= before then
      written[#written + 1] = name
      written[#written + 1] = int(fan[name])
      fan.before[name] = fan[name]
    end
  end
  if fan.touched then
    for _, name in ipairs({ 'root', 'by', 'state', 'end', 'result', 'handlers', 'error', 'wanted' }) do
      if fan[name] ~= '' then
        written[#written + 1] = name
        written[#written + 1] = fan[name]
      end
    end
    fan.touched = false
  end
  if #written > 0 then
    redis.call('HSET', keys.fan(fan.id), unpack(written))
  end
end

-- How parts ended, for who asks when the root has: `<number> <s or f> <attempt> <worker or -> <claimed ms> <ended ms> <message>`.
function fans.flush_parts(fan, now)
  local parts = fan.parts
  if #parts == 0 then
    return
  end
  for i, part in ipairs(parts) do
    local head, message = string.match(part, '^(%S+ %a %d+ %S+ %d+) (.*)$')
    parts[i] = head .. ' ' .. int(now) .. ' ' .. message
  end
  local list = keys.split(fan.id)
  fans.push('RPUSH', list, parts)
  redis.call('LTRIM', list, 0, PARTS_KEPT - 1)
  redis.call('PEXPIRE', list, PARTS_KEPT_MS)
  fan.parts = {}
end

function fans.flush_results(fan)
  local results = fan.results
  if #results > 0 then
    fans.push('RPUSH', keys.results(fan.id), results)
    fan.results = {}
  end
  if #fan.mapped > 0 then
    for first = 1, #fan.mapped, 2000 do
      redis.call('HDEL', keys.fan(fan.id), unpack(fan.mapped, first, math.min(first + 1999, #fan.mapped)))
    end
    fan.mapped = {}
  end
  -- A root that still maps may yet say that it reduces.
  if fan.reduce == '' and fan.state ~= 'open' and (#results > 0 or fan.closing) then
    redis.call('LTRIM', keys.results(fan.id), -FAILURES_KEPT, -1)
  end
end

return fans
