-- Part cancelling: cancels one context wherever it is. Needs the parts arming, ready, aside, ending, fans, fanning and locate.

-- Returns 'ENDED'; 'STOPPING' when it ends with its running subtasks; 'RUNNING', worker, attempt when its worker has to be told; or nil
-- when it is nowhere.
local cancel_one = made_on_call(function()
  -- Takes a waiting subtask out of its list. An index that was not made yet is made, so that those behind it keep theirs.
  local function remove_part(endings, id, list, entry)
    local fan, n = fans.of_subtask(endings, id)
    local handler = fan.handlers
    if list then
      redis.call('LREM', list, 1, entry)
      handler = string.match(string.sub(list, #key('parts', '') + 1), '^[^:]+')
      local worker = string.match(list, ':([^:]+)$')
      if redis.call('HEXISTS', key('fan', fan.id), 'w:' .. worker) == 1 then
        fans.count_pinned(fan, worker, -1)
      end
    else
      local made = {}
      for before = fan.next_index, tonumber(n) - 1 do
        made[#made + 1] = int(before) .. ' 0:0 '
      end
      fans.push('RPUSH', key('parts', handler .. ':' .. fan.id), made)
      fan.next_index = tonumber(n) + 1
    end
    if fans.is_drained(fan, handler) then
      redis.call('ZREM', BASE .. 'backlog', fans.queue(fan, handler))
    end
  end

  return function(endings, now, id, reason, message)
    local place, zset, text, queue = locate(id)
    if not place then
      return nil
    end
    local fan = fans.of(endings, id)
    if fan then -- nothing more of it is claimed, whatever becomes of its own attempt
      fanned.drop(fan, 'cancelled', message)
    end
    if place == 'held' then
      local held = split_held(text)
      if not held.rest then
        return nil -- it is for lease/reap to put it aside
      end
      local waiting, waiting_until = string.match(held.cancel, '^([%a_]+)@(%d+)$')
      if not waiting or waiting == 'TIMED_OUT' then -- an attempt that only timed out would be retried
        local _, _, _, options = split_rest(held.rest)
        local until_ms = tonumber(waiting_until) or now + option_number(options, 'g', GRACE_MS)
        held.cancel = reason .. '@' .. int(until_ms)
        redis.call('HSET', BASE .. 'held', id, held_value(held))
        redis.call('ZADD', BASE .. 'wheel', 'LT', until_ms, '!reap')
      end
      redis.call('SPUBLISH', BASE .. 'wake', 'cancel ' .. held.worker .. ' ' .. id .. ' ' .. int(held.attempt) .. ' ' .. reason)
      return 'RUNNING', held.worker, held.attempt
    end
    if place == 'ready' then
      remove_ready(queue, zset, text)
    elseif place == 'parts' then
      remove_part(endings, id, zset, queue)
    elseif place ~= 'fanned' then
      redis.call('ZREM', zset, text)
      if place == 'retry' then
        redis.call('HDEL', BASE .. 'retry', id)
      end
    end
    local name = zset and string.sub(zset, #BASE + 1) or 'fan:' .. id
    local _, attempt, failures, rest = open_or_put_aside(now, name, '', text)
    if not attempt then
      return nil
    end
    end_context(endings, now, { id = id, state = 'cancelled', attempt = attempt, failures = failures, message = message, rest = rest,
      place = place })
    return fan and fan.out > 0 and 'STOPPING' or 'ENDED'
  end
end)
