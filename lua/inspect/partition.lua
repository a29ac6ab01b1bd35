#!lua flags=no-writes
--[[
Script   inspect/partition
Purpose  How much is where in one partition, as JSON, for a person with redis-cli.
Usage    redis-cli fcall_ro tickwheel_partition 0 <partition> [<prefix>]
         In Redis Cluster: redis-cli -c fcall_ro tickwheel_partition 1 '{tw:7}'
Reply    One JSON text: sizes, how late the wheel is, the ready sets with the age of their first context, and the counters.
Cost     O(ready sets); at most 110 commands, 50 ready sets are shown
]]
-- @use inspection/subject
-- @use keys
-- @use partition
-- @use records/context_id
-- @use records/queue_name
-- @use args/forms
local READY_SHOWN = 50
local SIZES = { wheel = 'ZCARD', held = 'HLEN', retry = 'HLEN', jobs = 'ZCARD', dead = 'ZCARD', events = 'XLEN' }

if not subject.is_tagged() and not forms.is_digits(ARGV[1] or '') then
  return redis.error_reply('USAGE redis-cli fcall_ro tickwheel_partition 0 <partition> [<prefix>]')
end
subject.lie_in(subject.prefix(2), ARGV[1])
local now = subject.now()
local shown = { partition = tonumber(partition.number()), now_ms = now }
for name, command in pairs(SIZES) do
  shown[name .. '_count'] = redis.call(command, keys[name])
end
local head = redis.call('ZRANGE', keys.wheel, 0, 0, 'WITHSCORES')
if head[2] then
  shown.wheel_head_ms = tonumber(head[2])
  shown.wheel_late_ms = math.max(now - tonumber(head[2]), 0)
end
local ready = {}
for _, queue in ipairs(redis.call('ZRANGE', keys.backlog, 0, -1)) do
  if #ready == READY_SHOWN then
    break
  end
  local zset = keys.ready(queue_name.set_of(queue))
  local first = redis.call('ZRANGE', zset, 0, 0)[1]
  local due = first and context_id.due_of(first)
  ready[#ready + 1] = { queue = queue, count = redis.call('ZCARD', zset), first_waits_ms = due and math.max(now - due, 0) or nil }
end
shown.ready = #ready > 0 and ready or nil
local stats = redis.call('HGETALL', keys.stats)
for i = 1, #stats, 2 do
  shown.stats = shown.stats or {}
  shown.stats[stats[i]] = tonumber(stats[i + 1])
end
return cjson.encode(shown)
