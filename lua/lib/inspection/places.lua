-- Module inspection/places: where a context is, or how it ended, for a person who asks.
-- @use keys
-- @use ready_sets
-- @use zsets
-- @use records/queue_name
-- @use records/dead_record
-- @use records/settled_record
local places = {}

local RUNS_LOOKED, EVENTS_LOOKED, DEAD_LOOKED = 1000, 200, 1000

-- The member of a context at `score`, and how many lie before it in the set.
function places.member(zset, score, id, ending)
  local member = tonumber(score) and zsets.find(zset, tonumber(score), id .. (ending or ' '))
  return member, member and redis.call('ZRANK', zset, member) or 0
end

-- Ready sets and scores at which a context that was due then may wait: `{ queue, zset, score }` each.
function places.ready(id, due)
  local found = {}
  for _, queue in ipairs(redis.call('ZRANGE', keys.backlog, 0, -1)) do
    local zset = ready_sets.key_of(queue)
    if zset and queue_name.is_fair(queue) then
      found[#found + 1] = { queue, zset, redis.call('HGET', keys.fair, id) or '' }
    elseif zset then -- a name that is none leads nowhere
      for priority = 0, ready_sets.PRIORITY_MAX do
        found[#found + 1] = { queue, zset, ready_sets.score(priority, tonumber(due)) }
      end
    end
  end
  return found
end

-- The record of how it ended, by the newest runs of its job, the newest events and the newest of the dead; nil when none has it.
function places.settled(id, job)
  local runs = job ~= '' and redis.call('LRANGE', keys.runs(job), -RUNS_LOOKED, -1) or {}
  for i = #runs, 1, -1 do
    if settled_record.is_of(runs[i], id) then
      return runs[i]
    end
  end
  for _, entry in ipairs(redis.call('XREVRANGE', keys.events, '+', '-', 'COUNT', EVENTS_LOOKED)) do
    local line = settled_record.line_of(entry[2][2], id)
    if line then
      return line
    end
  end
  for _, member in ipairs(redis.call('ZRANGE', keys.dead, 0, DEAD_LOOKED - 1, 'REV')) do
    if settled_record.is_of(member, id) then
      return dead_record.settled_of(member)
    end
  end
  return nil
end

return places
