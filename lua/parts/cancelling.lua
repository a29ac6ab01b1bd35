-- Part cancelling: cancels one context wherever it is. Needs the parts arming, ready, locate, aside and ending.

-- Returns 'ENDED', or 'RUNNING', worker, attempt when its worker has to be told, or nil when it is nowhere.
local function cancel_one(endings, now, id, reason, message)
  local place, zset, text, queue = locate(id)
  if not place then
    return nil
  end
  if place == 'held' then
    local held = split_held(text)
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
  else
    redis.call('ZREM', zset, text)
    if place == 'retry' then
      redis.call('HDEL', BASE .. 'retry', id)
    end
  end
  local _, attempt, failures, rest = open_or_put_aside(now, string.sub(zset, #BASE + 1), '', text)
  if not attempt then
    return nil
  end
  end_context(endings, now, { id = id, state = 'cancelled', attempt = attempt, failures = failures, message = message, rest = rest })
  return 'ENDED'
end
