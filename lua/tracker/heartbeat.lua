#!lua flags=allow-oom
--[[
Script   tracker/heartbeat
Purpose  One heartbeat of a tracker and of the workers whose primary tracker it is; answers with the live trackers, and tells whether the
         limits of groups, the tokens and the drained workers changed.

KEYS     1 trackers zset  score = expiry ms, member = `<id> <url>`        {tw}:trackers
           computed: {tw}:workers:<group> {tw}:worker:<id> {tw}:groups {tw}:limits {tw}:meta {tw}:epoch
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 tracker  `<id> <url>`; empty when only workers are written
         3 ttl_ms   until the heartbeats expire, integer, 100..600000
         4 workers  how many follow, integer, 0..1000; then three for each:
           group    its group
           worker   its id
           report   empty, or the fields of its hash: `<name> <value>` lines

Reply    { 'WRITTEN', fields... }
           now_ms
           live      { `<id> <url>`... } trackers
           changes   how often limits of groups were given or taken away
           tokens?   how often tokens were made, changed or revoked, if there is any
           drains?   how often workers were drained, or took work again, if any was
           damaged?  { key... } of a wrong type: those of the roster are made anew, as heartbeats write all that is in them, and limits are
                     left as they are
           store     `<schema> <partitions> <created ms> <adopted ms> <epoch> <heartbeats>`, `-` for what is not there
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(workers); at most 9 + 3 * groups + 2 * reports commands, some 40 more when a worker comes, 260 at most, and 2 more for each
         key of a wrong type
Holds    W9 W10
Repeat   Idempotent but for the later expiry, and the count of heartbeats.
]]
-- @use args
-- @use bounds
-- @use keys
-- @use record
-- @use records/limit_share
-- @use args/forms
-- @use records/roster_record
-- @use records/token_record
-- @use replies
local int = record.int
local REPORT_KEPT_MS = 60000
local GROUPS = keys.groups
local STAMP_MS = 60000 -- between two times at which a group is said to have workers
local LOOK_MS = 10000 -- between two looks whether the groups are all there
local COUNT_MS = 5000 -- between two heartbeats of a tracker that are counted
local GROUP_KEPT_MS = 86400000 -- without a worker
local SWEPT = 32 -- a hash of a hundred or fewer is read whole
local REPORT_MAX = 200 -- names and values of one worker
local now = args.now(1)
local ttl = args.int(3, 'ttl_ms', 100, bounds.HEARTBEAT_MS_MAX)
local workers = args.int(4, 'workers', 0, bounds.ITEMS_MAX)
if #ARGV ~= 4 + 3 * workers then
  args.bad('workers', 'must be three values each', #ARGV - 4)
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
  for name, value in forms.each_named_line(report) do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if report ~= '' and (#fields == 0 or #fields > REPORT_MAX) then
    args.bad('report', 'must be lines of a name and a value', report)
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
  local began = roster_record.cursor_of(redis.call('HGET', GROUPS, '!') or '')
  local scanned = redis.call('HSCAN', GROUPS, began, 'COUNT', SWEPT)
  local names = scanned[2]
  for i = 1, #names, 2 do
    local group, since = names[i], tonumber(names[i + 1]) or 0
    if group ~= '!' and since <= now - GROUP_KEPT_MS then
      if call('ZCOUNT', keys.workers(group), '(' .. int(now), int(now + bounds.HEARTBEAT_MS_MAX)) > 0 then
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
    call('HSET', keys.worker(worker), unpack(fields))
    redis.call('PEXPIRE', keys.worker(worker), REPORT_KEPT_MS)
  end
end
-- Whether the heartbeats of this call are the ones of so long a span: whoever gives them does so three times within their ttl.
local function once_in(span)
  return now % span < ttl / 3
end
-- One that was made anew lacks groups whose workers came long ago.
local stamps = #groups > 0 and once_in(LOOK_MS) and call('HMGET', GROUPS, unpack(groups)) or nil
for i, group in ipairs(groups) do
  local target, fresh = keys.workers(group), false
  if call('ZADD', target, unpack(by_group[group])) > 0 then
    -- A new worker: a good moment to forget the dead ones.
    redis.call('ZREMRANGEBYSCORE', target, '-inf', now - REPORT_KEPT_MS)
    came, fresh = true, true
  end
  -- For a day without a worker a minute more or less is nothing: once a minute, not with each heartbeat.
  if fresh or (stamps and not stamps[i]) or once_in(STAMP_MS) then
    call('HSET', GROUPS, group, int(now))
  end
end
if came then
  forget_groups()
end
-- No heartbeat is good for longer than the longest ttl: what says so was written by nobody who lives, and would take partitions to itself.
local listed, live = pcall(redis.call, 'ZRANGE', KEYS[1], '(' .. int(now), int(now + bounds.HEARTBEAT_MS_MAX), 'BYSCORE', 'LIMIT', 0, 1000)
if not listed then
  damaged[#damaged + 1], live = KEYS[1], {}
end
local known, limits = pcall(redis.call, 'HGET', keys.limits, '!')
if not known then
  damaged[#damaged + 1] = keys.limits
end
-- A store that was emptied or replaced breaks no connection: whoever gives heartbeats can tell by this.
local met, store = pcall(redis.call, 'HMGET', keys.meta, 'schema', 'partitions', 'created_ms', 'adopted_ms', 'token_changes',
  'drain_changes')
if not met then
  damaged[#damaged + 1], store = keys.meta, {}
end
local token_changes = token_record.changes_of(store[5] or '')
local drain_changes = roster_record.count_of(store[6] or '')
-- How many heartbeats of trackers are in these data: a copy that is older has fewer. Some are counted, each for all since the last.
local written = true
if ARGV[2] ~= '' and once_in(COUNT_MS) then
  written = pcall(redis.call, 'HINCRBY', keys.epoch, 'heartbeats', 1)
end
local counted, epoch = pcall(redis.call, 'HMGET', keys.epoch, 'number', 'heartbeats')
store[5] = counted and epoch[1]
store[6] = not (counted and written) and 'x' or epoch[2]
if not counted or not written then
  damaged[#damaged + 1] = keys.epoch
end
for i = 1, 6 do
  store[i] = store[i] or '-'
end
local changes = limit_share.open_changes(known and limits or '') or '0'
local reply = { 'WRITTEN', 'now_ms', now, 'live', live, 'changes', changes, 'store', table.concat(store, ' ') }
replies.tell(reply, 'tokens', token_changes)
replies.tell(reply, 'drains', drain_changes)
replies.tell_list(reply, 'damaged', damaged)
return reply
