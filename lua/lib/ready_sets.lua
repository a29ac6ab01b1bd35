-- Module ready_sets: the sorted sets in which contexts wait for a permit, one for each queue, and where one stands in its set.
-- @use keys
-- @use records/context_id
-- @use records/queue_name
local ready_sets = {}

-- Ready sets are ordered by priority, then by due time: each priority has a span of its own above every due time.
ready_sets.PRIORITY_SPAN = 17592186044416 -- 2^44 ms, the year 2527
ready_sets.PRIORITY_MAX = 4

-- The ready set of a queue; nil for subtasks, which wait in lists.
function ready_sets.key_of(queue)
  if queue_name.is_of_subtasks(queue) then
    return nil
  end
  return keys.ready(queue_name.set_of(queue))
end

function ready_sets.score(priority, due)
  return (ready_sets.PRIORITY_MAX - priority) * ready_sets.PRIORITY_SPAN + due
end

-- Where `id` stands in the ready set of a queue, if it waits there: one with a key is in an index. Nil when it cannot be there.
function ready_sets.score_in(queue, id, priority)
  if queue_name.is_fair(queue) then
    return tonumber(redis.call('HGET', keys.fair, id) or nil)
  end
  return ready_sets.score(priority, context_id.due_of(id))
end

return ready_sets
