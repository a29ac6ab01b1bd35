-- Module turns/start_deadlines: a context that did not start by its deadline ends as expired, wherever it waits.
-- @use claims/queues
-- @use claims/sources
-- @use contexts/expiring
-- @use contexts/ready
-- @use keys
-- @use ready_sets
-- @use turns/visits
-- @use zsets
-- @use records/context_id
-- @use records/context_record
-- @use records/queue_name
-- @use records/wheel_entry
local start_deadlines = {}

-- The member of a context that waits without a started attempt; refused ones did not start.
local function find_waiting(visit, zset, score, id)
  local member = score and zsets.find(zset, score, id .. ' ', visit.ranks)
  return member and context_record.never_failed(member) and member
end

-- Finds it in the ready set of its queue, or in that of its key, which may be at its limit: queue, set and member.
local function find_ready(visit, queue, id, priority)
  local zset = ready_sets.key_of(queue)
  local score = ready_sets.score_in(queue, id, priority)
  local member = find_waiting(visit, zset, score, id)
  local shared = queue
  local others = not member and score and queue_name.is_fair(queue)
  for _, other in ipairs(others and queues.of(queue_name.base_of(queue)) or {}) do
    if not member and string.sub(other, 1, #shared) == shared then
      queue, zset = other, ready_sets.key_of(other)
      member = find_waiting(visit, zset, score, id)
    end
  end
  return queue, zset, member
end

-- `entry` is that of the wheel: `#<id> <queue> <priority>`.
function start_deadlines.expire(visit, entry)
  visits.place_ready(visit)
  local id, named, priority = wheel_entry.split_start_deadline(entry)
  if not id then
    return sources.leave_aside(visit, 'wheel', entry)
  end
  local queue, zset, member = find_ready(visit, named, id, tonumber(priority))
  if member then
    ready.remove(queue, zset, member)
  elseif context_id.job_of(id) then
    zset = keys.queue(context_id.job_of(id))
    member = find_waiting(visit, zset, context_id.due_of(id), id)
    if member then
      redis.call('ZREM', zset, member)
    end
  end
  if member then
    local counts, rest = context_record.split_behind_id(member)
    visit.out[#visit.out + 1] = member
    expiring.count(visit, member)
    expiring.expire(visit.endings, visit.now, id, counts, rest)
  end
end

return start_deadlines
