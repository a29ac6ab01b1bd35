-- Module contexts/cancelling: cancels one context wherever it is.
-- @use bounds
-- @use fan_out/fan_changes
-- @use fan_out/fans
-- @use fan_out/finishing
-- @use keys
-- @use contexts/locating
-- @use quarantine
-- @use contexts/ready
-- @use record
-- @use records/context_options
-- @use records/context_record
-- @use records/held_value
-- @use records/fan_record
-- @use records/redis_key
-- @use records/waiting_part
local cancelling = {}
local int = record.int

-- Returns 'ENDED'; 'STOPPING' when it ends with its running subtasks; 'RUNNING', worker, attempt when its worker has to be told; or nil
-- when it is nowhere.
-- Takes a waiting subtask out of its list. An index that was not made yet is made, so that those behind it keep theirs.
local function remove_part(endings, id, list, entry)
  local fan, n = fans.of_subtask(endings, id)
  local handler = fan.handlers
  if list then
    redis.call('LREM', list, 1, entry)
    local worker
    handler, worker = redis_key.split_parts(string.sub(list, #keys.parts('') + 1))
    if redis.call('HEXISTS', keys.fan(fan.id), fan_record.worker_field(worker)) == 1 then
      fan_changes.count_pinned(fan, worker, -1)
    end
  else
    local made = {}
    for before = fan.next_index, tonumber(n) - 1 do
      made[#made + 1] = waiting_part.new(int(before), '')
    end
    fan_changes.push('RPUSH', keys.parts(handler .. ':' .. fan.id), made)
    fan.next_index = tonumber(n) + 1
  end
  if fans.is_drained(fan, handler) then
    redis.call('ZREM', keys.backlog, fans.queue(fan, handler))
  end
end

function cancelling.cancel(endings, now, id, reason, message)
  local place, zset, text, queue = locating.find(id)
  if not place then
    return nil
  end
  local fan = fans.of(endings, id)
  if fan then -- nothing more of it is claimed, whatever becomes of its own attempt
    finishing.drop(fan, 'cancelled', message)
  end
  if place == 'held' then
    local held = held_value.split(text)
    if not held.rest then
      return nil -- it is for lease/reap to put it aside
    end
    local _, waiting_until = held_value.split_cancel(held.cancel)
    if not held_value.is_cancelled(held.cancel) then
      local _, _, _, options = context_record.split_rest(held.rest)
      local until_ms = tonumber(waiting_until) or now + context_options.number(options, 'g', bounds.GRACE_MS)
      held.cancel = held_value.cancel(reason, until_ms)
      redis.call('HSET', keys.held, id, held_value.text(held))
      redis.call('ZADD', keys.wheel, 'LT', until_ms, '!reap')
    end
    redis.call('SPUBLISH', keys.wake, 'cancel ' .. held.worker .. ' ' .. id .. ' ' .. int(held.attempt) .. ' ' .. reason)
    return 'RUNNING', held.worker, held.attempt
  end
  if place == 'ready' then
    ready.remove(queue, zset, text)
  elseif place == 'parts' then
    remove_part(endings, id, zset, queue)
  elseif place ~= 'waiting_for_subtasks' then
    redis.call('ZREM', zset, text)
    if place == 'retry' then
      redis.call('HDEL', keys.retry, id)
    end
  end
  local name = zset and string.sub(zset, #keys.base + 1) or 'fan:' .. id
  local _, attempt, failures, rest = quarantine.open_or_put(now, name, '', text)
  if not attempt then
    return nil
  end
  finishing.end_context(endings, now, { id = id, state = 'cancelled', attempt = attempt, failures = failures, message = message,
    rest = rest,
    place = place })
  return fan and fan.out > 0 and 'STOPPING' or 'ENDED'
end

return cancelling
