#!lua
--[[
Script   fan/open
Purpose  Split a due context as the model of its job says: the parts that a tracker chose wait for permits, and the context waits for them.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:backlog :fans :wake :ready: :fan: :parts:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 waiting  `<id> <attempt>:<failures> <group> <handler> <priority>` of the context, as it waits
         3 model    broadcast | sharding | indexed
         4 options  `<priority> <options>` of its parts
         5 reduce   empty, or `<handler> <priority> <options>`: runs once when all parts have ended
         6 reduce_on ended | succeeded
         7 total    parts in all, integer, 1..10000000; those of an indexed context are made when they are claimed
         8 parallelism parts that run at once, integer, 0: any number
         9 quorum   parts that have to succeed, of a broadcast; or empty
         10 max_failed parts that may fail for good, of an indexed context; or empty
         11 wanted  successes that are enough, of an indexed context; or empty
         12 success indexes that count for them, comma-separated; empty: all
         and behind it two values for each part, none of an indexed context:
           worker   that runs it, or empty for any
           part     `<number> <own bytes>`; the body of its context stands behind them

Reply    { 'OPENED' }
         { 'GONE' }   it does not wait there any more: nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(parts + log(ready)); at most 20 + 2 * parts commands
Holds    W1 W2 W3 W8 W9
Repeat   The second call answers GONE.
]]
-- @use args
-- @use fan_out/fan_changes
-- @use fan_out/fans
-- @use keys
-- @use contexts/ready
-- @use ready_sets
-- @use record
-- @use zsets
local int = record.int
local PARTS_MAX = 1000
local now = args.now(1)
local id, counts, group, handler, priority = string.match(ARGV[2] or '', '^(%S+) (%d+:%d+) (%S+) (%S+) ([0-4])$')
if not id or not record.due_of(id) then
  args.bad('waiting', 'must be id, counts, group, handler and priority', ARGV[2])
end
local model = ARGV[3]
if model ~= 'broadcast' and model ~= 'sharding' and model ~= 'indexed' then
  args.bad('model', 'must be broadcast, sharding or indexed', model)
end
local function check(index, name, pattern, rule)
  if not string.find(ARGV[index] or '', pattern) then
    args.bad(name, rule, ARGV[index])
  end
end
check(4, 'options', '^[0-4] %S+$', 'must be a priority and options')
check(6, 'reduce_on', '^[es][nu]%l+$', 'must be ended or succeeded')
local total = args.int(7, 'total', 1, 10000000)
args.int(8, 'parallelism', 0, 1000000)
for index, name in pairs({ [9] = 'quorum', [10] = 'max_failed', [11] = 'wanted' }) do
  check(index, name, '^%d*$', 'must be a number or empty')
end
check(12, 'success', '^[%d,]*$', 'must be numbers')
local reduce, reduce_options = string.match(ARGV[5], '^(%S+) ([0-4] %S+)$')
if ARGV[5] ~= '' and not reduce then
  args.bad('reduce', 'must be a handler, a priority and options', ARGV[5])
end
local parts = (#ARGV - 12) / 2
if parts ~= (model == 'indexed' and 0 or total) or parts > PARTS_MAX then
  args.bad('parts', 'must be two values for each of at most ' .. int(PARTS_MAX), #ARGV - 12)
end
for i = 1, parts do
  check(12 + 2 * i, 'part', '^%d+ ', 'must be a number and a body')
end

local queue = group .. ' !fan'
local zset = ready_sets.key_of(queue)
local member = zsets.find(zset, ready_sets.score(priority, record.due_of(id)), id .. ' ' .. counts .. ' ')
if not member then
  return { 'GONE' }
end
ready.remove(queue, zset, member)
local attempt, failures, rest = string.match(member, '^%S+ (%d+):(%d+) (.*)$')
local _, _, _, root_options = record.split_rest(rest)
local fan = { id = id, group = group, lane = record.option(root_options, 'c') or '' }
attempt = tonumber(attempt) + 1
local fields = { 'root', int(attempt) .. ':' .. failures .. ' ' .. rest, 'by', '- ' .. int(now), 'model', model, 'state', 'closed',
  'round', int(attempt), 'created_ms', int(now), 'total', int(total), 'parallelism', ARGV[8], 'quorum', ARGV[9], 'max_failed', ARGV[10],
  'wanted', ARGV[11], 'success', ARGV[12], 'reduce', reduce or '', 'reduce_on', ARGV[6], 'group', group, 'handlers', handler,
  't:' .. handler, fans.template(fan, handler, ARGV[4]) }
local function set(name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
if reduce then
  set('r', fans.template(fan, reduce, reduce_options))
end
if fan.lane ~= '' then
  ready.use_lane('c=' .. fan.lane)
  ready.flush_lanes()
  set('lane', fan.lane)
end
local lists, order, pinned = {}, {}, 0
for i = 1, parts do
  local worker, n, body = ARGV[11 + 2 * i], string.match(ARGV[12 + 2 * i], '^(%d+) (.*)$')
  if not lists[worker] then
    lists[worker] = {}
    order[#order + 1] = worker
  end
  table.insert(lists[worker], n .. ' 0:0 ' .. body)
end
for _, worker in ipairs(order) do
  if worker ~= '' then
    pinned = pinned + 1
    set('w:' .. worker, int(#lists[worker]))
  end
end
set('pinned', int(pinned))
for _, worker in ipairs(order) do
  fan_changes.push('RPUSH', keys.parts(handler .. ':' .. id .. (worker ~= '' and ':' .. worker or '')), lists[worker])
end
fan_changes.push('HSET', keys.fan(id), fields)
redis.call('HSET', keys.fans, id, model)
if pinned > 0 then
  redis.call('ZADD', keys.wheel, now + fans.LOOK_MS, '%' .. id)
end
redis.call('ZADD', keys.backlog, 0, fans.queue(fan, handler))
ready.wake(0)
return { 'OPENED' }
