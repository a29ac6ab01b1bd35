-- Part limits: how many contexts of a group, or of a key in it, may run at once and start per second, over the whole cluster (W9).
-- A limit lies in a partition of its own (limit/share). The partition of a context holds what it was granted of it, counts what runs, and
-- gives back what nothing uses: what is allowed here is never more than what is granted there, whoever dies in between.
--   shares    limit -> `<using> <allowed> <starts> <report> <mode>`: contexts that run under it, that may run, that may start; the number
--             of the last report, a time; `w` when others waited for it then, `k` when nobody did: what ends may be used again here,
--             and `u` when some was used since then
--   stopped   limit -> when it was last reported: something waits for it
--   returned  limits others wait for that contexts left since they were last reported
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

  -- How many of the contexts left each limit. A limit's name is `<group>`, or `<group> k=<key>`.
  local function leavers(values)
    local less, names = {}, {}
    local function count(name)
      if not less[name] then
        names[#names + 1] = name
      end
      less[name] = (less[name] or 0) + 1
    end
    for _, value in ipairs(values) do
      local under, group, at = string.match(value, '^%S+ %S+ %d+ %d+ %d+(%l+) %S+ (%S+) ()')
      if under and under ~= 'k' then
        count(group)
      end
      if under and under ~= 'g' then
        local options = string.match(value, '^%S+ %d (%S+)', at)
        count(group .. ' k=' .. (option(options, 'k') or ''))
      end
    end
    return less, names
  end

  function limits.uncount(values, now)
    local less, names = leavers(values)
    local at = nil
    for first = 1, #names, 1000 do
      local last = math.min(first + 999, #names)
      local shares = redis.call('HMGET', BASE .. 'shares', unpack(names, first, last))
      local stopped = redis.call('HMGET', BASE .. 'stopped', unpack(names, first, last))
      local written, returned = {}, {}
      for i, share in ipairs(shares) do
        local name = names[first + i - 1]
        local using, rest, mode = string.match(share or '', '^(%d+)( .* (%l))$')
        if using then
          written[#written + 1], written[#written + 2] = name, int(math.max(using - less[name], 0)) .. rest
        end
        if mode == 'w' then
          returned[#returned + 1], returned[#returned + 2] = name, '1'
        end
        if mode == 'w' or stopped[i] then
          at = 0
        end
      end
      if #written > 0 then
        redis.call('HSET', BASE .. 'shares', unpack(written))
      end
      if #returned > 0 then
        redis.call('HSET', BASE .. 'returned', unpack(returned))
      end
    end
    if #names > 0 and limits.look_later(now) then
      at = at or now + SHARE_KEPT_MS
    end
    if at then
      wake(at)
    end
  end
end)
