#!lua flags=allow-oom
--[[
Script   repair/shelf
Purpose  Make the backlog agree with a ready set, or have leases or a delivery looked at now.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:backlog {tw:p}:held :ready: :wake
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 what     backlog, scan or delivery
         3 name     backlog: `<group> <handler>[ c=<lane>][ k=<key>]`, the key may be empty; delivery: the entry; scan: empty

Reply    { 'REPAIRED', what was done }
         { 'CLEAN' }   there was nothing to do
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(log(wheel)); at most 6 commands
Holds    W1 W7
Repeat   Idempotent but for an earlier look: the second call is CLEAN.
]]
-- @prelude
-- @part fairness
-- @part ready
local now = now_ms(1)
local what, name = arg_text(2, 'what', 16), ARGV[3]

local function of_backlog()
  if string.find(name, ' /', 1, true) then
    return nil -- repair/fan's
  end
  local queue = string.gsub(name, ' k=%S*$', '')
  if not string.find(queue, '^%S+ %S+$') and not string.find(queue, '^%S+ %S+ c=%x+$') then
    bad_arg('name', 'must be a group, a handler, maybe a lane, and maybe a key', name)
  end
  local waits = redis.call('ZCARD', key('ready', (string.gsub(name, ' ', ':')))) > 0
  local listed = redis.call('ZSCORE', BASE .. 'backlog', name) ~= false
  if waits and not listed then
    redis.call('ZADD', BASE .. 'backlog', 0, name)
    wake(0)
    return 'added to the backlog'
  end
  if listed and not waits then
    redis.call('ZREM', BASE .. 'backlog', name)
    return 'taken out of the backlog'
  end
end

local function of_scan()
  local at = tonumber(redis.call('ZSCORE', KEYS[1], '!reap'))
  if redis.call('HLEN', BASE .. 'held') > 0 and (not at or at > now) then
    redis.call('ZADD', KEYS[1], now, '!reap')
    wake(now)
    return 'leases are looked at now'
  end
end

local function of_delivery()
  local at = tonumber(redis.call('ZSCORE', KEYS[1], name))
  if string.byte(name) == 38 and at and at > now then -- '&'
    redis.call('ZADD', KEYS[1], now, name)
    wake(now)
    return 'delivered now'
  end
end

local WHATS = { backlog = of_backlog, scan = of_scan, delivery = of_delivery }
if not WHATS[what] then
  bad_arg('what', 'must be backlog, scan or delivery', what)
end
local done = WHATS[what]()
if done then
  return { 'REPAIRED', done }
end
return { 'CLEAN' }
