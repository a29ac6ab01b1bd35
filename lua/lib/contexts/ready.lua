-- Module contexts/ready: puts due contexts where they wait for a permit, and wakes the trackers.
-- @use claims/fairness
-- @use keys
-- @use quarantine
-- @use ready_sets
-- @use record
local ready = {}
local int = record.int

function ready.wake(at)
  redis.call('SPUBLISH', keys.wake, 'due ' .. int(at))
end

-- Lanes of which this call put a context somewhere. Who looks which lanes are needed (lane/sweep) goes through the places one after the
-- other, and may miss what moves meanwhile: it is told here.
local used_lanes

function ready.begin()
  used_lanes = {}
end

function ready.use_lane(options)
  local at = string.find(options, 'c=', 1, true)
  local lane = at and string.match(options, '^c=(%x%x%x%x%x%x%x%x%x%x)', at)
  if lane then
    used_lanes[lane] = '1'
  end
end

function ready.flush_lanes()
  if next(used_lanes) then
    local written = {}
    for lane, mark in pairs(used_lanes) do
      written[#written + 1], written[#written + 2] = lane, mark
    end
    used_lanes = {}
    for first = 1, #written, 2000 do
      redis.call('HSET', keys.used, unpack(written, first, math.min(first + 1999, #written)))
    end
  end
end

-- Collects members per ready set; `batch` is a table of the caller's, `queue` is that of the context.
function ready.put(batch, queue, score, member, id, options)
  local list = batch[queue]
  if not list and not ready_sets.is_queue(queue) then
    local time = redis.call('TIME')
    return quarantine.put(time[1] * 1000, 'ready', int(score), 'no queue may have its name', member)
  elseif not list then
    list = { key = keys.ready((string.gsub(queue, ' ', ':'))), waiting = ready_sets.is_fair(queue) and {} }
    batch[queue] = list
    ready.use_lane(queue)
  end
  if list.waiting then
    return fairness.put(list, score, member, id, options)
  end
  local size = #list
  list[size + 1] = int(score)
  list[size + 2] = member
end

function ready.add(batch, id, member, rest)
  local queue, priority, options = string.match(rest, '^(%S+ %S+) (%d) (%S+) ')
  ready.put(batch, ready_sets.queue_of(queue, options), ready_sets.score(priority, record.due_of(id)), member, id, options)
end

-- Writes what was collected. True when a set was empty before, so that no tracker may know of it. `is_new` says so of the only queue there
-- is when it lies in the backlog already (queues.enter).
function ready.flush(batch, is_new)
  ready.flush_lanes()
  local names = {}
  for queue, list in pairs(batch) do
    if list.waiting then
      fairness.stamp(queue, list)
    end
    for first = 1, #list, 2000 do
      redis.call('ZADD', list.key, unpack(list, first, math.min(first + 1999, #list)))
    end
    names[#names + 1] = 0
    names[#names + 1] = queue
  end
  if #names == 0 then
    return false
  end
  if is_new ~= nil then
    return is_new
  end
  return redis.call('ZADD', keys.backlog, unpack(names)) > 0
end

-- Takes out what was collected, wherever a flush that failed has written it.
function ready.take_back(batch)
  for queue, list in pairs(batch) do
    for i = 2, #list, 2 do
      pcall(redis.call, 'ZREM', list.key, list[i])
      if list.waiting then
        pcall(redis.call, 'HDEL', keys.fair, (string.match(list[i], '^%S+')))
      end
    end
    local done, left = pcall(redis.call, 'ZCARD', list.key)
    if not done or left == 0 then
      pcall(redis.call, 'ZREM', keys.backlog, queue)
    end
  end
end

function ready.remove(queue, zset, member)
  redis.call('ZREM', zset, member)
  if ready_sets.is_fair(queue) then
    redis.call('HDEL', keys.fair, (string.match(member, '^%S+')))
  end
  if redis.call('EXISTS', zset) == 0 then
    redis.call('ZREM', keys.backlog, queue)
  end
end

return ready
