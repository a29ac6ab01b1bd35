-- Module jobs/overlap: the overlap policy of a job: what becomes of a firing while earlier contexts of the job are active (W6).
-- Decides only; jobs/firing does what is decided, and jobs/overlap_queue lets in what waits.
local overlap = {}

-- Contexts of a job that may be active at once (W6).
function overlap.active_max(policy, limit)
  return policy == 'parallel' and tonumber(limit) or 1
end

-- Contexts of a job that may wait for the active ones (W9).
function overlap.waiting_max(policy, limit)
  if policy == 'queue' then
    return tonumber(limit) or 1
  end
  return (policy == 'queue_one' or policy == 'replace') and 1 or 0
end

-- What becomes of a firing while `active` contexts of its job are: 'START'; 'QUEUE' and how many wait before it in `queue`, the key of
-- the overlap queue; or 'SKIP' with the reason. One that replaces waits for the end of what it replaces, in place of what waited.
function overlap.decide(policy, limit, active, queue)
  if active < overlap.active_max(policy, limit) then
    return 'START'
  end
  if policy == 'parallel' or policy == 'discard' then
    return 'SKIP', 'overlap_' .. policy
  end
  local waiting = redis.call('ZCARD', queue)
  if policy == 'queue' and waiting >= overlap.waiting_max(policy, limit) then
    return 'SKIP', 'overlap_queue_full'
  end
  if policy == 'queue_one' and waiting >= overlap.waiting_max(policy, limit) then
    return 'SKIP', 'overlap_collapsed'
  end
  return 'QUEUE', waiting
end

return overlap
