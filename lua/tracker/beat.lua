#!lua flags=allow-oom
--[[
Script   tracker/beat
Purpose  One sign of life of a tracker and of the workers whose home it is; answers with the live trackers, and tells whether the limits of
         groups changed.

KEYS     1 trackers zset  score = expiry ms, member = `<id> <url>`        {tw}:trackers
           computed: {tw}:workers:<group> {tw}:worker:<id> {tw}:groups {tw}:limits {tw}:meta {tw}:epoch
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 tracker  `<id> <url>`; empty when only workers are written
         3 ttl_ms   until the signs expire, integer, 100..600000
         4 workers  how many follow, integer, 0..1000; then three for each:
           group    its group
           worker   its id
           report   empty, or the fields of its hash: `<name> <value>` lines

Reply    { 'BEATEN', now_ms, { `<id> <url>`... }, changes, { key... }, store }   changes: how often limits of groups were given or taken
           away; keys of a wrong type: those of the roster are made anew, as beats write all that is in them, and limits are left as they
           are; store: `<schema> <partitions> <created ms> <adopted ms> <epoch> <beats>`, `-` for what is not there
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(workers); at most 9 + 3 * groups + 2 * reports commands, some 40 more when a worker comes, 260 at most, and 2 more for each
         key of a wrong type
Holds    W9 W10
Repeat   Idempotent but for the later expiry, and the count of beats.
]]
-- @prelude
local REPORT_KEPT_MS = 60000
local TTL_MAX_MS = 600000
local GROUPS = BASE .. 'groups'
local STAMP_MS = 60000 -- between two times at which a group is said to have workers
local GROUP_KEPT_MS = 86400000 -- without a worker
local SWEPT = 32 -- a hash of a hundred or fewer is read whole
local REPORT_MAX = 200 -- names and values of one worker
local now = now_ms(1)
local ttl = arg_int(3, 'ttl_ms', 100, TTL_MAX_MS)
local workers = arg_int(4, 'workers', 0, ITEMS_MAX)
if #ARGV ~= 4 + 3 * workers then
  bad_arg('workers', 'must be three values each', #ARGV - 4)
end
-- Whatever has the place of a key of the roster by mistake, no tracker stands still for it.
local damaged = {}
local function call(command, target, ...)
  local done, found = pcall(redis.call, command, target, ...)
  if done then
    return found
  end
  local words = type(found) == 'table' and found.err or tostring(found)
  if not string.find(words, 'WRONGTYPE', 1, true) then
    error(found, 0)
  end
  damaged[#damaged + 1] = target
  redis.call('DEL', target)
  return redis.call(command, target, ...)
end

local reports = {}
for i = 1, workers do
  local report, fields = ARGV[4 + 3 * i], {}
  for name, value in string.gmatch(report, '(%S+) ([^\n]*)\n?') do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if report ~= '' and (#fields == 0 or #fields > REPORT_MAX) then
    bad_arg('report', 'must be lines of a name and a value', report)
  end
  reports[i] = fields
end
if ARGV[2] ~= '' then
  if call('ZADD', KEYS[1], now + ttl, ARGV[2]) > 0 then
    -- A new tracker: a good moment to forget the dead ones.
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - REPORT_KEPT_MS)
  end
end
-- Forgets groups without a worker for a day, some each time a worker comes: `!` says where the next time begins.
local function forget_groups()
  local began = string.match(redis.call('HGET', GROUPS, '!') or '', '^%d+$') or '0'
  local scanned = redis.call('HSCAN', GROUPS, began, 'COUNT', SWEPT)
  local names = scanned[2]
  for i = 1, #names, 2 do
    local group, since = names[i], tonumber(names[i + 1]) or 0
    if group ~= '!' and since <= now - GROUP_KEPT_MS then
      if call('ZCOUNT', key('workers', group), '(' .. int(now), '+inf') > 0 then
        redis.call('HSET', GROUPS, group, int(now))
      else
        redis.call('HDEL', GROUPS, group)
      end
    end
  end
  if scanned[1] ~= '0' then
    redis.call('HSET', GROUPS, '!', scanned[1])
  elseif began ~= '0' then
    redis.call('HDEL', GROUPS, '!')
  end
end

local by_group, groups, came = {}, {}, false
for i = 1, workers do
  local base = 1 + 3 * i
  local group, worker, fields = ARGV[base + 1], ARGV[base + 2], reports[i]
  if not by_group[group] then
    by_group[group] = {}
    groups[#groups + 1] = group
  end
  table.insert(by_group[group], now + ttl)
  table.insert(by_group[group], worker)
  if #fields > 0 then
    call('HSET', key('worker', worker), unpack(fields))
    redis.call('PEXPIRE', key('worker', worker), REPORT_KEPT_MS)
  end
end
-- One that was made anew lacks groups whose workers came long ago.
local stamps = #groups > 0 and call('HMGET', GROUPS, unpack(groups)) or {}
for i, group in ipairs(groups) do
  local target, fresh = key('workers', group), false
  if call('ZADD', target, unpack(by_group[group])) > 0 then
    -- A new worker: a good moment to forget the dead ones.
    redis.call('ZREMRANGEBYSCORE', target, '-inf', now - REPORT_KEPT_MS)
    came, fresh = true, true
  end
  -- For a day without a worker a minute more or less is nothing: once a minute, not with each sign.
  if fresh or not stamps[i] or now % STAMP_MS < ttl / 3 then
    call('HSET', GROUPS, group, int(now))
  end
end
if came then
  forget_groups()
end
-- No sign is good for longer than the longest ttl: what says so was written by nobody who lives, and would take partitions to itself.
local listed, live = pcall(redis.call, 'ZRANGE', KEYS[1], '(' .. int(now), int(now + TTL_MAX_MS), 'BYSCORE', 'LIMIT', 0, 1000)
if not listed then
  damaged[#damaged + 1], live = KEYS[1], {}
end
local known, limits = pcall(redis.call, 'HGET', BASE .. 'limits', '!')
if not known then
  damaged[#damaged + 1] = BASE .. 'limits'
end
-- A store that was emptied or replaced breaks no connection: whoever beats can tell by this.
local met, store = pcall(redis.call, 'HMGET', BASE .. 'meta', 'schema', 'partitions', 'created_ms', 'adopted_ms')
if not met then
  damaged[#damaged + 1], store = BASE .. 'meta', {}
end
local counted, epoch = pcall(redis.call, 'HGET', BASE .. 'epoch', 'number')
store[5] = counted and epoch
-- How many signs of life of trackers are in these data: a copy that is older has fewer.
local beaten, beats
if ARGV[2] ~= '' then
  beaten, beats = pcall(redis.call, 'HINCRBY', BASE .. 'epoch', 'beats', 1)
else
  beaten, beats = pcall(redis.call, 'HGET', BASE .. 'epoch', 'beats')
end
store[6] = not beaten and 'x' or beats and string.format('%s', beats)
if not counted or not beaten then
  damaged[#damaged + 1] = BASE .. 'epoch'
end
for i = 1, 6 do
  store[i] = store[i] or '-'
end
return { 'BEATEN', now, live, string.match(known and limits or '0', '^%d+') or '0', damaged, table.concat(store, ' ') }
