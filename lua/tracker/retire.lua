#!lua flags=allow-oom
--[[
Script   tracker/retire
Purpose  Forget a tracker that stops or whose heartbeat is overdue, and workers that left or whose heartbeat is.

KEYS     1 trackers zset  score = expiry ms, member = `<id> <url>`        {tw}:trackers
           computed: {tw}:workers:<group> {tw}:worker:<id>
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           tracker?   `<id> <url>`; absent when only workers are meant
           silent_ms  tracker and workers are forgotten only when their last heartbeats are older than this, integer, 0..600000;
                      0: in any case
           ttl_ms     that heartbeats were written with, integer, 100..600000
           workers    how many follow, integer, 0..1000
         then two values for each of these workers:
           group      its group
           worker     its id

Reply    { 'RETIRED', { worker... } }   those that are forgotten now, or were before
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(workers); at most 4 + 3 * workers commands
Holds    W10
Repeat   Idempotent.
]]
-- @use args
-- @use bounds
-- @use keys
local given, first = args.named('now_ms tracker silent_ms ttl_ms workers')
local now, tracker = args.now_of(given), given.tracker or ''
local silent = args.int_of(given, 'silent_ms', 0, bounds.HEARTBEAT_MS_MAX)
local ttl = args.int_of(given, 'ttl_ms', 100, bounds.HEARTBEAT_MS_MAX)
local workers = args.int_of(given, 'workers', 0, bounds.ITEMS_MAX)
if #ARGV ~= first + 2 * workers - 1 then
  args.bad('workers', 'must be two values each', #ARGV - first + 1)
end
-- Of a heartbeat with this expiry: none, an old one, or one that is good for longer than any is.
local function is_silent(expires)
  return silent == 0 or not expires or expires - ttl <= now - silent or expires > now + bounds.HEARTBEAT_MS_MAX
end
local retired = {}
for i = first, #ARGV, 2 do
  local group, worker = ARGV[i], ARGV[i + 1]
  -- A key of another type is made anew by the next heartbeat; until then nothing is said of its group.
  local known, at = pcall(redis.call, 'ZSCORE', keys.workers(group), worker)
  if known and is_silent(tonumber(at)) then
    redis.call('ZREM', keys.workers(group), worker)
    redis.call('DEL', keys.worker(worker))
    retired[#retired + 1] = worker
  end
end
if tracker ~= '' and is_silent(tonumber(redis.call('ZSCORE', KEYS[1], tracker))) then
  redis.call('ZREM', KEYS[1], tracker)
end
return { 'RETIRED', retired }
