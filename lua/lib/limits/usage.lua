-- Module limits/usage: how many contexts of a group, or of a key in it, may run at once and start per second, over the whole cluster (W9).
-- A limit lies in a partition of its own (limit/share). The partition of a context holds what it was granted of it, counts what runs, and
-- gives back what nothing uses: what is allowed here is never more than what is granted there, whoever dies in between. Its keys are
-- `shares`: limit -> `<using> <allowed> <starts> <report> <mode>`: contexts that run under it, that may run, that may start, the number
-- of the last report, a time, and the mode: `w` others waited for it then, `k` nobody did and what ends may be used again here, `u` some
-- was used since then, `n` it was not answered yet (and a field `#` beside many of them);
-- `left`: lines `<contexts> <limit>` of what ended, or went back, since the last turn, which takes them off `shares`: what ends costs its
-- script one command, whatever it ran under;
-- `stopped`: limit -> when it was last reported, as something waits for it; and
-- `contended`: limits of which `shares` says that others wait.
-- Which limits a running context counts under stands behind its deadline in `held`: `g` that of its group, `k` that of its key.
-- @use keys
-- @use partition
-- @use contexts/ready
-- @use record
-- @use records/held_value
-- @use records/limit_name
-- @use records/limit_share
-- @use records/wheel_entry
local usage = {}
local int = record.int

usage.SHARE_KEPT_MS = 1000 -- what was granted is reported again after this, and what nothing uses goes back

-- Contexts that end, or go back, count no longer: `values` are what `held` had of them.
function usage.leave(values, now)
  if not partition.is_plain() then
    usage.uncount(values, now)
  end
end

-- Has a later turn give back what nothing uses by then. True when that is news to the trackers.
function usage.look_later(now)
  return redis.call('ZADD', keys.wheel, 'LT', 'CH', int(now + usage.SHARE_KEPT_MS), wheel_entry.limits('0')) == 1
end

local LINES_MOST = 64 -- of one entry of the list

-- The contexts as they left: how many of each group, and the keys of each group. What was claimed together begins with the same, up to
-- its options.
local function count_all(values)
  local groups, keys_of = {}, {}
  local head, length, group, by_key, count = '\n', 1, nil, nil, 0
  for i = 1, #values do
    local value = values[i]
    if string.find(value, head, 1, true) ~= 1 then
      if by_key then
        by_key.count = count
      end
      local under
      head, under, group = held_value.split_limits(value)
      head = head or '\n' -- no value begins with it
      length = #head
      if held_value.is_under_key(under) then
        by_key = keys_of[group] or { count = 0 }
        keys_of[group], count = by_key, by_key.count
      else
        by_key = nil
      end
      group = held_value.is_under_group(under) and group or nil
    end
    if group then
      groups[group] = (groups[group] or 0) + 1
    end
    if by_key then
      count = count + 1
      by_key[count] = held_value.key_at(value, length + 1) or ''
    end
  end
  return groups, keys_of
end

-- Writes lines: a limit's name is `<group>`, or `<group> k=<key>`.
local function append(names, between)
  for first = 1, #names, LINES_MOST do
    local lines = table.concat(names, between, first, math.min(first + LINES_MOST - 1, #names))
    redis.call('RPUSH', keys.limit_released, string.sub(between, 2) .. lines)
  end
end

function usage.uncount(values, now)
  local groups, keys_of = count_all(values)
  if not next(groups) and not next(keys_of) then
    return
  end
  local names = {}
  for group, count in pairs(groups) do
    names[#names + 1] = limit_share.released(count, group)
  end
  append(names, '\n')
  for group, by_key in pairs(keys_of) do
    append(by_key, limit_share.released_before_key(limit_name.before_key(group)))
  end
  local later = usage.look_later(now)
  if redis.call('EXISTS', keys.limit_waiting, keys.limit_contended) > 0 then
    ready.wake(0)
  elseif later then
    ready.wake(now + usage.SHARE_KEPT_MS)
  end
end

return usage
