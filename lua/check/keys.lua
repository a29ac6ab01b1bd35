#!lua flags=no-writes
--[[
Script   check/keys
Purpose  Type, size and lifetime of some keys of a partition, and what the partition says of its ready sets and its running contexts.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: the keys that are asked for, and {tw:p}:backlog {tw:p}:held :traces :ready: :fan: :parts:
ARGV     1 names    without the partition, 1..100 of them

Reply    { 'KEYS', fields... }
           keys     { name, type, size, ttl_ms }...  type `none`: there is no such key; size: elements, or bytes of a string; ttl_ms -1:
                    for ever
           backlog  { queue, how many wait in it; of subtasks 1 or 0 }... at most 1000
           running  how many contexts run
           scan?    when leases are looked at next
           logs     bytes of the history, in logs,
           results  in results,
           dead     and in the dead
           budget?  `<logs> <results> <dead> <ms>` as a tracker said last
Raises   BAD_ARG    an argument is out of range

Cost     O(names + ready sets); at most 8 + 3 * names + ready sets commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use fan_out/fans
-- @use keys
-- @use ready_sets
-- @use record
-- @use records/queue_name
-- @use records/trace_field
-- @use replies
local int = record.int
local NAMES_MAX = 100
local BACKLOG_MAX = 1000
local SIZES = { zset = 'ZCARD', hash = 'HLEN', list = 'LLEN', stream = 'XLEN', set = 'SCARD', string = 'STRLEN' }
if #ARGV < 1 or #ARGV > NAMES_MAX then
  args.bad('names', 'must be 1 to ' .. int(NAMES_MAX), #ARGV)
end
-- Whether a subtask may be claimed from the queue of a split context.
local function claimable(queue)
  local handler, root = queue_name.split_subtasks(queue)
  local fan = root and fans.of(fans.new(), root)
  return fan and not fan.blocked and not fans.is_drained(fan, handler) and 1 or 0
end

-- How many wait in a queue; nil where a key of another type than ours is in the way, which is told of by its name.
local function waiting_in(queue)
  local zset = ready_sets.key_of(queue)
  local done, size = pcall(zset and redis.call or claimable, zset and 'ZCARD' or queue, zset)
  return done and size or nil
end

local found, waiting = {}, {}
for i = 1, #ARGV do
  local name = args.text(i, 'name', 600)
  local kind = redis.call('TYPE', keys.base .. name).ok
  local size = SIZES[kind] and redis.call(SIZES[kind], keys.base .. name) or 0
  found[i] = { name, kind, size, redis.call('PTTL', keys.base .. name) }
end
if redis.call('TYPE', keys.backlog).ok == 'zset' then
  for _, queue in ipairs(redis.call('ZRANGE', keys.backlog, 0, -1)) do
    local size = #waiting < BACKLOG_MAX and waiting_in(queue)
    if size then
      waiting[#waiting + 1] = { queue, size }
    end
  end
end
local running, scan = 0, false
if redis.call('TYPE', keys.held).ok == 'hash' then
  running = redis.call('HLEN', keys.held)
end
if redis.call('TYPE', KEYS[1]).ok == 'zset' then
  scan = redis.call('ZSCORE', KEYS[1], '!reap')
end
local reply = { 'KEYS', 'keys', found, 'backlog', waiting, 'running', running }
replies.tell(reply, 'scan', scan)
local sums = {}
if redis.call('TYPE', keys.traces).ok == 'hash' then
  sums = redis.call('HMGET', keys.traces, '!l', '!r', '!d', '!budget')
end
for i, name in ipairs({ 'logs', 'results', 'dead' }) do
  local bytes = trace_field.sum_of(sums[i] or '')
  replies.tell(reply, name, record.is_instant(bytes) and tonumber(bytes) or 0) -- as who counts them reads them
end
replies.tell(reply, 'budget', sums[4])
return reply
