-- Module contexts/mending: brings one context, found in one place, to the score and the indexes that belong to it there; for
-- repair/context. `call` has now, id, due, job, endings, retry (its score in the index of retries, or false), and `done(text)`, which
-- takes what was done.
-- @use contexts/ready
-- @use keys
-- @use limits/usage
-- @use ready_sets
-- @use record
-- @use records/context_options
-- @use records/context_record
-- @use records/held_value
-- @use records/queue_name
-- @use records/wheel_entry
-- @use args/forms
-- @use records/active_mark
local mending = {}
local int = record.int

-- Takes it out of a place.
function mending.remove(call, spot)
  if spot.place == 'held' then
    redis.call('HDEL', keys.held, call.id)
    usage.leave({ spot.text }, call.now)
  elseif spot.place == 'fan' then
    redis.call('HDEL', keys.base .. spot.name, 'root')
  elseif spot.place == 'ready' then
    ready.remove(queue_name.of_set(string.sub(spot.name, 7)), keys.base .. spot.name, spot.text)
  else
    redis.call('ZREM', keys.base .. spot.name, spot.text)
  end
end

-- The index of retries says `at`, or nothing.
function mending.index_retry(call, at)
  if at then
    if call.retry ~= int(at) then
      redis.call('HSET', keys.retry, call.id, int(at))
      call.done('waits for its next attempt at ' .. int(at))
    end
  elseif call.retry then
    redis.call('HDEL', keys.retry, call.id)
    call.done('taken out of the retry index')
  end
end

local function in_wheel(call, spot)
  local at = forms.is_digits(spot.score) and tonumber(spot.score) or nil
  if spot.attempt > 0 then
    if not at then
      at = call.now
      redis.call('ZADD', keys.wheel, call.now, spot.text)
    end
    return mending.index_retry(call, at)
  end
  if not at or (at ~= call.due and call.retry ~= int(at)) then
    redis.call('ZADD', keys.wheel, call.due, spot.text)
    call.done('moved to its due time')
    mending.index_retry(call, nil)
  end
end

local function in_ready(call, spot)
  local group, handler, priority, options = context_record.split_rest(spot.rest)
  local own = 'ready:' .. queue_name.set_of(queue_name.of(group .. ' ' .. handler, options))
  local score = ready_sets.score_in(queue_name.of(group .. ' ' .. handler, options), call.id, tonumber(priority))
  if spot.name == own and score and spot.score == int(score) then
    return
  end
  if spot.name ~= own or queue_name.is_fair(own) then
    mending.remove(call, spot)
  end
  ready.add(call.endings.ready, call.id, spot.text, spot.rest)
  call.done('moved to ' .. own)
end

local function in_queue(call, spot)
  if not call.job then
    mending.remove(call, spot)
    ready.add(call.endings.ready, call.id, spot.text, spot.rest)
    call.done('moved to its ready set')
  elseif spot.name ~= 'queue:' .. call.job or spot.score ~= int(call.due) then
    mending.remove(call, spot)
    redis.call('ZADD', keys.queue(call.job), call.due, spot.text)
    call.done('moved to queue:' .. call.job)
  end
end

local function in_held(call, spot)
  local held = spot.held
  local _, _, _, options = context_record.split_rest(held.rest)
  local timeout = tonumber(context_options.value(options, 't'))
  if (timeout ~= nil) ~= (held.deadline > 0) then
    held.deadline = timeout and held.claimed + timeout or 0
    redis.call('HSET', keys.held, call.id, held_value.text(held))
    call.done('its deadline is ' .. int(held.deadline))
  end
  if redis.call('ZADD', keys.wheel, 'LT', 'CH', math.max(held.expires, call.now), '!reap') > 0 then
    call.done('its lease is looked at')
  end
end

-- Its subtasks are repair/fan's.
local function in_fan() end

mending.PLACES = { wheel = in_wheel, ready = in_ready, queue = in_queue, held = in_held, fan = in_fan }

-- Its job says that it is active, or not while it waits for an earlier one.
function mending.mark_active(call, spot)
  local queued = spot.place == 'queue'
  local mark = redis.call('HGET', keys.active(call.job), call.id)
  if queued and mark then
    redis.call('HDEL', keys.active(call.job), call.id)
    call.done('no longer active: it waits for an earlier one')
  elseif not queued and mark ~= active_mark.SCHEDULED and mark ~= active_mark.MANUAL then
    redis.call('HSET', keys.active(call.job), call.id, active_mark.of(call.id))
    call.done('active')
  end
end

-- Its start deadline is in the wheel.
function mending.watch(call, spot)
  local group, handler, priority, options = context_record.split_rest(spot.rest)
  local at = context_options.start_by(call.id, options)
  if at and at > call.now and (spot.attempt == 0 or (spot.failures == 0 and context_options.value(options, 'd'))) then
    local entry = wheel_entry.start_deadline(call.id, queue_name.of(group .. ' ' .. handler, options), priority)
    if redis.call('ZADD', keys.wheel, 'NX', at, entry) == 1 then
      call.done('its start deadline is watched')
    end
  end
end

return mending
