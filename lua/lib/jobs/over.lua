-- Module jobs/over: which `once` jobs nobody needs any more: their due time was decided, no job follows them, and nothing of them happened
-- since an instant.
-- @use keys
-- @use reading
-- @use records/settled_record
local over = {}

-- What the job's own record says of it.
function over.by_record(job, before)
  local kind, state, followers, finished, updated, last = unpack(reading.call({}, 'HMGET', keys.job(job), 'kind', 'state', 'followers',
    'finished_ms', 'updated_ms', 'last'))
  return kind == 'once' and state == 'finished' and (followers or '') == ''
    and math.max(tonumber(finished) or 0, tonumber(updated) or 0, tonumber(last) or 0) <= before
end

-- And what lies beside it: a run that was asked for by hand counts from its end.
function over.entirely(job, before)
  if not over.by_record(job, before) or redis.call('EXISTS', keys.active(job), keys.queue(job)) > 0 then
    return false
  end
  local run = redis.call('LINDEX', keys.runs(job), -1)
  return (run and settled_record.ended_of(run) or 0) <= before
end

return over
