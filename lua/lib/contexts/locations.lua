-- Module contexts/locations: every place in which a context is, for checks and repairs (W1). Where all is well there is one.
-- @use keys
-- @use ready_sets
-- @use record
-- @use zsets
-- @use records/context_id
-- @use records/context_record
-- @use records/held_value
-- @use records/queue_name
-- @use args/forms
-- @use records/redis_key
local locations = {}
local int = record.int

local function ready_name(group, handler, options)
  return queue_name.set_of(queue_name.of(group .. ':' .. handler, options))
end

-- Places of `id` as { place, key without its partition, member or held value, score or '' }. It is looked for where its due time, its
-- retry index and its group put it, and in addition where `hints` say: { key, score, head } each. In all ready sets with `wide`, and
-- when it is found nowhere else.
function locations.of(id, hints, wide)
  local found, known = {}, {}
  local due, job, prefix = context_id.due_of(id), context_id.job_of(id), id .. ' '

  local function add(place, name, text, score)
    if text and not known[name .. '\n' .. text] then
      known[name .. '\n' .. text] = true
      found[#found + 1] = { place, name, text, score }
    end
  end

  -- Members of one score lie in byte order: another one of this context is beside the one that is known.
  local function look_beside(place, name, spot)
    local rank = redis.call('ZRANK', keys.base .. name, spot[3])
    for _, member in ipairs(redis.call('ZRANGE', keys.base .. name, math.max(rank - 1, 0), rank + 1)) do
      if string.sub(member, 1, #prefix) == prefix then
        add(place, name, member, redis.call('ZSCORE', keys.base .. name, member))
      end
    end
  end

  local function look(place, name, score, start)
    local number = tonumber(score)
    if not number or number ~= math.floor(number) or number < 0 or number > 1e16 then
      return
    end
    for _, spot in ipairs(found) do
      if spot[2] == name and spot[4] == int(number) then
        return look_beside(place, name, spot)
      end
    end
    add(place, name, zsets.find(keys.base .. name, number, start), int(number))
  end
  for _, hint in ipairs(hints) do
    local name, score, head = unpack(hint)
    local place = redis_key.kind_of(name)
    if forms.is_digits(score) then
      look(place, name, score, head)
    else -- a score that no script writes: few can have it
      for _, member in ipairs(redis.call('ZRANGE', keys.base .. name, score, score, 'BYSCORE', 'LIMIT', 0, 100)) do
        if string.sub(member, 1, #head) == head then
          add(place, name, member, score)
        end
      end
    end
  end
  add('held', 'held', redis.call('HGET', keys.held, id) or nil, '')
  look('wheel', 'wheel', due, prefix)
  local retry = redis.call('HGET', keys.retry, id)
  if retry and tonumber(retry) ~= due then
    look('wheel', 'wheel', retry, prefix)
  end
  local root = redis.call('HGET', keys.base .. 'fan:' .. id, 'root')
  add('fan', 'fan:' .. id, root and prefix .. root, '')
  if job then
    look('queue', 'queue:' .. job, due, prefix)
  end

  local fair = redis.call('HGET', keys.fair, id)
  local candidates = {}
  for _, spot in ipairs(found) do
    local rest = spot[1] == 'held' and held_value.split(spot[3]).rest or select(3, context_record.split_texts(spot[3]))
    local group, handler, priority, options = context_record.split_rest(rest or '')
    if group then
      candidates[#candidates + 1] = { ready_name(group, handler, options), tonumber(priority) }
    end
  end
  if #found == 0 and job then -- a ready set that the backlog does not name would be missed
    local group, handler, priority, options = context_record.split_rest(redis.call('HGET', keys.job(job), 'tmpl') or '')
    if group then
      candidates[1] = { ready_name(group, handler, options), tonumber(priority) }
    end
  end
  if wide or #found == 0 then
    for _, queue in ipairs(redis.call('ZRANGE', keys.backlog, 0, -1)) do
      for priority = 0, ready_sets.PRIORITY_MAX do
        candidates[#candidates + 1] = { queue_name.set_of(queue), priority }
      end
    end
  end
  for _, queue in ipairs(candidates) do
    local name, priority = unpack(queue)
    local score = queue_name.is_fair(name) and fair or ready_sets.score(priority, due)
    look('ready', 'ready:' .. name, score, prefix)
  end
  return found, retry, fair
end

return locations
