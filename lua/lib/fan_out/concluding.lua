-- Module fan_out/concluding: how a split root ends (W1, W2, W8), and the place where every fan that a call changed is written.
-- @use bounds
-- @use contexts/ready
-- @use fan_out/fan_changes
-- @use fan_out/fans
-- @use fan_out/finishing
-- @use keys
-- @use record
-- @use records/context_id
-- @use records/context_options
-- @use records/context_record
-- @use records/held_value
-- @use records/ended_part
-- @use records/fan_record
-- @use records/waiting_part
local concluding = {}
local int = record.int

-- What stays of a fan behind its end, beside the parts that are kept already. `result` is that of its root.
local function keep(endings, now, fan, result)
  local list = keys.split(fan.id)
  fan_changes.flush_parts(fan, now)
  local bytes = 0
  for _, part in ipairs(redis.call('LRANGE', list, 0, -1)) do
    bytes = bytes + #part + fans.PART_OVERHEAD
  end
  local summary = ended_part.summary(fan, now)
  redis.call('LPUSH', list, summary)
  endings.results[#endings.results + 1] = { fan.id, result, bytes + #summary + fans.PART_OVERHEAD }
end

-- Has everything of a fan that runs told to stop; its attempts end within their grace.
local function stop_running(fan, now)
  local soonest = nil
  for _, id in ipairs(redis.call('HKEYS', keys.held)) do
    if string.sub(id, 1, #fan.head) == fan.head and context_id.split_subtask(id) == fan.id then
      local held = held_value.split(redis.call('HGET', keys.held, id))
      if not held.rest then
        held = nil -- it is for lease/reap to put it aside
      elseif not held_value.is_cancelled(held.cancel) then
        local _, _, _, options = context_record.split_rest(held.rest)
        local until_ms = now + context_options.number(options, 'g', bounds.GRACE_MS)
        held.cancel = held_value.cancel('REQUESTED', until_ms)
        redis.call('HSET', keys.held, id, held_value.text(held))
        soonest = math.min(soonest or until_ms, until_ms)
      end
      if held then
        redis.call('SPUBLISH', keys.wake, 'cancel ' .. held.worker .. ' ' .. id .. ' ' .. int(held.attempt) .. ' REQUESTED')
      end
    end
  end
  if soonest then
    redis.call('ZADD', keys.wheel, 'LT', soonest, '!reap')
  end
end

-- Removes a fan; what becomes of its root is the caller's. Answers with the root's last attempt.
local function forget(endings, fan)
  redis.call('UNLINK', keys.fan(fan.id), keys.results(fan.id))
  redis.call('HDEL', keys.fans, fan.id)
  fan.over = true
  endings.fans.roots[fan.id] = false
  local _, attempt, failures, rest = context_record.split(fan.id .. ' ' .. fan.root)
  if not rest or not context_record.split_rest(rest) then -- what it ran cannot be read: it ends, and is not tried again
    local group, handler = fan.group, fan_record.first_handler(fan.handlers) or ''
    group, handler = fan_record.is_name(group) and group or 'lost', fan_record.is_name(handler) and handler or 'lost'
    attempt, failures, rest = fan.round, 0, context_record.rest_text(group, handler, '2', 'r=1', '')
  end
  local worker, claimed = fan_record.split_by(fan.by)
  return { id = fan.id, attempt = attempt, failures = failures, rest = rest, worker = worker, claimed = claimed, cancel = '-' }
end

local function succeed_root(endings, now, fan, result)
  local root = forget(endings, fan)
  keep(endings, now, fan, result)
  root.state = 'succeeded'
  finishing.end_context(endings, now, root)
end

-- The attempt of the root failed: everything is mapped anew, while it has attempts left.
local function fail_root(endings, now, fan, message)
  local root = forget(endings, fan)
  local random = tonumber(string.sub(redis.sha1hex(fan.id .. int(root.attempt) .. int(now)), 1, 5), 16) / 1048576
  if finishing.fail_attempt(endings, now, fan.id, root, { state = 'failed', message = message, random = random }) == 'RETRYING' then
    redis.call('UNLINK', keys.split(fan.id))
  else
    keep(endings, now, fan, '')
  end
end

local function end_root(endings, now, fan)
  local state, message = fan_record.split_end(fan['end'])
  state, message = state or 'failed', message or 'lost: how it ends cannot be read'
  if state == 'succeeded' then
    return succeed_root(endings, now, fan, fan.result)
  elseif state == 'failing' then
    return fail_root(endings, now, fan, message)
  end
  local root = forget(endings, fan)
  keep(endings, now, fan, '')
  root.state, root.message = state, message
  finishing.end_context(endings, now, root)
end

-- Ends the fan before all of its subtasks have ended, when its rules say that it is decided.
local function decide_early(fan)
  if fan.state ~= 'closed' or fan.total == fan.succeeded + fan.failed then
    return
  end
  if fan.wanted ~= '' and tonumber(fan.wanted) <= 0 then
    finishing.drop(fan, 'succeeded', '')
  elseif fan.max_failed ~= '' and fan.failed > tonumber(fan.max_failed) then
    finishing.drop(fan, 'failing', int(fan.failed) .. ' subtasks failed, ' .. fan.max_failed .. ' may; ' .. fan.error)
  end
end

local function is_enough(fan)
  if fan.model == 'broadcast' then
    return fan.succeeded >= (tonumber(fan.quorum) or fan.total)
  end
  if fan.wanted ~= '' then
    return tonumber(fan.wanted) <= 0
  end
  return fan.failed <= (tonumber(fan.max_failed) or 0)
end

-- Ends the root when nothing of the fan is left to do, or starts the reduce. True when the fan is over.
local function conclude(endings, now, fan)
  if fan.state == 'dropping' then
    if fan.out > 0 or fan.root == '' then
      return false
    end
    end_root(endings, now, fan)
  elseif fan.reduced then
    if fan.reduced.failed then
      fail_root(endings, now, fan, 'its reduce failed: ' .. fan.reduced.text)
    else
      succeed_root(endings, now, fan, fan.reduced.text)
    end
  elseif fan.state ~= 'closed' or fan.succeeded + fan.failed < fan.total then
    return false
  elseif fan.reduce ~= '' and (fan.reduce_on ~= 'succeeded' or fan.failed == 0) then
    fan.state, fan.touched = 'reducing', true
    fan.back[fan.reduce .. ':' .. fan.id] = { handler = fan.reduce, waiting_part.new(context_id.REDUCE, '') }
    return false
  elseif is_enough(fan) then
    succeed_root(endings, now, fan, fan.result)
  else
    fail_root(endings, now, fan, int(fan.failed) .. ' of ' .. int(fan.total) .. ' subtasks failed; ' .. fan.error)
  end
  return true
end

local function write_fans(endings, now)
  local told = false
  for _, fan in ipairs(endings.fans.order) do
    if not fan.over then
      decide_early(fan)
      if fan.stopping then
        fan.stopping = false
        stop_running(fan, now)
      end
      if not conclude(endings, now, fan) then
        fan_changes.flush_results(fan)
        fan_changes.flush_parts(fan, now)
        told = fan_changes.flush_waiting(fan, now) or told
        fan_changes.flush_counts(fan)
      end
    end
  end
  if told then
    ready.wake(0)
  end
end

-- Writes every fan that changed in this call, and ends the roots whose subtasks have ended. Behind everything that changes `held`, and
-- before the endings are flushed.
function concluding.flush(endings, now)
  if endings.fans.order[1] then
    write_fans(endings, now)
  end
end

-- The same for a turn, which mostly claims and ends nothing. True when it did more with one.
function concluding.flush_claims(endings, now)
  for _, fan in ipairs(endings.fans.order) do
    if fan.over or not fan_changes.was_only_claimed(fan) then
      write_fans(endings, now)
      return true
    end
  end
  for _, fan in ipairs(endings.fans.order) do
    fan_changes.flush_counts(fan)
  end
  return false
end

return concluding
