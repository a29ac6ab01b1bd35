-- Part locate: finds the one place where a context is (W1). Rare work: cancelling, reading and retrying by id.

-- Place, the sorted set it lies in (nil for held), its member or held value, and for ready its backlog name; nil when it is in none.
local function locate(id)
  local held = redis.call('HGET', BASE .. 'held', id)
  if held then
    return 'held', nil, held
  end
  local prefix, due = id .. ' ', due_of(id)
  local waiting = redis.call('HGET', BASE .. 'retry', id)
  if waiting then
    local member = find_member(BASE .. 'wheel', tonumber(waiting), prefix)
    if member then
      return 'retry', BASE .. 'wheel', member
    end
  end
  local member = find_member(BASE .. 'wheel', due, prefix)
  if member then
    return 'wheel', BASE .. 'wheel', member
  end
  for _, queue in ipairs(redis.call('HKEYS', BASE .. 'backlog')) do
    local zset = key('ready', (string.gsub(queue, ' ', ':')))
    for priority = PRIORITY_MAX, 0, -1 do
      member = find_member(zset, ready_score(priority, due), prefix)
      if member then
        return 'ready', zset, member, queue
      end
    end
  end
  local job = job_of(id)
  if job then
    member = find_member(key('queue', job), due, prefix)
    if member then
      return 'queue', key('queue', job), member
    end
  end
  return nil
end
