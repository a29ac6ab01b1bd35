-- Module fan_out/finishing: what the ends of subtasks do to their root, and how a split root ends (W1, W2, W7, W8).
-- @use bounds
-- @use contexts/ending
-- @use fan_out/fans
-- @use keys
-- @use contexts/ready
-- @use record
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
  return ending.fail_attempt(endings, now, id, held, how, finishing)
end

-- Writes every fan that changed in this call, and ends the roots whose subtasks have ended. Behind everything that changes `held`, and
-- before the endings are flushed.
function finishing.flush(endings, now)
  if endings.fans.order[1] then
    finishing.write_fans(endings, now)
  end
end

-- The same for a turn, which mostly claims and ends nothing. True when it did more with one.
function finishing.flush_claims(endings, now)
  for _, fan in ipairs(endings.fans.order) do
    if fan.over or not fans.was_only_claimed(fan) then
      finishing.write_fans(endings, now)
      return true
    end
  end
  for _, fan in ipairs(endings.fans.order) do
    fans.flush_counts(fan)
  end
  return false
end

finishing.PART_MESSAGE_BYTES = 200

-- Counts a subtask that ended for good, and keeps its result where somebody wants it: the reduce, or a person who looks for failures.
-- `by`, where it is known, is `<attempt> <worker> <claimed ms>` of its last attempt. How it ended stays with the record of its root when
-- it failed, or is a part that one can ask for by its worker.
function finishing.end_subtask(fan, n, failed, text, by)
  if failed or fan.model == 'broadcast' or fan.model == 'sharding' then
    local message = failed and string.sub(ending.clean(text), 1, finishing.PART_MESSAGE_BYTES) or ''
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

