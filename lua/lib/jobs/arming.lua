-- Module jobs/arming: where the next firing of a job stands in the wheel (W4).
-- @use keys
-- @use record
-- @use records/job_record
local arming = {}
local int = record.int

-- A due time moves by a share of its own, so that jobs of one due time spread while each keeps its place on every tracker.
-- `gap` is the time to the following due time: a firing never moves past it. Without one (nil) the due time stays.
function arming.jitter(job, due, most, gap)
  local span = gap and math.min(most, gap - 1) or 0
  if span <= 0 then
    return 0
  end
  return tonumber(string.sub(redis.sha1hex(job .. ':' .. int(due)), 1, 8), 16) % (span + 1)
end

-- The wheel score of `fields.next`. `fields`: kind, next, period, jitter, plan.
local function score_of_next(job, fields)
  local due, most = tonumber(fields.next), tonumber(fields.jitter) or 0
  if most == 0 then
    return due
  end
  local gap = tonumber(fields.period)
  if fields.kind == 'cron' or fields.kind == 'once' then
    local following = job_record.first_due(fields.plan)
    gap = following and following - due
  end
  return due + arming.jitter(job, due, most, gap)
end

-- Gives the job its one entry in the wheel, or takes it away, and wakes the trackers when it is the earliest.
-- `fields`: state, kind, next, plan, plan_end, period, jitter. A cron job whose due times ran out is offered for planning at once.
function arming.arm(job, fields, now)
  local wheel, entry = keys.wheel, '@' .. job
  local unplanned = fields.next == '' and fields.kind == 'cron' and fields.plan_end ~= '1'
  if fields.state ~= 'active' or (fields.next == '' and not unplanned) then
    redis.call('ZREM', wheel, entry)
    return
  end
  local score = unplanned and now or score_of_next(job, fields)
  redis.call('ZADD', wheel, score, entry)
  if redis.call('ZRANGE', wheel, 0, 0)[1] == entry then
    redis.call('SPUBLISH', keys.wake, 'due ' .. int(score))
  end
end

return arming
