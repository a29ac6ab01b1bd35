#!lua flags=allow-oom
--[[
Script   tracker/retire
Purpose  Forget a tracker that stops or whose heartbeat is overdue, and workers that left or whose heartbeat is.

KEYS     1 trackers zset  score = expiry ms, member = `<id> <url>`        {tw}:trackers
           computed: {tw}:workers:<group> {tw}:worker:<id>
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 tracker  `<id> <url>`; empty when only workers are meant
         3 silent_ms tracker and workers are forgotten only when their last heartbeats are older than this, integer, 0..600000; 0: in
                    any case
         4 ttl_ms   that heartbeats were written with, integer, 100..600000
         5 workers  how many follow, integer, 0..1000; then two for each:
           group    its group
           worker   its id

Reply    { 'RETIRED', { worker... } }   those that are forgotten now, or were before
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(workers); at most 4 + 3 * workers commands
Holds    W10
Repeat   Idempotent.
]]
-- @use args
-- @use bounds
-- @use keys
local now = args.now(1)
local silent = args.int(3, 'silent_ms', 0, bounds.HEARTBEAT_MS_MAX)
local ttl = args.int(4, 'ttl_ms', 100, bounds.HEARTBEAT_MS_MAX)
local workers = args.int(5, 'workers', 0, bounds.ITEMS_MAX)
if #ARGV ~= 5 + 2 * workers then
  args.bad('workers', 'must be two values each', #ARGV - 5)
end
-- Of a heartbeat with this expiry: none, an old one, or one that is good for longer than any is.
local function is_silent(expires)
  return silent == 0 or not expires or expires - ttl <= now - silent or expires > now + bounds.HEARTBEAT_MS_MAX
end
local retired = {}
for i = 1, workers do
  local group, worker = ARGV[4 + 2 * i], ARGV[5 + 2 * i]
  -- A key of another type is made anew by the next heartbeat; until then nothing is said of its group.
  local known, at = pcall(redis.call, 'ZSCORE', keys.workers(group), worker)
  if known and is_silent(tonumber(at)) then
    redis.call('ZREM', keys.workers(group), worker)
    redis.call('DEL', keys.worker(worker))
    retired[#retired + 1] = worker
  end
end
if ARGV[2] ~= '' and is_silent(tonumber(redis.call('ZSCORE', KEYS[1], ARGV[2]))) then
  redis.call('ZREM', KEYS[1], ARGV[2])
end
return { 'RETIRED', retired }
