-- Module history/attempts: the attempts of a context that ended without success, for a while and within a number.
-- @use bounds
-- @use keys
-- @use lists
-- @use records/settled_record
-- @use records/failed_attempt
local attempts = {}

local ATTEMPTS_KEPT = 20 -- of one context
local NOTED_KEPT = 2000 -- contexts of a partition with such attempts
local NOTED_KEPT_MS = 90000000 -- after the last of them; 25 h
local NOTED_BYTES = 200 -- of an attempt's message

-- What a person asks of an attempt that ended without success, once the next one has taken its place. Subtasks are too many: what
-- becomes of theirs is with their root.
function attempts.note(noted, now, id, held, how)
  local outcome = how.avoid and 'lost' or how.state
  noted[#noted + 1] = id
  noted[#noted + 1] = failed_attempt.text(held.attempt, held.worker, held.claimed, now, outcome,
    string.sub(settled_record.clean(how.message), 1, NOTED_BYTES))
end

-- Keeps the newest attempts of each context, for the newest contexts of the partition.
function attempts.flush(noted)
  local scores = {}
  for i = 1, #noted, 2 do
    local list = keys.attempts(noted[i])
    if redis.call('RPUSH', list, noted[i + 1]) > ATTEMPTS_KEPT then
      redis.call('LTRIM', list, -ATTEMPTS_KEPT, -1)
    end
    redis.call('PEXPIRE', list, NOTED_KEPT_MS)
    scores[i], scores[i + 1] = failed_attempt.ended_of(noted[i + 1]), noted[i]
  end
  lists.write_many('ZADD', keys.attempted, scores)
  local surplus = redis.call('ZCARD', keys.attempted) - NOTED_KEPT
  if surplus > 0 then
    local popped, lists = redis.call('ZPOPMIN', keys.attempted, math.min(surplus, bounds.ITEMS_MAX)), {}
    for i = 1, #popped, 2 do
      lists[#lists + 1] = keys.attempts(popped[i])
    end
    redis.call('UNLINK', unpack(lists))
  end
end

return attempts
