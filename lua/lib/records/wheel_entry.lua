-- Module records/wheel_entry: a member of the wheel. Its first byte says what it is: a digit a context (records/context_record), `@<job>`
-- the next firing of a job, `#<context> <queue> <priority>` a start deadline, `&<follower> <context> <state>` a follower that has to be
-- told of an end, `%<root>` parts for certain workers, `!reap` and `!limits[ <cursor>]` scans.
local wheel_entry = {}
local find, match = string.find, string.match

wheel_entry.JOB, wheel_entry.DEADLINE, wheel_entry.DELIVERY, wheel_entry.PARTS = 64, 35, 38, 37

-- The first byte; 0 for an empty one.
function wheel_entry.kind_of(entry)
  return string.byte(entry) or 0
end

-- Whether entries of this kind are contexts.
function wheel_entry.is_context(kind)
  return kind >= 48 and kind <= 57
end

-- All behind the first byte.
function wheel_entry.name_of(entry)
  return string.sub(entry, 2)
end

function wheel_entry.start_deadline(id, queue, priority)
  return '#' .. id .. ' ' .. queue .. ' ' .. priority
end

-- Id, queue and priority; nil for one that cannot be used.
function wheel_entry.split_start_deadline(entry)
  return match(entry, '^#(%d+%.%d+%.%S+) (%S+ .+) ([0-4])$')
end

function wheel_entry.delivery(follower, id, state)
  return '&' .. follower .. ' ' .. id .. ' ' .. state
end

function wheel_entry.is_delivery(entry)
  return find(entry, '^&%S+ %d+%.%d+%.%S+ %l[%l_]+$') ~= nil
end

-- The scan of what is granted of limits, and goes on behind `cursor`.
function wheel_entry.limits(cursor)
  return cursor == '0' and '!limits' or '!limits ' .. cursor
end

function wheel_entry.is_limits(entry)
  return find(entry, '^!limits') ~= nil
end

function wheel_entry.cursor_of_limits(entry)
  return match(entry, ' (%d+)$') or '0'
end

-- Id, attempt and, but for the body, rest of a context, for a person.
function wheel_entry.shown_context(entry)
  return match(entry, '^(%S+) (%d+):%d+ (%S+ %S+ %d %S+)')
end

return wheel_entry
