-- Module inspection/context_story: why a context waits, runs or ended, in words.
-- @use inspection/places
-- @use inspection/sentences
-- @use inspection/subject
-- @use keys
-- @use partition
-- @use records/context_id
-- @use records/context_record
-- @use records/held_value
-- @use records/queue_name
-- @use records/redis_key
-- @use records/roster_record
-- @use records/settled_record
local context_story = {}
local say, when = sentences.say, sentences.when

local function prefix()
  return redis_key.prefix_of(keys.base)
end

-- In Redis Cluster the roster lies on another node.
local function explain_workers(group, handler)
  if subject.is_tagged() then
    say('See {%s}:workers:%s for the live workers of its group.', prefix(), group)
    return
  end
  local cluster = '{' .. prefix() .. '}:'
  local alive = redis.call('ZRANGE', cluster .. 'workers:' .. group, sentences.now(), '+inf', 'BYSCORE', 'LIMIT', 0, 100)
  local able, running, permits = 0, 0, 0
  for _, worker in ipairs(alive) do
    local report = redis.call('HMGET', cluster .. 'worker:' .. worker, 'handlers', 'running', 'permits')
    if roster_record.has_handler(report[1] or '', handler) then
      able = able + 1
      running = running + (tonumber(report[2]) or 0)
      permits = permits + (tonumber(report[3]) or 0)
    end
  end
  if #alive == 0 then
    say('No worker of group %s is alive.', group)
  elseif able == 0 then
    say('%d workers of group %s are alive, and none of them has the handler %s.', #alive, group, handler)
  else
    say('%d live workers of group %s have the handler %s: by their last reports %d of %d permits are taken.', able, group, handler, running,
      permits)
  end
end

-- What a placement asks for. Which of the workers fit, a tracker tells: `tickwheel run get`.
local function explain_placement(name)
  if name == '' then
    return
  end
  local content = redis.call('HGET', keys.placements, name)
  if not content then
    say('Its placement %s is not known, so nobody can take it: submit it again, or apply its job again.', name)
    return
  end
  local read, placement = pcall(cmsgpack.unpack, content)
  if not read or type(placement) ~= 'table' then
    say('Its placement %s cannot be read, so nobody can take it: apply its job again, or submit it again.', name)
    return
  end
  local workers, routing = placement.workers or {}, placement.routing or {}
  say('Its placement is %s, with the routing policy %s.', name, routing.policy or 'any')
  if routing.list and #routing.list > 0 then
    say('It goes only to %s.', table.concat(routing.list, ', '))
  end
  if workers.select then
    say('It goes only to workers for whose tags this holds: %s', workers.select)
  end
  if workers.allow then
    say('It goes only to %s.', table.concat(workers.allow, ', '))
  end
  if workers.deny and #workers.deny > 0 then
    say('It does not go to %s.', table.concat(workers.deny, ', '))
  end
  for resource, amount in pairs(placement.requires or {}) do
    local in_bytes = resource == 'memory' or resource == 'disk'
    say('It takes %s of the %s of its worker.', in_bytes and string.format('%.0f bytes', amount) or tostring(amount / 1000), resource)
  end
end

local function explain_held(value)
  local attempt, worker, claimed, expires, cancel = held_value.lease_of(value)
  if not attempt then
    say('It is among the running contexts, and that record cannot be read: a tracker puts it aside with its next scan.')
    return
  end
  say('Attempt %s runs on %s since %s.', attempt, worker, when(claimed))
  if tonumber(expires) < sentences.now() then
    say('Its lease ended at %s and was not renewed: a tracker takes it back with its next scan.', when(expires))
  else
    say('Its lease is renewed from the heartbeats of its worker, and ends at %s otherwise.', when(expires))
  end
  local reason, until_ms = held_value.split_cancel(cancel)
  if reason then
    say('Its worker is told to stop (%s); it may settle until %s.', reason, when(until_ms))
  end
end

local function explain_settled(id, line)
  local state, attempt, worker, ended, message = settled_record.story_of(line)
  say('It ended as %s at %s after %s attempts, the last one on %s.', state, when(ended), attempt, worker == '-' and 'no worker' or worker)
  if message ~= '' then
    say('Its message: %s', settled_record.message_in_words(message))
  end
  if places.member(keys.dead, ended, id, '\t') then
    say('It is kept among the dead and can run again.')
  end
end

local function explain_waiting(id, due, job)
  local retry = redis.call('HGET', keys.retry, id)
  local member = retry and places.member(keys.wheel, retry, id)
  if member then
    local attempt, failures = context_record.split_texts(member)
    say('Attempt %s ended without success, the %s. of its failures; the next one is due at %s.', attempt, failures, when(retry))
    return true
  end
  if places.member(keys.wheel, due, id) then
    say('It is in the wheel and due at %s.', when(due))
    if tonumber(due) < sentences.now() then
      say('It is overdue: no tracker has turned partition %s since.', partition.number())
    end
    return true
  end
  for _, spot in ipairs(places.ready(id, due)) do
    local queue, found, before = spot[1], places.member(spot[2], spot[3], id)
    local group, handler, placement = queue_name.split(queue)
    local key = queue_name.key_of(queue)
    if found and key then
      say('It was due at %s, and as many of its key %s run as may; %d wait for that before it.', when(due), key, before)
      return true
    elseif found then
      say('It was due at %s and waits for a permit; %d contexts of group %s and handler %s go before it.', when(due), before, group,
        handler)
      explain_workers(group, handler)
      explain_placement(placement)
      return true
    end
  end
  local queued, before = places.member(keys.queue(job), due, id)
  if queued then
    local active = redis.call('HRANDFIELD', keys.active(job), 3)
    say('It was due at %s and waits for an earlier context of its job (overlap policy %s); %d wait before it.', when(due),
      redis.call('HGET', keys.job(job), 'overlap') or 'unknown', before)
    say('Active now: %s.', table.concat(active, ', '))
    return true
  end
  return false
end

-- What is split, and what is a part that lies in a list of its root.
local function explain_split(id)
  local own, total, succeeded, failed, running =
    unpack(redis.call('HMGET', keys.fan(id), 'root', 'total', 'succeeded', 'failed', 'out'))
  if own and own ~= '' then
    say('It is split into %s parts: %s succeeded, %s failed, %s run. It ends with the last of them.', total, succeeded or 0, failed or 0,
      running or 0)
    return true
  end
  local root = context_id.asked_root(id)
  if root and redis.call('HEXISTS', keys.fans, root) == 1 then
    say('It is a part of %s, and waits for a permit, or has ended: a part that ended is counted there.', root)
    explain_placement(redis.call('HGET', keys.fan(root), 'placement') or '')
    return true
  end
  return false
end

-- Tells of the context `id`; its keys lie in its partition.
function context_story.tell(id, due, job)
  local held = redis.call('HGET', keys.held, id)
  if held then
    return explain_held(held)
  end
  if explain_waiting(id, due, job) or explain_split(id) then
    return
  end
  local line = places.settled(id, job)
  if line then
    return explain_settled(id, line)
  end
  say('It is in no place: it was never created, or it ended so long ago that its record was trimmed.')
end

return context_story
