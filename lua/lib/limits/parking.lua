-- Module limits/parking: contexts whose key is at its limit make room for those behind them. They wait in a queue of their key, and go back
-- to where they were when there is room again. A key that its partition never asked for is asked for first, with all that follow it: what
-- stands behind waits for the answer, as setting it aside and back costs more than that.
-- @use limits/admission
-- @use limits/demand
-- @use keys
-- @use lists
-- @use ready_sets
-- @use limits/shares
-- @use records/context_options
-- @use records/context_record
-- @use records/limit_name
-- @use records/queue_name
-- @use records/limit_share
local parking = {}

local LOOKED_MOST = 64 -- limits that one turn looks at
local AHEAD_MOST = 128 -- contexts behind a key that was never asked for, whose keys are asked for with it
local ANSWER_MS = 20 -- a first answer that takes longer than this may be lost
local moved_by_queue, unasked, back_on_way

function parking.begin()
  moved_by_queue, unasked, back_on_way = {}, {}, {}
end

-- Whether nothing is known of a limit yet, and an answer may be on its way, or will be.
local function is_new(limit)
  if limit.report and limit.mode ~= limit_share.NEW then
    return false
  end
  local asked = demand.asked_at(limit.name) or shares.now
  return shares.now - asked < ANSWER_MS and shares.now >= asked
end

-- Asks for the keys of which nothing is known, of the contexts at the head of `source`.
local function look_ahead(source)
  local rules = source.rules
  for _, member in ipairs(redis.call('ZRANGE', source.zset, source.taken, source.taken + AHEAD_MOST - 1)) do
    local options = context_record.options_of(member)
    local key = options and context_options.value(options, 'k')
    local of_key = key and shares.rules_of(rules, key)
    if of_key and of_key ~= '-' and not shares.text_of(rules.names .. key) then
      local limit = admission.limit_of(rules.names .. key, of_key)
      if is_new(limit) then
        limit.wanted, limit.waiting = true, (limit.waiting or 0) + 1
      end
    end
  end
end

-- Whether what stands at the head of `source` waits for the first answer that its partition gets of `limit`.
function parking.awaits(source, limit)
  if not is_new(limit) then
    return false
  end
  if not demand.asked_at(limit.name) then
    look_ahead(source)
  end
  unasked[source.queue] = true
  demand.await()
  return true
end

-- A context whose key is at its limit makes room for those behind it: it waits in a queue of its key.
function parking.add(source, limit, score, member)
  local key = limit_name.key_of(limit.name)
  local queue = source.queue .. key
  local moved = moved_by_queue[queue] or {}
  moved_by_queue[queue] = moved
  moved[#moved + 1], moved[#moved + 2] = score, member
end

-- Lets contexts of a key go on that were set aside: as many as there is room for. `back` collects them by the queue that they go back
-- to, `emptied` the queues that they leave.
local function let_go(limit, names_of_key, back, emptied)
  local room = shares.room(limit)
  for _, queue in ipairs(names_of_key) do
    local zset, base = ready_sets.key_of(queue), queue_name.with_all_keys(queue)
    local popped = room > 0 and redis.call('ZPOPMIN', zset, room) or {}
    local list = back[base] or {}
    back[base] = list
    for i = 1, #popped, 2 do
      list[#list + 1], list[#list + 2] = popped[i + 1], popped[i]
      back_on_way[#back_on_way + 1] = popped[i]
    end
    local left = #popped / 2 < room and 0 or redis.call('ZCARD', zset)
    room = room - #popped / 2
    if left == 0 then
      emptied[#emptied + 1] = queue
    else
      limit.wanted, limit.waiting = true, (limit.waiting or 0) + left
    end
  end
end

-- Writes what goes on.
local function put_back(back, emptied)
  for base, list in pairs(back) do
    if #list > 0 then
      lists.write_many('ZADD', ready_sets.key_of(base), list)
      redis.call('ZADD', keys.backlog, 0, base)
    end
  end
  lists.write_many('ZREM', keys.backlog, emptied)
end

-- Before anything is claimed: what was set aside and may go on does. `backlog` has the names of the queues. Looked at are the limits
-- that something came back to, and those that have to be asked for again.
function parking.resume(now, backlog)
  local aside, names = {}, {}
  for _, queue in ipairs(backlog) do
    local group, key = queue_name.group_and_key(queue)
    local name = group and limit_name.of_key(group, key)
    if name and not aside[name] then
      aside[name] = {}
      names[#names + 1] = name
    end
    if name then
      aside[name][#aside[name] + 1] = queue
    end
  end
  if #names == 0 then
    return false
  end
  demand.hold_back()
  -- Those that something happened to come first, then those that were asked for longest ago.
  local function rank(name)
    return (shares.granted[name] or shares.left[name] or shares.recalled[name]) and -1 or demand.asked_at(name) or 0
  end
  table.sort(names, function(left, right) return rank(left) < rank(right) end)
  local looked, back, emptied = 0, {}, {}
  for _, name in ipairs(names) do
    local group, key = limit_name.split(name)
    local rules = shares.groups[group]
    local of_key = rules and shares.rules_of(rules, key) or '-'
    local asked = demand.asked_at(name)
    local late = not asked or now - asked >= shares.REPORT_MS or now < asked
    if looked < LOOKED_MOST and (late or of_key == '-' or shares.granted[name] or shares.left[name] or shares.recalled[name]) then
      looked = looked + 1
      let_go(admission.limit_of(name, of_key), aside[name], back, emptied)
    end
  end
  put_back(back, emptied)
  return true
end

-- Whether the tracker shall not visit again for a queue: what waits in it waits for a limit.
function parking.holds(queue, claimed)
  if queue_name.is_to_split(queue) then
    return false -- what a tracker splits takes no permit
  end
  local group = queue_name.group_of(queue)
  local limit = shares.loaded[group]
  local unanswered = demand.is_unanswered(group) and not claimed[queue] -- most of what comes next would be set aside as well
  return queue_name.is_of_key(queue) or (limit ~= nil and limit.wanted == true) or unanswered or unasked[queue] == true
end

-- What this call took out of one queue for another: where it is not written, it is nowhere.
function parking.moved()
  for _, moved in pairs(moved_by_queue) do
    for i = 2, #moved, 2 do
      back_on_way[#back_on_way + 1] = moved[i]
    end
  end
  return back_on_way
end

-- Writes what was set aside.
function parking.place()
  local names_of_key = {}
  for queue, moved in pairs(moved_by_queue) do
    lists.write_many('ZADD', ready_sets.key_of(queue), moved)
    names_of_key[#names_of_key + 1], names_of_key[#names_of_key + 2] = 0, queue
    local limit = shares.loaded[limit_name.of_key(queue_name.group_of(queue), queue_name.key_of(queue))]
    limit.waiting = (limit.waiting or 0) + #moved / 2
  end
  lists.write_many('ZADD', keys.backlog, names_of_key)
end

return parking
