#!lua flags=no-writes
--[[
Script   wheel/look
Purpose  What waits in one partition and since when, without moving anything: for trackers that stand in for its first tracker.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:backlog {tw:p}:ready:<group>:<handler> {tw:p}:parts:<handler>:<root>
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 handlers  that somebody here serves, at most 256, each `<group> <handler>`; `<group> !fan` for what is to be split of a group

Reply    { 'LOOKED', now_ms, head_ms | '', { queue, due ms of the first }... }  at most 64 queues; of subtasks the due time of
           their root; what a tracker has to split counts for the head. Where more than 32 queues wait, those of
           the handlers above, without any the first
Raises   BAD_ARG    now_ms is out of range, or there are too many handlers

Cost     O(handlers, or 64 queues); at most 70 commands, and one for each handler
Holds    W9 W10
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use claims/queues
-- @use ready_sets
-- @use record
-- @use records/context_id
-- @use records/context_record
-- @use records/queue_name
local int = record.int
local BACKLOG_MAX = 64
local HANDLERS_MAX = 256
local now = args.now(1)
local head = tonumber(redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2])
if #ARGV > 1 + HANDLERS_MAX then
  args.bad('handlers', 'must be at most ' .. int(HANDLERS_MAX), #ARGV - 1)
end
local waiting = {}
local names
if #ARGV == 1 then
  names = redis.call('ZRANGE', keys.backlog, 0, BACKLOG_MAX - 1)
else
  names = queues.waiting(function() return { unpack(ARGV, 2) } end)
end
for _, queue in ipairs(names) do
  if #waiting >= 2 * BACKLOG_MAX then
    break
  end
  local base, root = queue_name.split_root(queue)
  local first = not root and redis.call('ZRANGE', ready_sets.key_of(queue), 0, 0)[1]
  local id = root or (first and context_record.id_of(first))
  local due = (first or root) and (context_id.due_of(id or '') or now) -- a turn puts aside what cannot be read
  if due and queue_name.is_to_split(queue) then
    head = math.min(head or due, due)
  elseif due then
    waiting[#waiting + 1] = base or queue
    waiting[#waiting + 1] = due
  end
end
return { 'LOOKED', now, head and int(head) or '', waiting }
