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
local finishing = {}
local int = record.int

-- Asked before a context is ended: true when the end was taken over, that of a subtask and that of a root with subtasks.
-- `ended.place` says from where: absent for a running attempt.
function finishing.takes(endings, ended)
  if not string.find(ended.id, '~', 1, true) and not fans.any(endings) then
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
      message = string.sub(record.clean(text), 1, finishing.PART_MESSAGE_BYTES)
    elseif text ~= '' then
      message = int(#text) .. ' ' .. string.sub(text, 1, PART_RESULT_BYTES)
    end
    fan.parts[#fan.parts + 1] = n .. (failed and ' f ' or ' s ') .. (by or '0 - 0') .. ' ' .. message
  end
  if n == 'r' then
    fan.reduced = { failed = failed, text = text }
    return
  end
  local word = failed and 'failed' or 'succeeded'
  fan[word] = fan[word] + 1
  if fan.reduce ~= '' or failed or fan.state == 'open' then
    fan.results[#fan.results + 1] = n .. (failed and ' f ' or ' s ') .. text
  end
  if failed and fan.error == '' then
    fan.error, fan.touched = n .. ': ' .. text, true
  end
  if fan.deep == '1' then
    fan.mapped[#fan.mapped + 1] = 'm:' .. n
  end
  local counts = fan.success == '' or string.find(',' .. fan.success .. ',', ',' .. n .. ',', 1, true)
  if not failed and fan.wanted ~= '' and counts then
    fan.wanted, fan.touched = int(tonumber(fan.wanted) - 1), true
  end
end

function finishing.by(attempt, worker, claimed)
  return int(attempt or 0) .. ' ' .. (worker or '-') .. ' ' .. int(claimed or 0)
end

-- Drops what waits of a fan. What runs is told to stop at the flush, and the root ends when the last of it has.
function finishing.drop(fan, state, message)
  if fan.state == 'dropping' then
    return
  end
  local workers = {}
  if fan.pinned > 0 then
    for _, name in ipairs(redis.call('HKEYS', keys.fan(fan.id))) do
      workers[#workers + 1] = string.match(name, '^w:(.+)$')
    end
    redis.call('ZREM', keys.wheel, '%' .. fan.id)
  end
  for handler in string.gmatch(fan.handlers, '%S+') do
    local list = handler .. ':' .. fan.id
    redis.call('ZREM', keys.backlog, fans.queue(fan, handler))
    redis.call('UNLINK', keys.parts(list))
    for _, worker in ipairs(workers) do
      redis.call('UNLINK', keys.parts(list .. ':' .. worker))
      redis.call('HDEL', keys.fan(fan.id), 'w:' .. worker)
    end
  end
  fan.state, fan.back, fan.pinned, fan.stopping, fan.touched = 'dropping', {}, 0, true, true
  fan['end'] = state .. ' ' .. record.clean(message)
end

function finishing.own_attempt_over(fan, held)
  fan.root = int(held.attempt) .. ':' .. int(held.failures or 0) .. ' ' .. held.rest
  ready.use_lane('c=' .. fan.lane)
  fan.by = (held.worker or '-') .. ' ' .. int(held.claimed or 0)
  fan.touched = true
end

function finishing.take_over(endings, ended)
  if string.find(ended.id, '~', 1, true) then
    local fan, n = fans.of_subtask(endings, ended.id)
    if fan then
      if not ended.place then
        fan.out = fan.out - 1
      elseif ended.place == 'retry' then
        fan.later = fan.later - 1
      end
      finishing.end_subtask(fan, n, true, record.clean(ended.message), finishing.by(ended.attempt, ended.worker, ended.claimed))
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
  if string.find(id, '~', 1, true) then
    local fan, n = fans.of_subtask(endings, id)
    if fan then
      fan.out = fan.out - 1
      finishing.end_subtask(fan, n, false, result, (string.gsub(string.match(value, '^%d+:%d+ %S+ %d+'), ':%d+', '', 1)))
    end
    return true
  end
  local fan = fans.of(endings, id)
  if not fan then
    return false
  end
  finishing.own_attempt_over(fan, record.split_held(value))
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
  if fan.model == 'broadcast' and n ~= 'r' and how.avoid then
    how.message = 'worker lost: ' .. how.message
    return true
  end
  return false
end

-- The worker that a part is for, and no other: it was claimed from what waits for that worker.
function finishing.meant_for(rest)
  return string.match(rest, '^%S+ %S+ %d %S*,w=([^,%s]+)')
end

-- The next attempt of a subtask: back among those that wait or, when it is for `at`, in the wheel. Returns the rest to keep there.
function finishing.retries(endings, id, held, rest, at)
  local fan, n = fans.of_subtask(endings, id)
  fan.out = fan.out - 1
  local only = finishing.meant_for(rest)
  if only and string.find(rest, '^%S+ %S+ %d %S*,a=') then -- it is lost: any other may run it
    rest, only = string.gsub(rest, ',w=[^,%s]+', '', 1), nil
  end
  if not at then
    fan_changes.wait_again(fan, n, int(held.attempt) .. ':' .. int(math.min(held.failures + 1, bounds.ATTEMPT_MAX)), rest, only)
    return rest
  end
  fan.later = fan.later + 1
  return rest
end

-- Gives an attempt of a subtask back that did not start. False when `id` is no subtask. `pass` says what waits again of one that any
-- worker of its lane may run.
function finishing.give_back(endings, id, held, pass)
  if not string.find(id, '~', 1, true) then
    return false
  end
  local fan, n = fans.of_subtask(endings, id)
  if fan then
    fan.out = fan.out - 1
    if fan.state ~= 'dropping' then
      local only = finishing.meant_for(held.rest)
      local rest = only and held.rest or pass(held.rest, held.worker)
      fan_changes.wait_again(fan, n, int(held.attempt) .. ':' .. int(held.failures), rest, only)
    end
  end
  return true
end

return finishing
