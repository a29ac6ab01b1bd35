-- Module inspection/subject: what a person asks about behind `fcall_ro`, and where it lies. In a Redis Cluster a hash tag is given as the
-- key, so that the node is found; elsewhere no key, and the prefix may stand behind the words.
-- @use keys
-- @use records/redis_key
local subject = {}

local PARTITIONS_MAX = 1024

-- The prefix of all keys; `place` is where it stands among the words.
function subject.prefix(place)
  return redis_key.prefix_of(KEYS[1] or '') or ARGV[place] or 'tw'
end

-- True when only the keys of one tag can be reached.
function subject.is_tagged()
  return KEYS[1] ~= nil
end

-- Keys are those of the tag that was given, or of a partition.
function subject.lie_in(prefix, partition)
  keys.lie_in((KEYS[1] or '{' .. prefix .. ':' .. partition .. '}') .. ':')
end

-- Keys are those of the partition where a job lies. False when there is no such job.
function subject.lie_with_job(prefix, job)
  if KEYS[1] then
    keys.lie_in(KEYS[1] .. ':')
    return redis.call('EXISTS', keys.job(job)) == 1
  end
  local count = tonumber(redis.call('HGET', '{' .. prefix .. '}:meta', 'partitions') or PARTITIONS_MAX)
  for partition = 0, count - 1 do
    keys.lie_in('{' .. prefix .. ':' .. partition .. '}:')
    if redis.call('EXISTS', keys.job(job)) == 1 then
      return true
    end
  end
  return false
end

-- A name without a namespace is one of `default`.
function subject.job_named(name)
  return redis_key.has_namespace(name) and name or 'default/' .. name
end

function subject.now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

return subject
