#!lua flags=allow-oom
--[[
Script   tracker/drain
Purpose  Let a worker take no more work, or take some again. Trackers learn of it with their next heartbeat.

KEYS     1 drained  zset  score = since when, ms, member = worker id    {tw}:drained
           computed: {tw}:meta
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 worker   its id
         3 takes    0: it takes no more; 1: it takes work again

Reply    { 'DRAINED', since_ms }   since when it takes none
         { 'TAKES' }               it takes work
         { 'FULL' }                as many as may be take none
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(log drained); at most 7 commands
Holds    W9 W10
Repeat   Idempotent: one that is drained stays so since the first time.
]]
-- @use args
-- @use keys
-- @use record
-- @use records/roster_record
local int = record.int
local DRAINED_MAX = 1000
local KEPT_MS = 2592000000 -- 30 days: no process is called so for longer, and one that is has to be drained again
local now = args.now(1)
local worker = args.text(2, 'worker', 128)
local takes = args.int(3, 'takes', 0, 1)

-- Stands in `meta`, which heartbeats read in any case, and is written first: a count without a change only has the list read again.
local function count_change()
  local known = roster_record.count_of(redis.call('HGET', keys.meta, 'drain_changes') or '')
  redis.call('HSET', keys.meta, 'drain_changes', int(known and tonumber(known) + 1 or now))
end

local since = redis.call('ZSCORE', KEYS[1], worker)
if takes == 1 then
  if since then
    count_change()
    redis.call('ZREM', KEYS[1], worker)
  end
  return { 'TAKES' }
end
if since then
  return { 'DRAINED', since }
end
local is_full = redis.call('ZCARD', KEYS[1]) >= DRAINED_MAX
if is_full and redis.call('ZCOUNT', KEYS[1], '-inf', int(now - KEPT_MS)) == 0 then
  return { 'FULL' }
end
count_change()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(now - KEPT_MS))
redis.call('ZADD', KEYS[1], int(now), worker)
return { 'DRAINED', int(now) }