-- What stays of a fan behind its end, beside the parts that are kept already. `result` is that of its root.
function finishing.keep(endings, now, fan, result)
  local list = keys.split(fan.id)
  fans.flush_parts(fan, now)
  local bytes = 0
  for _, part in ipairs(redis.call('LRANGE', list, 0, -1)) do
    bytes = bytes + #part + fans.PART_OVERHEAD
  end
  local summary = table.concat({ fan.model, int(fan.round), int(fan.created_ms), int(now), int(fan.total), int(fan.succeeded),
    int(fan.failed), fan.reduce }, ' ')
  redis.call('LPUSH', list, summary)
  endings.results[#endings.results + 1] = { fan.id, result, bytes + #summary + fans.PART_OVERHEAD }
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
  fan['end'] = state .. ' ' .. ending.clean(message)
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
      finishing.end_subtask(fan, n, true, ending.clean(ended.message), finishing.by(ended.attempt, ended.worker, ended.claimed))
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
    fans.wait_again(fan, n, int(held.attempt) .. ':' .. int(math.min(held.failures + 1, bounds.ATTEMPT_MAX)), rest, only)
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
      fans.wait_again(fan, n, int(held.attempt) .. ':' .. int(held.failures), rest, only)
    end
  end
  return true
end

-- Has everything of a fan that runs told to stop; its attempts end within their grace.
function finishing.stop_running(fan, now)
  local soonest = nil
  for _, id in ipairs(redis.call('HKEYS', keys.held)) do
    if string.sub(id, 1, #fan.head) == fan.head and fans.split(id) == fan.id then
      local held = record.split_held(redis.call('HGET', keys.held, id))
      if not held.rest then
        held = nil -- it is for lease/reap to put it aside
      elseif held.cancel == '-' or string.sub(held.cancel, 1, 9) == 'TIMED_OUT' then
        local _, _, _, options = record.split_rest(held.rest)
        local until_ms = now + record.option_number(options, 'g', bounds.GRACE_MS)
        held.cancel = 'REQUESTED@' .. int(until_ms)
        redis.call('HSET', keys.held, id, record.held_value(held))
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

local NAME = '^[%w_][%w._/-]*$'

-- Removes a fan; what becomes of its root is the caller's. Answers with the root's last attempt.
function finishing.forget(endings, fan)
  redis.call('UNLINK', keys.fan(fan.id), keys.results(fan.id))
  redis.call('HDEL', keys.fans, fan.id)
  fan.over = true
  endings.fans.roots[fan.id] = false
  local _, attempt, failures, rest = record.split_member(fan.id .. ' ' .. fan.root)
  if not rest or not record.split_rest(rest) then -- what it ran cannot be read: it ends, and is not tried again
    local group, handler = string.match(fan.group, NAME), string.match(fan.handlers, '^%S+')
    attempt, failures, rest = fan.round, 0, (group or 'lost') .. ' ' .. (string.match(handler or '', NAME) or 'lost') .. ' 2 r=1 '
  end
  local worker, claimed = string.match(fan.by, '^(%S+) (%d+)$')
  claimed = claimed and record.is_instant(claimed) and claimed or nil
  return { id = fan.id, attempt = attempt, failures = failures, rest = rest, worker = worker,
    claimed = tonumber(claimed), cancel = '-' }
end

function finishing.succeed_root(endings, now, fan, result)
  local root = finishing.forget(endings, fan)
  finishing.keep(endings, now, fan, result)
  root.state = 'succeeded'
  finishing.end_context(endings, now, root)
end

-- The attempt of the root failed: everything is mapped anew, while it has attempts left.
function finishing.fail_root(endings, now, fan, message)
  local root = finishing.forget(endings, fan)
  local random = tonumber(string.sub(redis.sha1hex(fan.id .. int(root.attempt) .. int(now)), 1, 5), 16) / 1048576
  if finishing.fail_attempt(endings, now, fan.id, root, { state = 'failed', message = message, random = random }) == 'RETRYING' then
    redis.call('UNLINK', keys.split(fan.id))
  else
    finishing.keep(endings, now, fan, '')
  end
end

function finishing.end_root(endings, now, fan)
  local state, message = string.match(fan['end'], '^(%S+) (.*)$')
  state, message = state or 'failed', message or 'lost: how it ends cannot be read'
  if state == 'succeeded' then
    return finishing.succeed_root(endings, now, fan, fan.result)
  elseif state == 'failing' then
    return finishing.fail_root(endings, now, fan, message)
  end
  local root = finishing.forget(endings, fan)
  finishing.keep(endings, now, fan, '')
  root.state, root.message = state, message
  finishing.end_context(endings, now, root)
end

-- Ends the fan before all of its subtasks have ended, when its rules say that it is decided.
function finishing.decide_early(fan)
  if fan.state ~= 'closed' or fan.total == fan.succeeded + fan.failed then
    return
  end
  if fan.wanted ~= '' and tonumber(fan.wanted) <= 0 then
    finishing.drop(fan, 'succeeded', '')
  elseif fan.max_failed ~= '' and fan.failed > tonumber(fan.max_failed) then
    finishing.drop(fan, 'failing', int(fan.failed) .. ' subtasks failed, ' .. fan.max_failed .. ' may; ' .. fan.error)
  end
end

function finishing.is_enough(fan)
  if fan.model == 'broadcast' then
    return fan.succeeded >= (tonumber(fan.quorum) or fan.total)
  end
  if fan.wanted ~= '' then
    return tonumber(fan.wanted) <= 0
  end
  return fan.failed <= (tonumber(fan.max_failed) or 0)
end

-- Ends the root when nothing of the fan is left to do, or starts the reduce. True when the fan is over.
function finishing.conclude(endings, now, fan)
  if fan.state == 'dropping' then
    if fan.out > 0 or fan.root == '' then
      return false
    end
    finishing.end_root(endings, now, fan)
  elseif fan.reduced then
    if fan.reduced.failed then
      finishing.fail_root(endings, now, fan, 'its reduce failed: ' .. fan.reduced.text)
    else
      finishing.succeed_root(endings, now, fan, fan.reduced.text)
    end
  elseif fan.state ~= 'closed' or fan.succeeded + fan.failed < fan.total then
    return false
  elseif fan.reduce ~= '' and (fan.reduce_on ~= 'succeeded' or fan.failed == 0) then
    fan.state, fan.touched = 'reducing', true
    fan.back[fan.reduce .. ':' .. fan.id] = { handler = fan.reduce, 'r 0:0 ' }
    return false
  elseif finishing.is_enough(fan) then
    finishing.succeed_root(endings, now, fan, fan.result)
  else
    finishing.fail_root(endings, now, fan, int(fan.failed) .. ' of ' .. int(fan.total) .. ' subtasks failed; ' .. fan.error)
  end
  return true
end

function finishing.write_fans(endings, now)
  local told = false
  for _, fan in ipairs(endings.fans.order) do
    if not fan.over then
      finishing.decide_early(fan)
      if fan.stopping then
        fan.stopping = false
        finishing.stop_running(fan, now)
      end
      if not finishing.conclude(endings, now, fan) then
        fans.flush_results(fan)
        fans.flush_parts(fan, now)
        told = fans.flush_waiting(fan, now) or told
        fans.flush_counts(fan)
      end
    end
  end
  if told then
    ready.wake(0)
  end
end

return finishing
