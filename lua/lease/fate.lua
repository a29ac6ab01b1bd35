#!lua flags=no-writes
--[[
Script   lease/fate
Purpose  What became of attempts that are not held, for many of them at once: whether they settled their contexts, by the newest events, a
         bounded step in each call.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:held :retry :fans :fan: :events
ARGV     1 cursor   where an earlier call stopped, or empty
         2 count    how many attempts follow, integer, 1..1000; two values for each:
           id       context
           attempt  its number

Reply    { 'FATES', cursor, fates }   cursor: call again with it and with those that are not known, empty: nothing is left to look at
           fates: one letter for each attempt
           S settled by it, or split by it
           L lost: the context is held by another attempt, waits for one, or ended by one
           U not known so far
Raises   BAD_ARG    an argument is out of range

Cost     O(events of the step); at most 13 + count commands
Holds    W2 W9
Repeat   Reads only.
]]
-- @use args
-- @use bounds
-- @use history/ends
-- @use keys
-- @use partition
-- @use record
-- @use records/context_id
-- @use records/fan_record
-- @use args/forms
local int = record.int
local EARLY_MS = 60000 -- nothing ends before it is due; a clock that was set back is not set back further

local cursor = ARGV[1]
if cursor ~= '' and not forms.is_entry(cursor) then
  args.bad('cursor', 'must be of an earlier reply', cursor)
end
local count = args.int(2, 'count', 1, bounds.ITEMS_MAX)
if #ARGV ~= 2 + 2 * count then
  args.bad('attempts', 'must be two values each', #ARGV - 2)
end
local SETTLED, LOST, UNKNOWN = 'S', 'L', 'U'
local ids, wanted, letters, due = {}, {}, {}, nil
for i = 1, count do
  local id = ARGV[1 + 2 * i]
  ids[i], letters[i] = id, UNKNOWN
  local since = context_id.due_of(id)
  if not since then
    args.bad('id', 'must be a context id', id)
  end
  if not context_id.is_subtask(id) then -- the end of a subtask is told by its root
    wanted[id] = true
    due = math.min(due or since, since)
  end
end

-- The attempt that split a context, which then waits for its subtasks.
local function split_by(id)
  return fan_record.attempt_of_root(redis.call('HGET', keys.fan(id), 'root') or '')
end

if cursor == '' then
  local held = redis.call('HMGET', keys.held, unpack(ids))
  local retry = redis.call('HMGET', keys.retry, unpack(ids))
  local fans = partition.is_plain() and {} or redis.call('HMGET', keys.fans, unpack(ids))
  for i = 1, count do
    if held[i] or retry[i] then
      letters[i] = LOST
    elseif fans[i] then
      letters[i] = split_by(ids[i]) == ARGV[2 + 2 * i] and SETTLED or LOST
    end
    if letters[i] ~= UNKNOWN then
      wanted[ids[i]] = nil
    end
  end
end

local next_from = nil
if next(wanted) then
  local oldest = due > EARLY_MS and int(due - EARLY_MS) .. '-0' or '-'
  local found
  found, next_from = ends.walk(cursor == '' and '+' or cursor, oldest, wanted)
  for i = 1, count do
    local ended = letters[i] == UNKNOWN and found[ids[i]]
    if ended then
      letters[i] = ended[1] == ARGV[2 + 2 * i] and SETTLED or LOST
    end
  end
end
return { 'FATES', next_from or '', table.concat(letters) }
