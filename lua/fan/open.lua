#!lua
--[[
Script   fan/open
Purpose  Split a due context as the model of its job says: the parts that a tracker chose wait for permits, and the context waits for them.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:backlog :fans :wake :ready: :fan: :parts:
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           waiting    `<id> <attempt>:<failures> <group> <handler> <priority>` of the context, as it waits
           model      broadcast | sharding | indexed
           options    `<priority> <options>` of its parts
           reduce?    `<handler> <priority> <options>`: runs once when all parts have ended
           reduce_on  ended | succeeded
           total      parts in all, integer, 1..10000000; those of an indexed context are made when they are claimed
           parallelism  parts that run at once, integer, 0: any number
           quorum?    parts that have to succeed, of a broadcast
           max_failed?  parts that may fail for good, of an indexed context
           wanted?    successes that are enough, of an indexed context
           success?   indexes that count for them, comma-separated; absent: all
         then two values for each part, none of an indexed context:
           worker     that runs it, or empty for any
           part       `<number> <own bytes>`; the body of its context stands behind them

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
-- @use records/context_id
-- @use records/context_options
-- @use records/context_record
-- @use records/queue_name
-- @use records/fan_record
-- @use records/waiting_part
-- @use args/forms
local int = record.int
local PARTS_MAX = 1000
local given, first = args.named('now_ms waiting model options reduce reduce_on total parallelism quorum max_failed wanted success')
local now = args.now_of(given)
local id, counts, group, handler, priority = forms.split_waiting(given.waiting or '')
if not id or not context_id.due_of(id) then
  args.bad('waiting', 'must be id, counts, group, handler and priority', given.waiting)
end
local model = given.model
if model ~= 'broadcast' and model ~= 'sharding' and model ~= 'indexed' then
  args.bad('model', 'must be broadcast, sharding or indexed', model)
end
local function check(text, name, is_one, rule)
  if not is_one(text or '') then
    args.bad(name, rule, text)
  end
end
check(given.options, 'options', forms.is_options, 'must be a priority and options')
check(given.reduce_on, 'reduce_on', forms.is_when_reduced, 'must be ended or succeeded')
local total = args.int_of(given, 'total', 1, 10000000)
local parallelism = args.int_of(given, 'parallelism', 0, 1000000)
for _, name in ipairs({ 'quorum', 'max_failed', 'wanted' }) do
  check(given[name], name, forms.is_digits_or_empty, 'must be a number or empty')
end
check(given.success, 'success', forms.is_numbers, 'must be numbers')
local reduce, reduce_options, behind = forms.split_handler(given.reduce or '')
if (given.reduce or '') ~= '' and behind ~= '' then
  args.bad('reduce', 'must be a handler, a priority and options', given.reduce)
end
local parts = (#ARGV - first + 1) / 2
if parts ~= (model == 'indexed' and 0 or total) or parts > PARTS_MAX then
  args.bad('parts', 'must be two values for each of at most ' .. int(PARTS_MAX), #ARGV - first + 1)
end
for i = first + 1, #ARGV, 2 do
  check(ARGV[i], 'part', forms.is_part, 'must be a number and a body')
end

local queue = queue_name.to_split(group)
local zset = ready_sets.key_of(queue)
local member = zsets.find(zset, ready_sets.score(priority, context_id.due_of(id)), id .. ' ' .. counts .. ' ')
if not member then
  return { 'GONE' }
end
ready.remove(queue, zset, member)
local attempt, failures, rest = context_record.split_texts(member)
local _, _, _, root_options = context_record.split_rest(rest)
local fan = { id = id, group = group, placement = context_options.value(root_options, 'c') or '' }
attempt = tonumber(attempt) + 1
local fields = { 'root', fan_record.root_text(attempt, tonumber(failures), rest), 'by', fan_record.by_text('-', now), 'model', model,
  'state', 'closed', 'round', int(attempt), 'created_ms', int(now), 'total', int(total), 'parallelism', int(parallelism),
  'quorum', given.quorum or '', 'max_failed', given.max_failed or '', 'wanted', given.wanted or '', 'success', given.success or '',
  'reduce', reduce or '', 'reduce_on', given.reduce_on, 'group', group, 'handlers', handler, fan_record.template_field(handler),
  fans.template(fan, handler, given.options) }
local function set(name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
if reduce then
  set(context_id.REDUCE, fans.template(fan, reduce, reduce_options))
end
if fan.placement ~= '' then
  ready.use_placement('c=' .. fan.placement)
  ready.flush_placements()
  set('placement', fan.placement)
end
local lists, order, pinned = {}, {}, 0
for i = first, #ARGV, 2 do
  local worker, n, body = ARGV[i], forms.split_part(ARGV[i + 1])
  if not lists[worker] then
    lists[worker] = {}
    order[#order + 1] = worker
  end
  table.insert(lists[worker], waiting_part.new(n, body))
end
for _, worker in ipairs(order) do
  if worker ~= '' then
    pinned = pinned + 1
    set(fan_record.worker_field(worker), int(#lists[worker]))
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
