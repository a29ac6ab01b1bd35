#!lua flags=no-writes
--[[
Script   fan/list
Purpose  Read how far the subtasks of a context are, and a page of those in one state. What moves between two calls may be missed or come
         twice, what stays is seen once.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:fans :held :retry :fan: :parts: :results: :split:
ARGV     1 root     the split context
         2 state    waiting | running | retrying | failed | succeeded, or empty for the counts alone
         3 position where an earlier page ended, or empty
         4 limit    subtasks looked at, integer, 1..1000

Reply    { 'FAN', fields... }
           now_ms
           fan         { field, value... }: model, state, reduce, created_ms, total, succeeded, failed, out, later
           position?   where the next page begins; none: there is no more
           unreadable? records that were passed by because they do not follow their grammar
           items       { id, handler, text }...
           text     waiting, retrying: the member; running: the held value; failed, succeeded: `<number> <s or f> <result or error>`;
                    of a root that has ended `<number> <s or f> <attempt> <worker or -> <claimed ms> <ended ms> <error, or bytes and
                    beginning of the result>`, of the first 1000 parts that failed, or of any of a broadcast or a sharding; state is `ended`
                    then, now_ms when it did
         { 'NO_FAN' }   it was not split, or nothing of it is kept any more
Raises   BAD_ARG    an argument is out of range

Cost     O(limit), of running and retrying ones O(all that run or wait for a retry here); at most 20 + 4 * limit commands
Holds    W8 W9
Repeat   Reads only.
]]
-- @use args
-- @use bounds
-- @use fan_out/fans
-- @use keys
-- @use reading
-- @use record
-- @use zsets
-- @use records/context_id
-- @use records/context_record
-- @use records/held_value
-- @use records/ended_part
-- @use records/fan_record
-- @use records/waiting_part
-- @use args/forms
local int = record.int
local SCAN_COUNT = 100 -- the same in every call, so that a position inside a scan step keeps its meaning
local STEPS = 20 -- of one call
local root = args.text(1, 'root', 300)
local state = ARGV[2]
local position = ARGV[3]
local limit = args.int(4, 'limit', 1, bounds.ITEMS_MAX)
local fan = fans.of(fans.new(), root)
local summary = not fan and redis.call('LINDEX', keys.split(root), 0)
if summary then
  local model, reduce, told = ended_part.split_summary(summary)
  if model then -- else it is a part of a root that has no summary yet
    fan = { model = model, state = 'ended', reduce = reduce, created_ms = told[2], ended = told[3], total = told[4], succeeded = told[5],
      failed = told[6], out = 0, later = 0 }
    fan.head, fan.tail = context_id.ends_of_subtasks(root, told[1])
  end
end
if not fan then
  return { 'NO_FAN' }
end
local items, next_position = {}, ''

local function add(id, handler, text)
  if not id then
    return reading.skip()
  end
  items[#items + 1] = { id, handler, text }
end

-- A page of a hash whose fields are contexts: those of this root.
local function of_hash(hash, visit)
  local cursor, skip = forms.split_position(position)
  cursor, skip = cursor or '0', tonumber(skip) or 0
  for _ = 1, STEPS do
    local scanned = redis.call('HSCAN', hash, cursor, 'COUNT', SCAN_COUNT)
    local found = scanned[2]
    for i = skip + 1, #found / 2 do
      local id = found[2 * i - 1]
      if #items == limit then
        next_position = cursor .. ':' .. int(i - 1)
        return
      end
      if string.sub(id, 1, #fan.head) == fan.head and context_id.split_subtask(id) == root then
        visit(id, found[2 * i])
      end
    end
    cursor, skip = scanned[1], 0
    if cursor == '0' then
      return
    end
  end
  next_position = cursor .. ':0'
end

local function of_running()
  of_hash(keys.held, function(id, value)
    local _, handler = context_record.split_rest(held_value.split(value).rest or '')
    add(handler and id, handler, value)
  end)
end

local function of_retrying()
  of_hash(keys.retry, function(id, score)
    local member = tonumber(score) and zsets.find(keys.wheel, tonumber(score), id .. ' ')
    if member then
      local handler = context_record.handler_of(member)
      add(handler and id, handler, member)
    end
  end)
end

-- The lists in the order of their names; behind them the indexes that were not made yet. A position is `<list>:<n>`.
local function of_waiting()
  local lists, handlers = {}, {}
  local workers = {}
  for _, name in ipairs(fan.pinned > 0 and redis.call('HKEYS', keys.fan(root)) or {}) do
    workers[#workers + 1] = fan_record.worker_of(name)
  end
  for handler in fan_record.each_handler(fan.handlers) do
    for at = 0, #workers do
      lists[#lists + 1] = keys.parts(handler .. ':' .. root .. (at > 0 and ':' .. workers[at] or ''))
      handlers[#handlers + 1] = handler
    end
  end
  local list, from = forms.split_position(position)
  list, from = tonumber(list) or 1, tonumber(from) or 0
  while list <= #lists do
    local found = redis.call('LRANGE', lists[list], from, from + limit - #items - reading.unreadable - 1)
    for _, entry in ipairs(found) do
      local member = fans.member(fan, handlers[list], entry)
      add(member and context_record.id_of(member), handlers[list], member)
    end
    if #items + reading.unreadable >= limit then
      next_position = int(list) .. ':' .. int(from + #found)
      return
    end
    list, from = list + 1, 0
  end
  if fan.model == 'indexed' then
    local first = math.max(from, fan.next_index)
    for n = first, math.min(fan.total, first + limit - #items) - 1 do
      local member = fans.member(fan, fan.handlers, waiting_part.new(int(n), ''))
      add(context_record.id_of(member), fan.handlers, member)
      next_position = int(list) .. ':' .. int(n + 1)
    end
    if #items < limit then
      next_position = ''
    end
  end
end

local function of_ended(letter)
  local from = tonumber(position) or 0
  local found = redis.call('LRANGE', keys.results(root), from, from + limit - 1)
  for _, entry in ipairs(found) do
    local n, word = ended_part.split_result(entry)
    if not n then
      reading.skip()
    elseif word == letter then
      add(fan.head .. n .. fan.tail, '', entry)
    end
  end
  next_position = #found == limit and int(from + limit) or ''
end

-- Of a root that has ended: the parts that are kept, behind its summary.
local function of_kept(letter)
  local from = (tonumber(position) or 0) + 1
  local found = redis.call('LRANGE', keys.split(root), from, from + limit - 1)
  for _, entry in ipairs(found) do
    local n, word = ended_part.split(entry)
    if word == letter then
      add(fan.head .. n .. fan.tail, '', entry)
    end
  end
  next_position = #found == limit and int(from + limit - 1) or ''
end

local STATES = { waiting = of_waiting, running = of_running, retrying = of_retrying, failed = function() of_ended('f') end,
  succeeded = function() of_ended('s') end }
if state ~= '' and not STATES[state] then
  args.bad('state', 'must be waiting, running, retrying, failed, succeeded or empty', state)
end
if fan.state == 'ended' then
  if state == 'failed' or state == 'succeeded' then
    of_kept(string.sub(state, 1, 1))
  end
elseif state ~= '' then
  STATES[state]()
end
local told = { 'model', fan.model, 'state', fan.state, 'reduce', fan.reduce, 'created_ms', int(fan.created_ms), 'total', int(fan.total),
  'succeeded', int(fan.succeeded), 'failed', int(fan.failed), 'out', int(fan.out), 'later', int(fan.later) }
return reading.page({ 'FAN', 'now_ms', fan.ended or args.now(), 'fan', told, 'items', items }, next_position)
