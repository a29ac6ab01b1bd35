#!lua
--[[
Script   fan/split
Purpose  Take a page of items that a running attempt maps: each becomes a subtask of the attempt's root. A handler that runs again maps
         again, in the same order: items that were taken before are passed over.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:held :fans :backlog :stats :wake :fan: :parts:
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           id         the context that maps: a root, or a subtask of one
           holder     `<attempt> <worker>`: the number of the attempt, and who runs it
           offset     items that this context mapped before, over all its attempts, integer, 0..10000000
           handler?   that runs the items; needed with items only
           options?   `<priority> <options>` of its subtasks, beside the handler; the first page of a handler decides
           parallelism  subtasks of the root that run at once, 0: any number; the first page decides
           reduce?    `<handler> <priority> <options>`: runs once when all subtasks have ended; the first one decides. With ` mapped`
                      behind it the context has mapped, if only no items, and the reduce runs over no results
           reduce_on  ended | succeeded
         then the items, at most 1000, of at most 262144 bytes each

Reply    { 'TAKEN', taken }        so many items of this context are in Redis
         { 'STALE' }               the attempt does not hold its context, or its root ends; only the counter of such calls was written
         { 'FOREIGN' }             another worker runs that attempt; only the counter of such calls was written
         { 'REFUSED', field, rule, given }   nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(items); at most 20 commands
Holds    W1 W2 W5 W8 W9
Repeat   A page that was taken is passed over.
]]
-- @use args
-- @use bounds
-- @use counters
-- @use fan_out/fans
-- @use keys
-- @use contexts/ready
-- @use record
-- @use records/context_id
-- @use records/context_options
-- @use records/held_value
-- @use records/fan_record
-- @use records/waiting_part
-- @use args/forms
local int = record.int
local SUBTASKS_MAX = 10000000
local BODY_BYTES = 262144
local given, first = args.named('now_ms id holder offset handler options parallelism reduce reduce_on')
local now = args.now_of(given)
local id, holder = args.text_of(given, 'id', 300), args.text_of(given, 'holder', 140)
local attempt = tonumber(forms.attempt_of(holder))
if not attempt then
  args.bad('holder', 'must be an attempt and its worker', holder)
end
local offset = args.int_of(given, 'offset', 0, SUBTASKS_MAX)
local handler, options = given.handler or '', given.options or ''
local parallelism = args.int_of(given, 'parallelism', 0, 1000000)
local reduce, reduce_on, reduce_options, mapped = given.reduce or '', given.reduce_on, nil, ''
local count = #ARGV - first + 1
if count > bounds.ITEMS_MAX then
  args.bad('items', 'must be at most ' .. int(bounds.ITEMS_MAX), count)
end
for i = first, #ARGV do
  if #ARGV[i] > BODY_BYTES then
    args.bad('items', 'must have at most ' .. int(BODY_BYTES) .. ' bytes each', #ARGV[i])
  end
end
if count > 0 and not (forms.is_word(handler) and forms.is_options(options)) then
  args.bad('handler', 'must be given with a priority and options', handler)
end
if reduce ~= '' then
  reduce, reduce_options, mapped = forms.split_handler(reduce)
  if not reduce or (mapped ~= '' and mapped ~= ' mapped') then
    args.bad('reduce', 'must be a handler, a priority and options', given.reduce)
  end
end
if reduce_on ~= 'ended' and reduce_on ~= 'succeeded' then
  args.bad('reduce_on', 'must be ended or succeeded', reduce_on)
end

local held = redis.call('HGET', keys.held, id)
local function stale()
  counters.add('stale', 1)
  return { 'STALE' }
end
local runs, worker = held_value.holder_of(held or '')
if tonumber(runs) ~= attempt then
  return stale()
elseif runs .. ' ' .. worker ~= holder then
  counters.add('foreign', 1)
  return { 'FOREIGN' }
end
local root, round, n = context_id.split_subtask(id)
local endings = fans.new()
local fan = fans.of(endings, root or id)
if (root and (not fan or fan.round ~= round)) or (fan and fan.state == 'dropping') then
  return stale()
end
if n == context_id.REDUCE then
  return { 'REFUSED', 'items', 'are mapped before the reduce', id }
end
if fan and fan.model ~= 'map' then
  return { 'REFUSED', 'items', 'are not mapped by parts of a job with a model, ' .. fan.model, id }
end
local field = fan_record.mapped_field(n or '')
local taken = fan and tonumber(redis.call('HGET', keys.fan(fan.id), field)) or 0
if offset > taken then
  return { 'REFUSED', 'offset', 'is at most the number of items taken so far, ' .. int(taken), int(offset) }
end
local skipped = math.min(taken - offset, count)
local more = count - skipped
local total = fan and fan.total or 0
if total + more > SUBTASKS_MAX then
  return { 'REFUSED', 'items', 'are at most ' .. int(SUBTASKS_MAX) .. ' for one context', int(total + more) }
end
if reduce ~= '' and not fan and more == 0 and mapped == '' then
  return { 'REFUSED', 'reduce', 'needs items that are mapped before', reduce }
end
if reduce ~= '' and fan and fan.reduce ~= '' and fan.reduce ~= reduce then
  return { 'REFUSED', 'reduce', 'is the same in every call, ' .. fan.reduce, reduce }
end
if reduce ~= '' and fan and fan.reduce == '' and fan.state ~= 'open' then
  return { 'REFUSED', 'reduce', 'is named while the root maps', reduce }
end

local _, group, own = held_value.limits_of(held)
local root_id = root or id
local place = fan or { id = root_id, group = group, placement = context_options.value(own, 'c') or '' }
local written = { field, int(taken + more), 'total', int(total + more) }
local function set(name, value)
  written[#written + 1] = name
  written[#written + 1] = value
end
if not fan then
  if more == 0 and reduce == '' then
    return { 'TAKEN', int(taken) }
  end
  set('model', 'map')
  set('state', 'open')
  set('round', int(attempt))
  set('created_ms', int(now))
  set('parallelism', int(parallelism))
  set('reduce_on', reduce_on)
  set('group', group)
  if place.placement ~= '' then
    set('placement', place.placement)
  end
elseif root and fan.deep ~= '1' then
  set('deep', '1')
end
if reduce ~= '' then
  set('reduce', reduce)
  set('reduce_on', reduce_on)
  set(context_id.REDUCE, fans.template(place, reduce, reduce_options))
end
local handlers = fan and fan.handlers or ''
if more > 0 and not fan_record.has_handler(handlers, handler) then
  set('handlers', fan_record.with_handler(handlers, handler))
  set(fan_record.template_field(handler), fans.template(place, handler, options))
end
redis.call('HSET', keys.fan(root_id), unpack(written))
if not fan then
  redis.call('HSET', keys.fans, root_id, 'map')
end
if more > 0 then
  local entries = {}
  for i = 1, more do
    entries[i] = waiting_part.new(int(total + i - 1), ARGV[first + skipped + i - 1])
  end
  redis.call('RPUSH', keys.parts(handler .. ':' .. root_id), unpack(entries))
  local blocked = fan and fan.parallelism > 0 and fan.out >= fan.parallelism
  if not blocked and redis.call('ZADD', keys.backlog, 0, fans.queue(place, handler)) > 0 then
    ready.wake(0)
  end
end
return { 'TAKEN', int(taken + more) }
