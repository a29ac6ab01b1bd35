-- Module contexts/locating: finds the one place where a context is (W1). Rare work: cancelling, reading and retrying by id.
-- @use fan_out/fans
-- @use keys
-- @use ready_sets
-- @use zsets
-- @use records/context_id
-- @use records/queue_name
-- @use records/fan_record
-- @use records/waiting_part
local locating = {}

-- Place, the sorted set it lies in (nil for held), its member or held value, and for ready its backlog name; nil when it is in none.
local HEAD_STEP = 100
local MADE_MAX = 1000 -- indexes ahead of those that were claimed that are found
local HEAD_MAX = 10000 -- subtasks that were given back stand in front of the others in any order, fewer than there are permits

-- Index (from 0) and entry of subtask `n` in a list. Behind those that were given back, subtasks stand in the order of their numbers.
local function find_entry(list, n)
  local start, length = waiting_part.start_of(n), redis.call('LLEN', list)
  for first = 0, math.min(length, HEAD_MAX) - 1, HEAD_STEP do
    for i, entry in ipairs(redis.call('LRANGE', list, first, first + HEAD_STEP - 1)) do
      if string.sub(entry, 1, #start) == start then
        return first + i - 1, entry
      end
    end
  end
  local low, high = HEAD_MAX, length - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('LINDEX', list, middle)
    local number = waiting_part.number_of(entry)
    if number == n then
      return middle, entry
    end
    if tonumber(number or 0) < tonumber(n) then
      low = middle + 1
    else
      high = middle - 1
    end
  end
  return nil
end

-- A subtask that waits for a permit: 'parts', its list, its text as a member, its entry in the list.
local function locate_part(id)
  local fan, n = fans.of_subtask(fans.new(), id)
  if fan and fan.state == 'dropping' then -- nothing waits any more, and no index is to be made
    return nil
  end
  local workers = {}
  for _, name in ipairs(fan and fan.pinned > 0 and redis.call('HKEYS', keys.fan(fan.id)) or {}) do
    workers[#workers + 1] = fan_record.worker_of(name)
  end
  for handler in fan_record.each_handler(fan and fan.handlers or '') do
    for at = 0, #workers do
      local list = keys.parts(handler .. ':' .. fan.id .. (at > 0 and ':' .. workers[at] or ''))
      local _, entry = find_entry(list, n)
      local member = entry and fans.member(fan, handler, entry)
      if member then
        return 'parts', list, member, entry
      end
    end
    local ahead = fan.model == 'indexed' and tonumber(n) and tonumber(n) - fan.next_index
    if ahead and ahead >= 0 and ahead < MADE_MAX and tonumber(n) < fan.total then
      return 'parts', nil, fans.member(fan, handler, waiting_part.new(n, ''))
    end
  end
  return nil
end

function locating.find(id)
  local held = redis.call('HGET', keys.held, id)
  if held then
    return 'held', nil, held
  end
  local prefix, due = id .. ' ', context_id.due_of(id)
  local waiting = tonumber(redis.call('HGET', keys.retry, id))
  if waiting then
    local member = zsets.find(keys.wheel, waiting, prefix)
    if member then
      return 'retry', keys.wheel, member
    end
  end
  local member = zsets.find(keys.wheel, due, prefix)
  if member then
    return 'wheel', keys.wheel, member
  end
  if context_id.is_subtask(id) then
    return locate_part(id)
  end
  for _, queue in ipairs(redis.call('ZRANGE', keys.backlog, 0, -1)) do
    local zset = ready_sets.key_of(queue)
    local highest = ready_sets.PRIORITY_MAX
    for priority = highest, zset and (queue_name.is_fair(queue) and highest or 0) or highest + 1, -1 do
      local score = ready_sets.score_in(queue, id, priority)
      member = score and zsets.find(zset, score, prefix)
      if member then
        return 'ready', zset, member, queue
      end
    end
  end
  local job = context_id.job_of(id)
  if job then
    member = zsets.find(keys.queue(job), due, prefix)
    if member then
      return 'queue', keys.queue(job), member
    end
  end
  local root = redis.call('HGET', keys.fan(id), 'root')
  if root and root ~= '' then
    return 'waiting_for_subtasks', nil, prefix .. root
  end
  return nil
end

-- Whether a split context cannot go on: no attempt of it is kept beside its subtasks, and it is in no other place; or nobody knows any
-- more where its subtasks may run.
function locating.is_lost(fan)
  return not fan_record.is_name(fan.group) or (fan.root == '' and locating.find(fan.id) == nil)
end

return locating
