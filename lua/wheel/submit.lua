#!lua
--[[
Script   wheel/submit
Purpose  Put new contexts that were submitted alone into the wheel, or into their ready sets when they are due.

KEYS     1 wheel    zset  score = due ms, member = context member   {tw:p}:wheel
           computed: {tw:p}:backlog :fair :placements :wake :ready:<group>:<handler> :tags:<group> :dedup:<key>
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 count    integer, 1..1000
         then four for each context:
           when     `+<delay ms>`, or the due time in ms
           unique   third part of the id: unique in the cluster, grows within a tracker; `@<namespace>/` behind it but in `default`
           rest     `<group> <handler> <priority> <options> <body>`
           dedup    empty, or `<keep ms> <key>`; behind the key its namespace as behind the unique part
         and where placements occur in their options, behind them the word `placements`, and two for each:
           placement  its name, 10 hexadecimal digits
           content    in msgpack, 1..65536 bytes

Reply    { 'ACCEPTED', now_ms, { index, existing id }... }  indexes (from 1) of the contexts whose dedup key was taken
         { 'PLACEMENTS_FULL' }   the partition keeps as many placements as it may; nothing was written
         { 'QUEUES_FULL', queue }   so many different queues of its group wait here that no other may; nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(count * log(wheel)); at most 13 + 6 * count commands, one more for each placement; should a key of another type be in the way, 4
         for each context that is taken back
Holds    W1 W5 W9
Repeat   A context with a dedup key is created once. Without one, a repeat with the same unique parts and times changes nothing
         while the contexts wait.
]]
-- @use args
-- @use bounds
-- @use keys
-- @use partition
-- @use claims/placements
-- @use claims/queues
-- @use contexts/ready
-- @use ready_sets
-- @use record
-- @use records/context_options
-- @use records/context_record
-- @use records/queue_name
-- @use records/wheel_entry
-- @use args/forms
-- @use records/dedup_record
local int = record.int
local DUE_MAX = 9007199254740991

local now = args.now(1)
local count = args.int(2, 'count', 1, bounds.ITEMS_MAX)
if #ARGV ~= 2 + 4 * count and ARGV[count * 4 + 3] ~= 'placements' then
  args.bad('contexts', 'must be four values each', #ARGV - 2)
end
local named = placements.read(4 + 4 * count)
local tag = partition.number() .. '.'
local wheel, wheel_size, batch, taken, soonest = {}, 0, {}, {}, nil
local asked = {} -- the queues of what is due, each once
local keyed = {} -- contexts with a dedup key: nothing is written before the last check

local function put_wheel(at, entry)
  wheel[wheel_size + 1] = int(at)
  wheel[wheel_size + 2] = entry
  wheel_size = wheel_size + 2
  if not soonest or at < soonest then
    soonest = at
  end
end

local function place(id, due, rest, queue, priority, options)
  local member = id .. ' 0:0 ' .. rest
  if due > now then
    put_wheel(due, member)
  else
    ready.put(batch, queue, ready_sets.score(priority, due), member, id, options)
  end
  local deadline = options ~= '-' and context_options.value(options, 's')
  if deadline then
    put_wheel(due + tonumber(deadline), wheel_entry.start_deadline(id, queue, priority))
  end
end

for i = 1, count do
  local base = 4 * i - 2
  local when, rest, dedup = ARGV[base + 1], ARGV[base + 3], ARGV[base + 4]
  local due = tonumber(when)
  if not due or due ~= math.floor(due) or due < 0 or due > DUE_MAX then
    args.bad('when', 'must be +delay or a time in ms', when)
  end
  if string.byte(when) == 43 then -- '+'
    due = now + due
  end
  local queue, priority, options = context_record.placeable_base(rest)
  if not queue then
    args.bad('rest', 'must be group, handler, priority, options and body', rest)
  end
  queue = queue_name.of(queue, options)
  if due <= now and not asked[queue] then
    asked[queue] = true
    asked[#asked + 1] = queue
  end
  local id = tag .. int(due) .. '.' .. ARGV[base + 2]
  if dedup == '' then
    place(id, due, rest, queue, priority, options)
  else
    local keep, name = forms.split_plain_dedup(dedup)
    if not keep then
      args.bad('dedup', 'must be a keep time and a key', dedup)
    end
    keyed[#keyed + 1] = { i, id, name, math.max(math.max(due - now, 0) + tonumber(keep), 1), due, rest, queue, priority, options }
  end
end
if not placements.has_room_for(named) then
  return { 'PLACEMENTS_FULL' }
end
-- One queue is put into the backlog at once: where something waits in it already, its bound costs no command.
local is_new, full = nil, nil
if #asked == 1 and #keyed == 0 then
  is_new = queues.enter(asked[1])
  full = is_new == nil and asked[1]
elseif #asked > 0 then
  full = queues.too_many(asked)
end
if full then
  return { 'QUEUES_FULL', full }
end

local kept = {} -- dedup keys of this call
local function write()
  for _, context in ipairs(keyed) do
    local index, id, name, keep = unpack(context)
    local existing = not redis.call('SET', keys.dedup(name), id, 'NX', 'PX', int(keep)) and redis.call('GET', keys.dedup(name))
    if not existing then
      kept[#kept + 1] = name
      place(id, unpack(context, 5))
    elseif existing ~= id then -- with its own id this call came before, and its answer was lost
      taken[#taken + 1] = index
      taken[#taken + 1] = dedup_record.context_of(existing)
    end
  end
  placements.keep(named)
  local at = nil
  if wheel_size > 0 then
    local head = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    if not head[2] or soonest < tonumber(head[2]) then
      at = soonest
    end
    for first = 1, wheel_size, 2000 do
      redis.call('ZADD', KEYS[1], unpack(wheel, first, math.min(first + 1999, wheel_size)))
    end
  end
  if ready.flush(batch, is_new) then
    at = 0
  end
  if at then
    ready.wake(at)
  end
  return { 'ACCEPTED', now, taken }
end

-- A key of another type than ours may be in the way of some of it: then nothing of it stays, so that the call can come again.
local function take_back()
  for i = 2, wheel_size, 2 do
    pcall(redis.call, 'ZREM', KEYS[1], wheel[i])
  end
  ready.take_back(batch)
  for _, name in ipairs(kept) do
    redis.call('DEL', keys.dedup(name))
  end
end

local done, reply = pcall(write)
if not done then
  take_back()
  error(reply, 0)
end
return reply
