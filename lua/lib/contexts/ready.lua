-- Module contexts/ready: puts due contexts where they wait for a permit, and wakes the trackers.
-- @use claims/fairness
-- @use keys
-- @use quarantine
-- @use ready_sets
-- @use record
-- @use records/context_id
-- @use records/context_record
-- @use records/placement_name
-- @use records/queue_name
local ready = {}
local int = record.int

function ready.wake(at)
  redis.call('SPUBLISH', keys.wake, 'due ' .. int(at))
end

-- Placements of which this call put a context somewhere. Who looks which placements are needed (placement/sweep) goes through the places
-- one after the other, and may miss what moves meanwhile: it is told here.
local used_placements

function ready.begin()
  used_placements = {}
end

function ready.use_placement(options)
  local placement = placement_name.in_text(options)
  if placement then
    used_placements[placement] = '1'
  end
end

function ready.flush_placements()
  if next(used_placements) then
    local written = {}
    for placement, mark in pairs(used_placements) do
      written[#written + 1], written[#written + 2] = placement, mark
    end
    used_placements = {}
    for first = 1, #written, 2000 do
      redis.call('HSET', keys.used_placements, unpack(written, first, math.min(first + 1999, #written)))
    end
  end
end

-- Collects members per ready set; `batch` is a table of the caller's, `queue` is that of the context.
function ready.put(batch, queue, score, member, id, options)
  local list = batch[queue]
  if not list and not queue_name.is_one(queue) then
    local time = redis.call('TIME')
    return quarantine.put(time[1] * 1000, 'ready', int(score), 'no queue may have its name', member)
  elseif not list then
    list = { key = keys.ready(queue_name.set_of(queue)), waiting = queue_name.is_fair(queue) and {} }
    batch[queue] = list
    ready.use_placement(queue)
  end
  if list.waiting then
    return fairness.put(list, score, member, id, options)
  end
  local size = #list
  list[size + 1] = int(score)
  list[size + 2] = member
end

function ready.add(batch, id, member, rest)
  local base, priority, options = context_record.base_of_rest(rest)
  ready.put(batch, queue_name.of(base, options), ready_sets.score(priority, context_id.due_of(id)), member, id, options)
end

-- Writes what was collected. True when a set was empty before, so that no tracker may know of it. `is_new` says so of the only queue there
-- is when it lies in the backlog already (queues.enter).
function ready.flush(batch, is_new)
  ready.flush_placements()
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
        pcall(redis.call, 'HDEL', keys.fair, context_record.id_of(list[i]))
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
  if queue_name.is_fair(queue) then
    redis.call('HDEL', keys.fair, context_record.id_of(member))
  end
  if redis.call('EXISTS', zset) == 0 then
    redis.call('ZREM', keys.backlog, queue)
  end
end

return ready
