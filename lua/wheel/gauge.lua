#!lua flags=no-writes
--[[
Script   wheel/gauge
Purpose  How much a partition holds, and what ended in it lately, in numbers, for whoever watches it.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :dead :backlog :events, :ready: and :parts: of its queues
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)

Reply    { 'GAUGED', fields... }
           now_ms
           entries   in the wheel
           overdue   those whose time has come
           oldest_ms how long ago that of the first came, 0 without one
           waiting   contexts that wait for permits, of the first 64 queues
           running   contexts that workers hold
           dead      contexts that ended without success and are kept
           groups?   { group, waiting... } the same by group
           succeeded? failed? timed_out? cancelled? expired?
                     contexts that ended since `since_ms`
           since_ms  a minute ago, or when the oldest end came that was looked at
Raises   BAD_ARG    an argument is out of range

Cost     O(log(wheel)), some queues, and the newest 64 events or, where they are great, 4; at most 74 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use history/ends
-- @use keys
-- @use ready_sets
-- @use record
-- @use records/queue_name
-- @use replies
local int = record.int
local QUEUES = 64
local STATES = { 'succeeded', 'failed', 'timed_out', 'cancelled', 'expired' }
local now = args.now(1)
local wheel, backlog = KEYS[1], keys.backlog
local head = redis.call('ZRANGE', wheel, 0, 0, 'WITHSCORES')
local oldest = head[2] and math.max(now - tonumber(head[2]), 0) or 0
local overdue = head[2] and tonumber(head[2]) <= now and redis.call('ZCOUNT', wheel, '-inf', now) or 0

local function waiting_in(queue)
  local zset = ready_sets.key_of(queue)
  if zset then
    return redis.call('ZCARD', zset)
  end
  local handler, root = queue_name.split_subtasks(queue)
  return handler and redis.call('LLEN', keys.parts(handler .. ':' .. root)) or 0
end

local waiting, groups, places = 0, {}, {}
for _, queue in ipairs(redis.call('ZRANGE', backlog, 0, QUEUES - 1)) do
  local count, group = waiting_in(queue), queue_name.group_of(queue)
  waiting = waiting + count
  if count > 0 and group then
    local place = places[group] or #groups + 2
    places[group] = place
    groups[place - 1], groups[place] = group, (groups[place] or 0) + count
  end
end
local ended, since = ends.lately(now)
local reply = { 'GAUGED', 'now_ms', now, 'entries', redis.call('ZCARD', wheel), 'overdue', overdue, 'oldest_ms', int(oldest),
  'waiting', waiting, 'running', redis.call('HLEN', keys.held), 'dead', redis.call('ZCARD', keys.dead), 'since_ms', int(since) }
replies.tell_list(reply, 'groups', groups)
for _, state in ipairs(STATES) do
  replies.tell_number(reply, state, ended[state] or 0)
end
return reply
