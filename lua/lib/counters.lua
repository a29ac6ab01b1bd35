-- Module counters: what scripts count in {tw:p}:stats. Nobody decides anything by a counter, so nothing that lies there fails a call.
-- @use keys
-- @use record
local counters = {}
local int = record.int

-- One that is no number, or cannot grow, begins anew, and so does the key where it is no hash; `reset` counts how often.
local function begin_anew(field, by)
  if not pcall(redis.call, 'HSET', keys.stats, field, int(by)) then
    redis.call('UNLINK', keys.stats)
    redis.call('HSET', keys.stats, field, int(by))
  end
  if not pcall(redis.call, 'HINCRBY', keys.stats, 'reset', 1) then
    redis.call('HSET', keys.stats, 'reset', '1')
  end
  return by
end

-- Counts so many more; answers with how many there are.
function counters.add(field, by)
  local done, count = pcall(redis.call, 'HINCRBY', keys.stats, field, int(by))
  return done and count or begin_anew(field, by)
end

return counters
