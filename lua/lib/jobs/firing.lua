-- Module jobs/firing: how a due time of a job becomes a context, or why it does not (W3, W6).
-- @use contexts/cancelling
-- @use keys
-- @use lists
-- @use partition
-- @use record
-- @use jobs/overlap
-- @use jobs/overlap_queue
-- @use records/context_id
-- @use records/context_options
-- @use records/context_record
-- @use records/queue_name
-- @use records/wheel_entry
-- @use records/active_mark
local firing = {}
local int = record.int

local REPLACED_MAX = 50 -- of those that run, and of those that wait, by one firing: more than one are of an earlier policy
-- What every firing reads; the other fields of a job are read when one is asked for, '' where it is absent.
local FIRE_FIELDS = { 'state', 'kind', 'next', 'period', 'end_at', 'max_runs', 'fired', 'jitter', 'tolerance', 'overlap',
  'overlap_limit', 'tmpl' }
local SELDOM_READ = { __index = function(fields, name)
  local value = redis.call('HGET', keys.job(fields.name), name) or ''
  fields[name] = value
  return value
end }

-- The job's fields, with the number of its active contexts; nil when there is no such job.
function firing.load_job(job)
  local values = redis.call('HMGET', keys.job(job), unpack(FIRE_FIELDS))
  if not values[1] then
    return nil
  end
  local fields = { name = job, ledger = {}, missed = 0, active = redis.call('HLEN', keys.active(job)) }
  for i, name in ipairs(FIRE_FIELDS) do
    fields[name] = values[i] or ''
  end
  fields.fired = tonumber(fields.fired) or 0
  return setmetatable(fields, SELDOM_READ)
end

function firing.note_due(fields, text)
  fields.ledger[#fields.ledger + 1] = text
end

function firing.flush_ledger(fields)
  if #fields.ledger == 0 then
    return
  end
  lists.push(keys.ledger(fields.name), fields.ledger, function() return tonumber(fields.ledger_limit) or 1000 end)
end

-- The id of the context that a due time becomes, and its text in the ledger: none where it follows from the due time. A job of one due
-- time that was registered after it may have fired it before it was deleted; the id says when the job was registered.
function firing.firing_id(fields, due)
  local head, tail = partition.number() .. '.' .. int(due) .. '.f', '@' .. fields.name
  if fields.kind == 'once' and due <= (tonumber(fields.created_ms) or 0) then
    local id = head .. fields.created_ms .. tail
    return id, id
  end
  return head .. tail, ''
end

-- A context with a start deadline has an entry in the wheel for it.
function firing.watch_start(endings, id, due, rest)
  local group, handler, priority, options = context_record.split_rest(rest)
  local deadline = tonumber(context_options.value(options, 's'))
  if deadline then
    local at = due + deadline
    endings.wheel[#endings.wheel + 1] = at
    endings.wheel[#endings.wheel + 1] = wheel_entry.start_deadline(id, queue_name.of(group .. ' ' .. handler, options), priority)
    endings.soonest = math.min(endings.soonest or at, at)
    endings.watched[id] = true
  end
end

-- False for a job whose fields no firing can be made of: its entry must not stop the others.
function firing.is_sound(fields)
  local grid = fields.kind == 'fixed_rate' or fields.kind == 'fixed_delay'
  return queue_name.of_rest(fields.tmpl) and (fields.next == '' or tonumber(fields.next)) and (not grid or tonumber(fields.period))
    and (fields.end_at == '' or tonumber(fields.end_at))
end

-- Offers one firing to the overlap policy. 'START' (the caller places the member), 'QUEUE', or 'SKIP' with the reason.
function firing.offer_firing(endings, now, fields, id, rest)
  local policy, queue = fields.overlap, keys.queue(fields.name)
  local scheduled = active_mark.of(id)
  if policy == 'replace' and fields.active > 0 then
    for _, member in ipairs(redis.call('ZRANGE', queue, 0, REPLACED_MAX - 1)) do
      local waiting = context_record.split(member)
      if waiting and context_id.due_of(waiting) then
        cancelling.cancel(endings, now, waiting, 'REPLACED', 'replaced by ' .. id)
      end
    end
    local running = redis.call('HKEYS', keys.active(fields.name))
    for i = 1, math.min(#running, REPLACED_MAX) do
      cancelling.cancel(endings, now, running[i], 'REPLACED', 'replaced by ' .. id)
    end
    fields.active = redis.call('HLEN', keys.active(fields.name))
  end
  local verdict, detail = overlap.decide(policy, fields.overlap_limit, fields.active, queue)
  if verdict == 'START' then
    redis.call('HSET', keys.active(fields.name), id, scheduled)
    fields.active = fields.active + 1
    firing.watch_start(endings, id, context_id.due_of(id), rest)
    return 'START'
  end
  if verdict == 'SKIP' then
    return 'SKIP', detail
  end
  redis.call('ZADD', queue, context_id.due_of(id), context_record.text(id, 0, 0, rest))
  if policy == 'replace' and detail >= 1 then
    overlap_queue.note_surplus(fields.name, policy, fields.overlap_limit)
  end
  firing.watch_start(endings, id, context_id.due_of(id), rest)
  return 'QUEUE'
end

return firing
