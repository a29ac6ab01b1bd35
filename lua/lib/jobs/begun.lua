-- Module jobs/begun: whether something of a job has begun, so that a deletion comes too late for it: contexts that run, and of a `once` job
-- those too that ran before and ended, or wait for another attempt.
-- @use contexts/locating
-- @use keys
-- @use records/context_record
local begun = {}
local HELD_STEP = 500
local LOCATED_MAX = 50 -- looked for in the wheel and the ready sets; more count as begun
local TOLD_MAX = 100

-- Whether a context that is not held was given to a worker before; one that is nowhere is taken for one that was.
local function was_claimed(id)
  local _, _, member = locating.find(id)
  local _, attempt = context_record.split(member or '')
  return attempt ~= 0
end

-- Whether something has begun, and up to 100 of the contexts that have begun and not ended. A context that was refused by its worker counts
-- as begun: whether its handler was called is known to that worker alone.
function begun.of(job)
  local once = redis.call('HGET', keys.job(job), 'kind') == 'once'
  local split = redis.call('HLEN', keys.fans) > 0
  local ids, found, located = redis.call('HKEYS', keys.active(job)), {}, 0
  for first = 1, #ids, HELD_STEP do
    local held = redis.call('HMGET', keys.held, unpack(ids, first, math.min(first + HELD_STEP - 1, #ids)))
    for i, value in ipairs(held) do
      local id = ids[first + i - 1]
      local is_begun = value or (split and redis.call('HEXISTS', keys.fans, id) == 1)
      if not is_begun and once then
        located = located + 1
        is_begun = located > LOCATED_MAX or was_claimed(id)
      end
      if is_begun and #found < TOLD_MAX then
        found[#found + 1] = id
      end
    end
  end
  return #found > 0 or (once and redis.call('EXISTS', keys.runs(job)) == 1), found
end

return begun
