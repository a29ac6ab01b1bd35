-- Module fan_out/fan_changes: what a call changes of a fan, and how it is written (W8).
-- @use fan_out/fans
-- @use keys
-- @use record
-- @use records/ended_part
-- @use records/fan_record
-- @use records/waiting_part
-- @use records/context_id
local fan_changes = {}
local int = record.int

local FAILURES_KEPT = 10000 -- results of a fan that nobody reduces
local PARTS_KEPT = 1000 -- that stay behind the end of a root, the first of them
local PARTS_KEPT_MS = 2592000000 -- of a root that has not ended, should nobody ever end it

-- Puts a subtask back to where it waits, in front of those that were not claimed yet. `only` is the worker it is meant for.
function fan_changes.wait_again(fan, n, counts, rest, only)
  local handler, extra, meant_for, body = waiting_part.of_rest(rest)
  only = only or meant_for
  if fan.model ~= 'map' or n == context_id.REDUCE then
    body = string.sub(body, 1, #body - #fans.body(fan))
  end
  local list = handler .. ':' .. fan.id .. (only and ':' .. only or '')
  local back = fan.back[list]
  if not back then
    back = { handler = handler, only = only }
    fan.back[list] = back
  end
  back[#back + 1] = waiting_part.text(n, counts, extra, body)
end

-- So many parts more (or less) wait for a worker.
function fan_changes.count_pinned(fan, worker, more)
  local field = fan_record.worker_field(worker)
  local waiting = redis.call('HINCRBY', keys.fan(fan.id), field, more)
  if waiting == 0 then
    redis.call('HDEL', keys.fan(fan.id), field)
    fan.pinned = fan.pinned - 1
  elseif waiting == more then
    fan.pinned = fan.pinned + 1
  end
end

function fan_changes.push(command, list, entries)
  for first = 1, #entries, 2000 do
    redis.call(command, list, unpack(entries, first, math.min(first + 1999, #entries)))
  end
end

-- Writes what waits again, and names the queues from which something may be claimed now. True when no tracker may know of one.
function fan_changes.flush_waiting(fan, now)
  if fan.state == 'dropping' then
    return false
  end
  local fields = {}
  for list, entries in pairs(fan.back) do
    fan_changes.push('LPUSH', keys.parts(list), entries)
    if entries.only then
      fan_changes.count_pinned(fan, entries.only, #entries)
      redis.call('ZADD', keys.wheel, 'NX', now + fans.LOOK_MS, '%' .. fan.id)
    end
    if not fan_record.has_handler(fan.handlers, entries.handler) then
      fan.handlers, fan.touched = fan_record.with_handler(fan.handlers, entries.handler), true
    end
    fields[#fields + 1] = 0
    fields[#fields + 1] = fans.queue(fan, entries.handler)
  end
  fan.back = {}
  if fan.parallelism > 0 and fan.out >= fan.parallelism then
    return false
  end
  if fan.blocked and fans.waiting(fan) > 0 then
    for handler in fan_record.each_handler(fan.handlers) do
      if fan.model == 'indexed' or redis.call('EXISTS', keys.parts(handler .. ':' .. fan.id)) == 1 then
        fields[#fields + 1] = 0
        fields[#fields + 1] = fans.queue(fan, handler)
      end
    end
  end
  fan.blocked = false
  return #fields > 0 and redis.call('ZADD', keys.backlog, unpack(fields)) > 0
end

-- True when the call did nothing with the fan but claim of it, or nothing at all.
function fan_changes.was_only_claimed(fan)
  local before = fan.before
  local ended = fan.succeeded ~= before.succeeded or fan.failed ~= before.failed or fan.later ~= before.later or fan.out < before.out
  return not (ended or fan.touched or fan.stopping or fan.reduced or fan.results[1] or fan.parts[1] or next(fan.back))
end

function fan_changes.flush_counts(fan)
  local written = {}
  for name, before in pairs(fan.before) do
    if fan[name] ~= before then
      written[#written + 1] = name
      written[#written + 1] = int(fan[name])
      fan.before[name] = fan[name]
    end
  end
  if fan.touched then
    for _, name in ipairs({ 'root', 'by', 'state', 'end', 'result', 'handlers', 'error', 'wanted' }) do
      if fan[name] ~= '' then
        written[#written + 1] = name
        written[#written + 1] = fan[name]
      end
    end
    fan.touched = false
  end
  if #written > 0 then
    redis.call('HSET', keys.fan(fan.id), unpack(written))
  end
end

-- How parts ended, for who asks when the root has.
function fan_changes.flush_parts(fan, now)
  local parts = fan.parts
  if #parts == 0 then
    return
  end
  for i, part in ipairs(parts) do
    parts[i] = ended_part.at(part, now)
  end
  local list = keys.split(fan.id)
  fan_changes.push('RPUSH', list, parts)
  redis.call('LTRIM', list, 0, PARTS_KEPT - 1)
  redis.call('PEXPIRE', list, PARTS_KEPT_MS)
  fan.parts = {}
end

function fan_changes.flush_results(fan)
  local results = fan.results
  if #results > 0 then
    fan_changes.push('RPUSH', keys.results(fan.id), results)
    fan.results = {}
  end
  if #fan.mapped > 0 then
    for first = 1, #fan.mapped, 2000 do
      redis.call('HDEL', keys.fan(fan.id), unpack(fan.mapped, first, math.min(first + 1999, #fan.mapped)))
    end
    fan.mapped = {}
  end
  -- A root that still maps may yet say that it reduces.
  if fan.reduce == '' and fan.state ~= 'open' and (#results > 0 or fan.closing) then
    redis.call('LTRIM', keys.results(fan.id), -FAILURES_KEPT, -1)
  end
end

return fan_changes
