-- Module records/queue_name: a queue of the backlog, `<group> <handler>[ c=<placement>][ k=[<key>]]`. With ` k=` it is that of contexts
-- with keys, with a key behind it that of one which is at its limit (limits/parking). That of subtasks has ` /<root>` at its end, that of
-- what a tracker has to split is `<group> !fan`. Its ready set has `:` in place of the spaces.
-- @use records/context_record
local queue_name = {}
local find, gsub, match, sub = string.find, string.gsub, string.match, string.sub

-- The queue in which a context waits for a permit; `base` is `<group> <handler>`. What a tracker has to split waits apart, as no worker
-- offers to run it. Of a placement or key that is none the answer is no queue either (is_one).
function queue_name.of(base, options)
  if options == '-' then
    return base
  end
  if find(options, 'm=1', 1, true) then
    return match(base, '^[^ :]+') .. ' !fan'
  end
  local at = find(options, 'c=', 1, true)
  if at then
    base = base .. ' ' .. match(options, '^c=[^,]*', at)
  end
  at = find(options, 'k=', 1, true)
  if not at then
    return base
  end
  return base .. (find(options, '^k=[%w._@+-]+%f[,%z]', at) and ' k=' or ' k=?')
end

-- Whether a queue may have this name: what nobody submitted must not become keys and names of the backlog.
function queue_name.is_one(queue)
  local names = gsub(gsub(queue, ' k=[%w._@+-]*$', ''), ' c=%x%x%x%x%x%x%x%x%x%x$', '')
  return find(names, '^[%w_][%w._/-]* [%w_!][%w._/-]*$') ~= nil
end

-- That which the rest of a context names; nil where none may have that name.
function queue_name.of_rest(rest)
  local group, handler, _, options = context_record.split_rest(rest)
  local queue = group and queue_name.of(group .. ' ' .. handler, options)
  return queue and queue_name.is_one(queue) and queue or nil
end

function queue_name.to_split(group)
  return group .. ' !fan'
end

function queue_name.is_to_split(queue)
  return find(queue, ' !fan', 1, true) ~= nil
end

-- True for a queue of contexts with keys, and for its ready set: they do not wait in the order of their due times (claims/fairness).
function queue_name.is_fair(queue)
  return find(queue, '[ :]k=') ~= nil
end

-- True for the queue of a key that is at its limit.
function queue_name.is_of_key(queue)
  return find(queue, ' k=%S') ~= nil
end

-- The queue of the same contexts without keys: workers are offered for both alike.
function queue_name.without_keys(queue)
  return sub(queue, -3) == ' k=' and sub(queue, 1, -4) or queue
end

-- The queue with keys that one of a key was split from.
function queue_name.with_all_keys(queue)
  return match(queue, '^(.* k=)')
end

-- Group and key of the queue of a key; nil for any other.
function queue_name.group_and_key(queue)
  return match(queue, '^(%S+) %S+.* k=(%S+)$')
end

function queue_name.key_of(queue)
  return match(queue, ' k=(%S+)$')
end

function queue_name.group_of(queue)
  return match(queue, '^%S+')
end

function queue_name.handler_of(queue)
  return match(queue, '^%S+ (%S+)')
end

-- `<group> <handler>`.
function queue_name.base_of(queue)
  return match(queue, '^%S+ %S+')
end

-- Group and handler of a queue that is nothing but `<group> <handler>`.
function queue_name.split_base(queue)
  return match(queue, '^(%S+) (%S+)$')
end

-- Group, handler and placement, which is empty without one.
function queue_name.split(queue)
  return match(queue, '^(%S+) (%S+) ?c?=?(%x*)')
end

function queue_name.placement_of(queue)
  return match(queue, ' c=(%x+)')
end

-- `<group> <handler> c=<placement>`; nil without a placement.
function queue_name.placed_base(queue)
  return match(queue, '^%S+ %S+ c=%x+')
end

-- Whether it is nothing but that.
function queue_name.is_placed_base(queue)
  return find(queue, '^%S+ %S+ c=%x+$') ~= nil
end

-- True for a queue of subtasks, which wait in lists.
function queue_name.is_of_subtasks(queue)
  return find(queue, ' /', 1, true) ~= nil
end

function queue_name.of_subtasks(group, handler, placement, root)
  return group .. ' ' .. handler .. (placement ~= '' and ' c=' .. placement or '') .. ' /' .. root
end

-- What stands before the root of subtasks, and the root; nil for any other queue.
function queue_name.split_root(queue)
  return match(queue, '^(.+) /(%S+)$')
end

-- Handler and root of subtasks, and what stands before the root.
function queue_name.split_subtasks(queue)
  local base, handler, root = match(queue, '^(%S+ (%S+).*) /(%S+)$')
  return handler, root, base
end

function queue_name.root_of(queue)
  return match(queue, ' /(%S+)$')
end

-- Whether a person could have been shown it.
function queue_name.is_printable(queue)
  return find(queue, '^%S+ %S') ~= nil and not find(queue, '[^ -~]')
end

-- What its ready set is called behind `ready:`, and the queue of such a name.
function queue_name.set_of(queue)
  return (gsub(queue, ' ', ':'))
end

function queue_name.of_set(name)
  return (gsub(name, ':', ' '))
end

return queue_name
