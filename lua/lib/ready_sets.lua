-- Module ready_sets: the sorted sets in which contexts wait for a permit, one for each queue, and where one stands in its set.
-- @use keys
-- @use record
local ready_sets = {}

-- Ready sets are ordered by priority, then by due time: each priority has a span of its own above every due time.
ready_sets.PRIORITY_SPAN = 17592186044416 -- 2^44 ms, the year 2527
ready_sets.PRIORITY_MAX = 4

-- The queue in which a context waits for a permit: `<group> <handler>`, behind them its lane, as `c=<lane>`, where its options name one,
-- and behind that ` k=` where they name a key. What a tracker has to split waits apart, as no worker offers to run it.
-- Of a lane or key that is none the answer is no queue either (is_queue).
function ready_sets.queue_of(queue, options)
  if options == '-' then
    return queue
  end
  if string.find(options, 'm=1', 1, true) then
    return string.match(queue, '^[^ :]+') .. ' !fan'
  end
  local at = string.find(options, 'c=', 1, true)
  if at then
    queue = queue .. ' ' .. string.match(options, '^c=[^,]*', at)
  end
  at = string.find(options, 'k=', 1, true)
  if not at then
    return queue
  end
  return queue .. (string.find(options, '^k=[%w._@+-]+%f[,%z]', at) and ' k=' or ' k=?')
end

-- Whether a queue may have this name: what nobody submitted must not become keys and names of the backlog.
function ready_sets.is_queue(queue)
  local names = string.gsub(string.gsub(queue, ' k=[%w._@+-]*$', ''), ' c=%x%x%x%x%x%x%x%x%x%x$', '')
  return string.find(names, '^[%w_][%w._/-]* [%w_!][%w._/-]*$') ~= nil
end

-- The queue that the rest of a context names; nil where none may have that name.
function ready_sets.of_rest(rest)
  local group, handler, _, options = record.split_rest(rest)
  local queue = group and ready_sets.queue_of(group .. ' ' .. handler, options)
  return queue and ready_sets.is_queue(queue) and queue or nil
end

-- True for a queue of contexts with keys, and for its ready set: they do not wait in the order of their due times (claims/fairness). With
-- a key behind the `=` it is that of one which is at its limit (limits/parking).
function ready_sets.is_fair(queue)
  return string.find(queue, '[ :]k=') ~= nil
end

-- The ready set of a queue; nil for subtasks, which wait in lists.
function ready_sets.key_of(queue)
  if string.find(queue, ' /', 1, true) then
    return nil
  end
  return keys.ready((string.gsub(queue, ' ', ':')))
end

function ready_sets.score(priority, due)
  return (ready_sets.PRIORITY_MAX - priority) * ready_sets.PRIORITY_SPAN + due
end

-- Where `id` stands in the ready set of a queue, if it waits there: one with a key is in an index. Nil when it cannot be there.
function ready_sets.score_in(queue, id, priority)
  if ready_sets.is_fair(queue) then
    return tonumber(redis.call('HGET', keys.fair, id) or nil)
  end
  return ready_sets.score(priority, record.due_of(id))
end

return ready_sets
