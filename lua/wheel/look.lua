#!lua flags=no-writes
--[[
Script   wheel/look
Purpose  What waits in one partition and since when, without moving anything: for trackers that stand in for its first tracker.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:backlog {tw:p}:ready:<group>:<handler> {tw:p}:parts:<handler>:<root>
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)

Reply    { 'LOOKED', now_ms, head_ms | '', { queue, due ms of the first }... }  at most 64 queues; of subtasks the due time of
           their root; what a tracker has to split counts for the head
Raises   BAD_ARG    now_ms is out of range

Cost     O(ready sets); at most 68 commands
Holds    W9 W10
Repeat   Reads only.
]]
-- @prelude
local BACKLOG_MAX = 64
local now = now_ms(1)
local head = tonumber(redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2])
local waiting = {}
for _, queue in ipairs(redis.call('HKEYS', BASE .. 'backlog')) do
  if #waiting >= 2 * BACKLOG_MAX then
    break
  end
  local base, root = string.match(queue, '^(.+) /(%S+)$')
  local first = not root and redis.call('ZRANGE', ready_key(queue), 0, 0)[1]
  local id = root or (first and string.match(first, '^%S+'))
  local due = (first or root) and (due_of(id or '') or now) -- a turn puts aside what cannot be read
  if due and string.find(queue, ' !fan', 1, true) then
    head = math.min(head or due, due)
  elseif due then
    waiting[#waiting + 1] = base or queue
    waiting[#waiting + 1] = due
  end
end
return { 'LOOKED', now, head and int(head) or '', waiting }
