-- Module claims/queues: in which queues of a partition something waits. They lie in the backlog in the order of their names, so that all
-- queues of a handler stand beside each other: `<group> <handler>`, and behind it those of its placements, keys and roots. Where there are
-- many, only those of the handlers that somebody asks for are read: what nobody serves costs others nothing.
-- @use keys
-- @use records/queue_name
-- @use args/offer_forms
local queues = {}

queues.WHOLE = 32
queues.OF_GROUP = 10000

-- A backlog of fewer than WHOLE is read as a whole; what is submitted makes no group have more than OF_GROUP.

local RANGE_COST = 4 -- asking for the queues of one handler costs as much as reading so many names

-- The handlers of the `count` workers of a turn and of its placements in ARGV, up to `last`, and for each group what is to be split.
function queues.told(count, last)
  local bases, seen = {}, {}
  local function add(base)
    if base and not seen[base] then
      seen[base] = true
      bases[#bases + 1] = base
    end
  end
  for at = 5, 4 * count + 1, 4 do
    add(queue_name.to_split(ARGV[at + 1]))
    local handlers = offer_forms.is_same(ARGV[at + 3]) and '' or ARGV[at + 3] -- those of an earlier worker are known already
    for handler in offer_forms.each_name(handlers) do
      add(ARGV[at + 1] .. ' ' .. handler)
    end
  end
  for at = 4 * count + 7, last, 3 do
    add(queue_name.base_of(ARGV[at]))
  end
  return bases
end

-- All queues of `<group> <handler>`.
function queues.of(base)
  return redis.call('ZRANGE', keys.backlog, '[' .. base, '(' .. base .. '!', 'BYLEX')
end

-- The queues of the handlers `bases`, each `<group> <handler>`; false when it is cheaper to read all.
function queues.of_handlers(bases)
  local size = redis.call('ZCARD', keys.backlog)
  local is_sorted = redis.call('ZCOUNT', keys.backlog, 0, 0) == size -- by names, unless somebody gave one another score
  if size <= RANGE_COST * #bases or not is_sorted then
    return false
  end
  local found = {}
  for _, base in ipairs(bases) do
    for _, queue in ipairs(queues.of(base)) do
      found[#found + 1] = queue
    end
  end
  return found
end

-- The first of `names` with which more queues of its group would wait than may; nil when there is room for all of them.
function queues.too_many(names)
  if redis.call('ZCARD', keys.backlog) + #names <= queues.OF_GROUP then
    return nil
  end
  local counts = {}
  for _, name in ipairs(names) do
    local group = queue_name.group_of(name)
    counts[group] = counts[group] or redis.call('ZLEXCOUNT', keys.backlog, '[' .. group .. ' ', '(' .. group .. '!')
    if counts[group] + #names > queues.OF_GROUP and not redis.call('ZSCORE', keys.backlog, name) then
      counts[group] = counts[group] + 1
      if counts[group] > queues.OF_GROUP then
        return name
      end
    end
  end
  return nil
end

-- Puts `name` into the backlog. True when it is new there, and nil when its group has so many queues that it may not be; then it is not.
function queues.enter(name)
  if redis.call('ZADD', keys.backlog, 0, name) == 0 then
    return false
  end
  if redis.call('ZCARD', keys.backlog) > queues.OF_GROUP then
    local group = queue_name.group_of(name)
    if redis.call('ZLEXCOUNT', keys.backlog, '[' .. group .. ' ', '(' .. group .. '!') > queues.OF_GROUP then
      redis.call('ZREM', keys.backlog, name)
      return nil
    end
  end
  return true
end

-- Some of the others that wait to be split, whoever serves them: another place each time.
function queues.of_splits(now, most)
  local at = now % 2147483647 * 16807 % 2147483647 % math.max(redis.call('ZCARD', keys.backlog), 1)
  local found = {}
  for _, queue in ipairs(redis.call('ZRANGE', keys.backlog, at, at + most - 1)) do
    found[#found + 1] = queue_name.is_to_split(queue) and queue or nil
  end
  return found
end

-- The queues in which something waits: all of them where they are few, else those of the handlers that `bases()` answers with. The second
-- answer is true when they are not all; `many` is true when an earlier one was.
function queues.waiting(bases, many)
  local names = many and {} or redis.call('ZRANGE', keys.backlog, 0, queues.WHOLE - 1)
  if not many and #names < queues.WHOLE then
    return names, false
  end
  local found = queues.of_handlers(bases())
  return found or redis.call('ZRANGE', keys.backlog, 0, -1), found ~= false
end

return queues
