-- Part ready: puts due contexts where they wait for a permit, and wakes the trackers.

local function wake(at)
  redis.call('SPUBLISH', BASE .. 'wake', 'due ' .. int(at))
end

-- Collects members per ready set; `batch` is a table of the caller's.
local function add_ready(batch, id, member, rest)
  local group, handler, priority = split_rest(rest)
  local queue = group .. ' ' .. handler
  local list = batch[queue]
  if not list then
    list = { key = key('ready', group .. ':' .. handler) }
    batch[queue] = list
  end
  list[#list + 1] = ready_score(tonumber(priority), due_of(id))
  list[#list + 1] = member
end

-- Writes what was collected. True when a set was empty before, so that no tracker may know of it.
local function flush_ready(batch)
  local names = {}
  for queue, list in pairs(batch) do
    for first = 1, #list, 2000 do
      redis.call('ZADD', list.key, unpack(list, first, math.min(first + 1999, #list)))
    end
    names[#names + 1] = queue
    names[#names + 1] = '1'
  end
  if #names == 0 then
    return false
  end
  return redis.call('HSET', BASE .. 'backlog', unpack(names)) > 0
end

local function remove_ready(queue, zset, member)
  redis.call('ZREM', zset, member)
  if redis.call('EXISTS', zset) == 0 then
    redis.call('HDEL', BASE .. 'backlog', queue)
  end
end
