-- Module turns/start_deadlines: a context that did not start by its deadline ends as expired, wherever it waits.
-- @use claims/queues
-- @use claims/sources
-- @use contexts/expiring
-- @use contexts/ready
-- @use keys
-- @use ready_sets
-- @use record
-- @use turns/visits
-- @use zsets
local start_deadlines = {}

-- The member of a context that waits without a started attempt; refused ones did not start.
local function find_waiting(zset, score, id)
  local member = score and zsets.find(zset, score, id .. ' ')
  return member and string.find(member, '^%S+ %d+:0 ') and member
end

-- Finds it in the ready set of its queue, or in that of its key, which may be at its limit: queue, set and member.
local function find_ready(queue, id, priority)
  local zset = ready_sets.key_of(queue)
  local score = ready_sets.score_in(queue, id, priority)
  local member = find_waiting(zset, score, id)
  local shared = queue
  local others = not member and score and ready_sets.is_fair(queue)
  for _, other in ipairs(others and queues.of(string.match(queue, '^%S+ %S+')) or {}) do
    if not member and string.sub(other, 1, #shared) == shared then
      queue, zset = other, ready_sets.key_of(other)
      member = find_waiting(zset, score, id)
    end
  end
  return queue, zset, member
end

-- `entry` is that of the wheel: `#<id> <queue> <priority>`.
function start_deadlines.expire(visit, entry)
  visits.place_ready(visit)
  local id, named, priority = string.match(entry, '^#(%d+%.%d+%.%S+) (%S+ .+) ([0-4])$')
  if not id then
    return sources.leave_aside(visit, 'wheel', entry)
  end
  local queue, zset, member = find_ready(named, id, tonumber(priority))
  if member then
    ready.remove(queue, zset, member)
  elseif record.job_of(id) then
    zset = keys.queue(record.job_of(id))
    member = find_waiting(zset, record.due_of(id), id)
    if member then
      redis.call('ZREM', zset, member)
    end
  end
  if member then
    local counts, rest = string.match(member, '^%S+ (%S+) (.*)$')
    visit.out[#visit.out + 1] = member
    visit.expired_bytes = visit.expired_bytes + #member
    expiring.expire(visit.endings, visit.now, id, counts, rest)
  end
end

return start_deadlines
