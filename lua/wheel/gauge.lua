#!lua flags=no-writes
--[[
Script   wheel/gauge
Purpose  How much a partition holds, in numbers, for whoever watches it.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :dead :backlog, :ready: and :parts: of its queues
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)

Reply    { 'GAUGED', fields... }
           now_ms
           entries   in the wheel
           overdue   those whose time has come
           oldest_ms how long ago that of the first came, 0 without one
           waiting   contexts that wait for permits, of the first 64 queues
           running   contexts that workers hold
           dead      contexts that ended without success and are kept
Raises   BAD_ARG    an argument is out of range

Cost     O(log(wheel)), and some queues; at most 72 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use ready_sets
-- @use record
-- @use records/queue_name
local int = record.int
local QUEUES = 64
local now = args.now(1)
local wheel, backlog = KEYS[1], keys.backlog
local head = redis.call('ZRANGE', wheel, 0, 0, 'WITHSCORES')
local oldest = head[2] and math.max(now - tonumber(head[2]), 0) or 0
local overdue = head[2] and tonumber(head[2]) <= now and redis.call('ZCOUNT', wheel, '-inf', now) or 0
local waiting = 0
for _, queue in ipairs(redis.call('ZRANGE', backlog, 0, QUEUES - 1)) do
  local zset = ready_sets.key_of(queue)
  if zset then
    waiting = waiting + redis.call('ZCARD', zset)
  else
    local handler, root = queue_name.split_subtasks(queue)
    if handler then
      waiting = waiting + redis.call('LLEN', keys.parts(handler .. ':' .. root))
    end
  end
end
return { 'GAUGED', 'now_ms', now, 'entries', redis.call('ZCARD', wheel), 'overdue', overdue, 'oldest_ms', int(oldest),
  'waiting', waiting, 'running', redis.call('HLEN', keys.held), 'dead', redis.call('ZCARD', keys.dead) }
