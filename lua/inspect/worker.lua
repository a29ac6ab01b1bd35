#!lua flags=no-writes
--[[
Script   inspect/worker
Purpose  One worker with its report, and what it runs, as JSON, for a person with redis-cli.
Usage    redis-cli fcall_ro tickwheel_worker 0 <worker> [<prefix>]
         In Redis Cluster: redis-cli -c fcall_ro tickwheel_worker 1 '{tw}' <worker>  (without what it runs)
Reply    One JSON text. alive is false when its last heartbeat has expired.
Cost     O(partitions + held); at most 1000 held contexts of each partition are looked at, 100 are shown
]]
-- @use inspection/subject
-- @use records/held_value
local HELD_LOOKED, HELD_SHOWN = 1000, 100

local worker = ARGV[1]
if not worker then
  return redis.error_reply('USAGE redis-cli fcall_ro tickwheel_worker 0 <worker> [<prefix>]')
end
local prefix = subject.prefix(2)
local cluster = '{' .. prefix .. '}:'
local now = subject.now()
local shown = { worker = worker, alive = false, now_ms = now }
local report = redis.call('HGETALL', cluster .. 'worker:' .. worker)
for i = 1, #report, 2 do
  shown[report[i]] = report[i + 1]
end
for _, group in ipairs(redis.call('HKEYS', cluster .. 'groups')) do
  local expires = redis.call('ZSCORE', cluster .. 'workers:' .. group, worker)
  if expires then
    shown.group, shown.expires_ms, shown.alive = group, tonumber(expires), tonumber(expires) > now
  end
end
if not subject.is_tagged() then
  local running = {}
  local partitions = tonumber(redis.call('HGET', cluster .. 'meta', 'partitions') or 0)
  for partition = 0, partitions - 1 do
    local held = redis.call('HSCAN', '{' .. prefix .. ':' .. partition .. '}:held', 0, 'COUNT', HELD_LOOKED)[2]
    for i = 1, #held, 2 do
      local attempt, holder, _, expires = held_value.lease_of(held[i + 1])
      if holder == worker and #running < HELD_SHOWN then
        running[#running + 1] = { id = held[i], attempt = tonumber(attempt), lease_expires_ms = tonumber(expires) }
      end
    end
  end
  shown.runs = #running > 0 and running or nil
end
return cjson.encode(shown)
