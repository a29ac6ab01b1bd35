-- Module jobs/zones: which edition of the time zone table the due times of cron jobs are from, so that a newer one has them planned anew. A
-- job's field `zones` tells the oldest edition in its plan; `{tw:p}:zones` is `<oldest>[ <edition>]`: no plan of the partition is from an
-- older one, and behind a space the edition that somebody is planning the jobs anew with. Editions are texts like 2026f, later ones
-- greater.
-- @use keys
-- @use records/job_record
local zones = {}

local OLDEST = '0000a'

-- What the partition says: the oldest edition, nil where there is no plan, and the one that somebody plans anew with or ''. Of a text that
-- says nothing any plan may be older than all editions.
function zones.read()
  local text = redis.call('GET', keys.zones) or ''
  local oldest, renewing = job_record.split_zones(text)
  return oldest or (text ~= '' and OLDEST or nil), renewing or ''
end

-- Notes that a plan of `edition` is laid into a job of this kind, and returns what its field `zones` becomes.
function zones.mark(kind, edition)
  if kind ~= 'cron' or edition == '' then
    return ''
  end
  local oldest, renewing = zones.read()
  if not oldest or edition < oldest then
    redis.call('SET', keys.zones, edition)
  elseif renewing ~= '' and edition < renewing then
    -- Whoever plans anew may have passed this job.
    redis.call('SET', keys.zones, oldest)
  end
  return edition
end

return zones
