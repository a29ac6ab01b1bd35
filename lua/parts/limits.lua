-- Part limits: how many contexts of a group, or of a key in it, may run at once and start per second, over the whole cluster (W9).
-- A limit lies in a partition of its own (limit/share). The partition of a context holds what it was granted of it, counts what runs, and
-- gives back what nothing uses: what is allowed here is never more than what is granted there, whoever dies in between.
--   shares    limit -> `<using> <allowed> <starts> <report> <mode>`: contexts that run under it, that may run, that may start; the number
--             of the last report, a time; `w` when others waited for it then, `k` when nobody did: what ends may be used again here,
--             and `u` when some was used since then
--   left      lines `<contexts> <limit>`: contexts that ended, or went back, since the last turn. The next one takes them off `shares`, so
--             that what ends costs its script one command, whatever it ran under
--   stopped   limit -> when it was last reported: something waits for it
--   contended limits of which `shares` says that others wait
-- Which limits a running context counts under stands behind its deadline in `held`: `g` that of its group, `k` that of its key.

local SHARE_KEPT_MS = 1000 -- what was granted is reported again after this, and what nothing uses goes back
local limits = {}

-- Contexts that end, or go back, count no longer: `values` are what `held` had of them.
function limits.leave(values, now)
  if not is_plain() then
    limits.uncount(values, now)
  end
end

on_demand(limits, function()
  -- Has a later turn give back what nothing uses by then. True when that is news to the trackers.
  function limits.look_later(now)
    return redis.call('ZADD', BASE .. 'wheel', 'NX', int(now + SHARE_KEPT_MS), '!limits') == 1
  end

  local LINES_MOST = 64 -- of one entry of the list

  -- What the contexts leave, as lines. A limit's name is `<group>`, or `<group> k=<key>`. What was claimed together begins with the same,
  -- up to its options.
  local function lines_of(values)
    local lines, groups, head, under, group = {}, {}, '\n', nil, nil
    for _, value in ipairs(values) do
      if string.sub(value, 1, #head) ~= head then
        head, under, group = string.match(value, '^(%S+ %S+ %d+ %d+ %d+(%l*) %S+ (%S+) %S+ %d )')
        head = head or '\n' -- no value begins with it
      end
      if under == 'g' or under == 'gk' then
        groups[group] = (groups[group] or 0) + 1
      end
      if under == 'k' or under == 'gk' then
        local key = string.match(value, '^k=([^, ]+)', #head + 1) -- mostly it stands first
        lines[#lines + 1] = '1 ' .. group .. ' k=' .. (key or option(string.match(value, '^%S+', #head + 1), 'k') or '')
      end
    end
    for name, count in pairs(groups) do
      lines[#lines + 1] = int(count) .. ' ' .. name
    end
    return lines
  end

  function limits.uncount(values, now)
    local lines = lines_of(values)
    if #lines == 0 then
      return
    end
    for first = 1, #lines, LINES_MOST do
      redis.call('RPUSH', BASE .. 'left', table.concat(lines, '\n', first, math.min(first + LINES_MOST - 1, #lines)))
    end
    local later = limits.look_later(now)
    if redis.call('EXISTS', BASE .. 'stopped', BASE .. 'contended') > 0 then
      wake(0)
    elseif later then
      wake(now + SHARE_KEPT_MS)
    end
  end
end)
