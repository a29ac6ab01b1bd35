-- Module fan_out/finishing: how attempts of subtasks and of split roots end, and what that does to their fan (W1, W2, W7, W8). The fans are
-- written by fan_out/concluding.
-- @use bounds
-- @use contexts/ending
-- @use fan_out/fan_changes
-- @use fan_out/fans
-- @use keys
-- @use contexts/ready
-- @use record
-- @use contexts/retrying
-- @use records/context_id
-- @use records/held_value
-- @use records/settled_record
-- @use records/ended_part
-- @use records/fan_record
-- @use records/waiting_part
local finishing = {}
local int = record.int

-- Asked before a context is ended: true when the end was taken over, that of a subtask and that of a root with subtasks.
-- `ended.place` says from where: absent for a running attempt.
function finishing.takes(endings, ended)
  if not context_id.is_subtask(ended.id) and not fans.any(endings) then
    return false
  end
  return finishing.take_over(endings, ended)
end

-- Ends the context `ended.id` for good, a subtask as well; see contexts/ending.
function finishing.end_context(endings, now, ended)
  if not finishing.takes(endings, ended) then
    ending.end_context(endings, now, ended)
  end
end

-- Ends an attempt without success, that of a subtask as well; see contexts/ending.
function finishing.fail_attempt(endings, now, id, held, how)
  return retrying.fail_attempt(endings, now, id, held, how, finishing)
end

finishing.PART_MESSAGE_BYTES = 200
local PART_RESULT_BYTES = 1024

-- Counts a subtask that ended for good, and keeps its result where somebody wants it: the reduce, or a person who looks for failures.
-- `by`, where it is known, is `<attempt> <worker> <claimed ms>` of its last attempt. How it ended stays with the record of its root when
-- it failed, or is a part that one can ask for by its worker.
function finishing.end_subtask(fan, n, failed, text, by)
  if failed or fan.model == 'broadcast' or fan.model == 'sharding' then
    local message = ''
    if failed then
      message = string.sub(settled_record.clean(text), 1, finishing.PART_MESSAGE_BYTES)
    elseif text ~= '' then
      message = int(#text) .. ' ' .. string.sub(text, 1, PART_RESULT_BYTES)
    end
    fan.parts[#fan.parts + 1] = ended_part.text(n, failed, by, message)
  end
  if n == context_id.REDUCE then
    fan.reduced = { failed = failed, text = text }
    return
  end
  local word = failed and 'failed' or 'succeeded'
  fan[word] = fan[word] + 1
  if fan.reduce ~= '' or failed or fan.state == 'open' then
    fan.results[#fan.results + 1] = ended_part.result(n, failed, text)
  end
  if failed and fan.error == '' then
    fan.error, fan.touched = n .. ': ' .. text, true
  end
  if fan.deep == '1' then
    fan.mapped[#fan.mapped + 1] = fan_record.mapped_field(n)
  end
  local counts = fan.success == '' or fan_record.has_number(fan.success, n)
  if not failed and fan.wanted ~= '' and counts then
    fan.wanted, fan.touched = int(tonumber(fan.wanted) - 1), true
  end
end

-- Drops what waits of a fan. What runs is told to stop at the flush, and the root ends when the last of it has.
function finishing.drop(fan, state, message)
  if fan.state == 'dropping' then
    return
  end
  local workers = {}
  if fan.pinned > 0 then
    for _, name in ipairs(redis.call('HKEYS', keys.fan(fan.id))) do
      workers[#workers + 1] = fan_record.worker_of(name)
    end
    redis.call('ZREM', keys.wheel, '%' .. fan.id)
  end
  for handler in fan_record.each_handler(fan.handlers) do
    local list = handler .. ':' .. fan.id
    redis.call('ZREM', keys.backlog, fans.queue(fan, handler))
    redis.call('UNLINK', keys.parts(list))
    for _, worker in ipairs(workers) do
      redis.call('UNLINK', keys.parts(list .. ':' .. worker))
      redis.call('HDEL', keys.fan(fan.id), fan_record.worker_field(worker))
    end
  end
  fan.state, fan.back, fan.pinned, fan.stopping, fan.touched = 'dropping', {}, 0, true, true
  fan['end'] = fan_record.end_text(state, settled_record.clean(message))
end

function finishing.own_attempt_over(fan, held)
  fan.root = fan_record.root_text(held.attempt, held.failures or 0, held.rest)
  ready.use_placement('c=' .. fan.placement)
  fan.by = fan_record.by_text(held.worker, held.claimed)
  fan.touched = true
end

function finishing.take_over(endings, ended)
  if context_id.is_subtask(ended.id) then
    local fan, n = fans.of_subtask(endings, ended.id)
    if fan then
      if not ended.place then
        fan.out = fan.out - 1
      elseif ended.place == 'retry' then
        fan.later = fan.later - 1
      end
      finishing.end_subtask(fan, n, true, settled_record.clean(ended.message), ended_part.by(ended.attempt, ended.worker, ended.claimed))
    end
    return true
  end
  local fan = fans.of(endings, ended.id)
  if not fan then
    return false
  end
  finishing.drop(fan, ended.state, ended.message)
  finishing.own_attempt_over(fan, ended)
  return true
end

-- An attempt of a subtask ended well, or that of a root with subtasks, which waits for them now. False when it is neither.
function finishing.succeed(endings, id, value, result)
  if context_id.is_subtask(id) then
    local fan, n = fans.of_subtask(endings, id)
    if fan then
      fan.out = fan.out - 1
      finishing.end_subtask(fan, n, false, result, held_value.attempt_of(value))
    end
    return true
  end
  local fan = fans.of(endings, id)
  if not fan then
    return false
  end
  finishing.own_attempt_over(fan, held_value.split(value))
  fan.result = result
  if fan.state == 'open' then
    fan.state, fan.closing = 'closed', true
  end
  return true
end

-- Why a subtask is not tried again although it has attempts left; nil when it is.
function finishing.is_final(endings, id, how)
  local fan, n = fans.of_subtask(endings, id)
  if not fan or fan.state == 'dropping' then
    return true
  end
  if fan.model == 'broadcast' and n ~= context_id.REDUCE and how.avoid then
    how.message = 'worker lost: ' .. how.message
    return true
  end
  return false
end

-- The next attempt of a subtask: back among those that wait or, when it is for `at`, in the wheel. Returns the rest to keep there.
function finishing.retries(endings, id, held, rest, at)
  local fan, n = fans.of_subtask(endings, id)
  fan.out = fan.out - 1
  local only = waiting_part.meant_for(rest)
  local freed = only and waiting_part.freed(rest)
  if freed then -- that worker is lost: any other may run it
    rest, only = freed, nil
  end
  if not at then
    fan_changes.wait_again(fan, n, int(held.attempt) .. ':' .. int(math.min(held.failures + 1, bounds.ATTEMPT_MAX)), rest, only)
    return rest
  end
  fan.later = fan.later + 1
  return rest
end

-- Gives an attempt of a subtask back that did not start. False when `id` is no subtask. `pass` says what waits again of one that any
-- worker of its placement may run.
function finishing.give_back(endings, id, held, pass)
  if not context_id.is_subtask(id) then
    return false
  end
  local fan, n = fans.of_subtask(endings, id)
  if fan then
    fan.out = fan.out - 1
    if fan.state ~= 'dropping' then
      local only = waiting_part.meant_for(held.rest)
      local rest = only and held.rest or pass(held.rest, held.worker)
      fan_changes.wait_again(fan, n, int(held.attempt) .. ':' .. int(held.failures), rest, only)
    end
  end
  return true
end

return finishing
