-- Module jobs/overlap_queue: what waits until its job's overlap policy lets it in.
-- @use contexts/ready
-- @use jobs/overlap
-- @use keys
-- @use quarantine
-- @use records/job_record
-- @use records/active_mark
local overlap_queue = {}

local UNREADABLE_MAX = 100 -- records that are put aside in one call

-- Lets in what waits in the overlap queue of a job, the oldest first, as many as its policy allows; `batch` collects it for
-- contexts/ready. It is called where there may be room:
-- no firing overtakes what waits, as there is no room for it while something does. Returns how many.
function overlap_queue.start(batch, now, job, policy, limit)
  local active, queue = keys.active(job), keys.queue(job)
  if redis.call('EXISTS', queue) == 0 then
    return 0
  end
  local room, unreadable = overlap.active_max(policy, limit) - redis.call('HLEN', active), 0
  local started = {}
  while room > 0 and unreadable < UNREADABLE_MAX do
    local popped = redis.call('ZPOPMIN', queue, math.min(room, UNREADABLE_MAX))
    for i = 1, #popped, 2 do
      local id, _, _, rest = quarantine.open_or_put(now, 'queue:' .. job, popped[i + 1], popped[i])
      if id then
        started[#started + 1] = id
        started[#started + 1] = active_mark.of(id)
        ready.add(batch, id, popped[i], rest)
        room = room - 1
      else
        unreadable = unreadable + 1
      end
    end
    if #popped == 0 then
      break
    end
  end
  if #started > 0 then
    redis.call('HSET', active, unpack(started))
  end
  return #started / 2
end

-- What an earlier definition of a job let in goes on, also where the present one allows less. The job says how much of it there may still
-- be, `<active>:<waiting>`, until it is no more than what is allowed. `known`: what it says so far.
function overlap_queue.note_surplus(job, policy, limit, known)
  local active, waiting = redis.call('HLEN', keys.active(job)), redis.call('ZCARD', keys.queue(job))
  if active > overlap.active_max(policy, limit) or waiting > overlap.waiting_max(policy, limit) then
    redis.call('HSET', keys.job(job), 'surplus', job_record.surplus(active, waiting))
  elseif known then
    redis.call('HDEL', keys.job(job), 'surplus')
  end
end

return overlap_queue
