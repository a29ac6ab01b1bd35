#!lua flags=allow-oom
--[[
Script   repair/index
Purpose  Make the backlog agree with a ready set, or have leases or a delivery looked at now.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:backlog {tw:p}:held :ready: :wake
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 what     backlog, scan or delivery
         3 name     backlog: `<group> <handler>[ c=<placement>][ k=<key>]`, the key may be empty; delivery: the entry; scan: empty

Reply    { 'REPAIRED', what was done }
         { 'CLEAN' }   there was nothing to do
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(log(wheel)), O(backlog) for a name that is none; at most 6 commands, and 2 for each name of the backlog
Holds    W1 W7
Repeat   Idempotent but for an earlier look: the second call is CLEAN.
]]
-- @use args
-- @use keys
-- @use contexts/ready
-- @use record
-- @use records/queue_name
-- @use records/wheel_entry
local int = record.int
local now = args.now(1)
local what, name = args.text(2, 'what', 16), ARGV[3]

-- Names of nothing that could wait, all at once: one that is no text cannot be named.
local function drop_strange()
  local gone = 0
  for _, listed in ipairs(redis.call('ZRANGE', keys.backlog, 0, -1)) do
    local root = queue_name.root_of(listed)
    local kept = root and redis.call('HEXISTS', keys.fans, root) == 1
    if not kept and (root or not queue_name.is_one(listed)) then
      gone = gone + redis.call('ZREM', keys.backlog, listed)
    end
  end
  return gone > 0 and 'taken out of the backlog: ' .. int(gone) .. ' names that are no ready set' or nil
end

local function of_backlog()
  local root = queue_name.root_of(name)
  if root and redis.call('HEXISTS', keys.fans, root) == 1 then
    return nil -- repair/fan's
  end
  if root or not queue_name.is_one(name) then
    return drop_strange()
  end
  local waits = redis.call('ZCARD', keys.ready(queue_name.set_of(name))) > 0
  local listed = redis.call('ZSCORE', keys.backlog, name) ~= false
  if waits and not listed then
    redis.call('ZADD', keys.backlog, 0, name)
    ready.wake(0)
    return 'added to the backlog'
  end
  if listed and not waits then
    redis.call('ZREM', keys.backlog, name)
    return 'taken out of the backlog'
  end
end

local function of_scan()
  local at = tonumber(redis.call('ZSCORE', KEYS[1], '!reap'))
  if redis.call('HLEN', keys.held) > 0 and (not at or at > now) then
    redis.call('ZADD', KEYS[1], now, '!reap')
    ready.wake(now)
    return 'leases are looked at now'
  end
end

local function of_delivery()
  local at = tonumber(redis.call('ZSCORE', KEYS[1], name))
  if wheel_entry.kind_of(name) == wheel_entry.DELIVERY and at and at > now then
    redis.call('ZADD', KEYS[1], now, name)
    ready.wake(now)
    return 'delivered now'
  end
end

local WHATS = { backlog = of_backlog, scan = of_scan, delivery = of_delivery }
if not WHATS[what] then
  args.bad('what', 'must be backlog, scan or delivery', what)
end
local done = WHATS[what]()
if done then
  return { 'REPAIRED', done }
end
return { 'CLEAN' }
