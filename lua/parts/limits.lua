-- Part limits: how many contexts of a group, or of a key in it, may run at once and start per second, over the whole cluster (W9).
-- A limit lies in a partition of its own (limit/share). The partition of a context holds what it was granted of it, counts what runs, and
-- gives the rest back when a turn ends: what is allowed here is never more than what is granted there, whoever dies in between.
--   allowed   limit -> `<report> <allowed> <starts>`: the number of the last report, contexts that may run, contexts that may start
--   using     limit -> contexts that run under it
--   counted   context -> the limits it counts under, separated by tabs
--   stopped   limit -> when it was last reported: something waits for it
--   returned  limits that contexts left since they were last reported

local limits = { granted = {}, recalled = {}, groups = false } -- groups: those with limits, in a turn that was told of some

-- A limit's name is `<group>`, or `<group> k=<key>`. Contexts that end, or go back, count no longer; if any did, a turn reports it.
function limits.leave(ids)
  if not is_plain() then
    limits.uncount(ids)
  end
end

on_demand(limits, function()
  local REPORT_MS = 250 -- a limit that something waits for is asked for again after this
  local REPORTS_MOST = 64 -- of one turn
  local WANTED_MOST = 1000
  local KEPT_MS = 1000 -- a grant that is not used goes back after this

  function limits.uncount(ids)
    local less, gone, left = {}, {}, false
    for first = 1, #ids, 4000 do
      local last = math.min(first + 3999, #ids)
      for i, names in ipairs(redis.call('HMGET', BASE .. 'counted', unpack(ids, first, last))) do
        if names then
          gone[#gone + 1] = ids[first + i - 1]
          for name in string.gmatch(names, '[^\t]+') do
            less[name] = (less[name] or 0) + 1
          end
        end
      end
    end
    for name, count in pairs(less) do
      if redis.call('HINCRBY', BASE .. 'using', name, -count) <= 0 then
        redis.call('HDEL', BASE .. 'using', name)
      end
      redis.call('HSET', BASE .. 'returned', name, '1')
      left = true
    end
    for first = 1, #gone, 4000 do
      redis.call('HDEL', BASE .. 'counted', unpack(gone, first, math.min(first + 3999, #gone)))
    end
    if left then
      wake(0)
    end
  end

  -- What a turn is told: `g <group> <rules> <rules of keys> [<key>=<rules>,...]` for each group with limits, where rules are `c` for a
  -- bound on what runs, `r` for a rate, both or `-`; `t <report> <allowed> <starts> <limit>` for what was granted; `r <limit>` for what
  -- another partition waits for.
  function limits.read(text, now)
    limits.now = now
    limits.groups, limits.loaded, limits.order, limits.counted, limits.moved, limits.returned = {}, {}, {}, {}, {}, {}
    limits.held_back = 0
    for _, name in ipairs(redis.call('HKEYS', BASE .. 'returned')) do
      limits.returned[name] = true
    end
    for line in string.gmatch(text, '[^\n]+') do
      local group, own, keys, special = string.match(line, '^g (%S+) ([cr-]+) ([cr-]+) ?(%S*)$')
      local report, allowed, starts, limit = string.match(line, '^t (%d+) (%d+) (%d+) (%S.*)$')
      local recalled = string.match(line, '^r (%S.*)$')
      if group then
        limits.groups[group] = { own = own, keys = keys, special = ',' .. special .. ',', known = {} }
      elseif limit then
        limits.granted[limit] = { report = tonumber(report), allowed = tonumber(allowed), starts = tonumber(starts) }
      elseif recalled then
        limits.recalled[recalled] = true
      elseif line ~= 'limits' then
        bad_arg('limits', 'must be lines of known forms', line)
      end
    end
  end

  -- The limit of this name, as this call sees it.
  function limits.of(name, rules)
    local limit = limits.loaded[name]
    if not limit then
      local report, allowed, starts = string.match(redis.call('HGET', BASE .. 'allowed', name) or '', '^(%d+) (%d+) (%d+)$')
      limit = { name = name, report = tonumber(report), allowed = tonumber(allowed) or 0, starts = tonumber(starts) or 0,
        using = tonumber(redis.call('HGET', BASE .. 'using', name) or 0), taken = 0 }
      local granted = limits.granted[name]
      if granted and limit.report and granted.report == limit.report then
        -- What ended since the report is not for its partition alone.
        limit.allowed, limit.starts, limit.fresh = limit.using + granted.starts, granted.starts, true
        limit.surplus = granted.allowed > limit.allowed
      elseif granted and granted.report > (limit.report or 0) then
        limit.behind = true
        limit.report = granted.report -- what it was granted last is not known here: the next report asks anew
      end
      -- A grant is kept for a while, so that one of a group and one of a key may meet, and permits may come. What ended goes back, and is
      -- asked for like anything else: others may have waited longer.
      local age = limit.report and limits.now - limit.report or KEPT_MS
      local asked_back = limits.recalled[name] or limits.returned[name]
      limit.kept = not limit.fresh and age >= 0 and age < KEPT_MS and not asked_back
      if not limit.fresh and not limit.kept then
        limit.surplus = limit.allowed > limit.using or limit.starts > 0
        limit.unspent = limit.starts
        limit.allowed, limit.starts = limit.using, 0
      end
      limits.loaded[name] = limit
      limits.order[#limits.order + 1] = limit
    end
    limit.bounds = limit.bounds or (rules and string.find(rules, 'c', 1, true) ~= nil)
    limit.rates = limit.rates or (rules and string.find(rules, 'r', 1, true) ~= nil)
    return limit
  end

  function limits.room(limit)
    local room = WANTED_MOST
    if limit.bounds then
      room = math.min(room, limit.allowed - limit.using)
    end
    if limit.rates then
      room = math.min(room, limit.starts)
    end
    return room
  end

  local function rules_of(group, key)
    local known = group.known[key]
    if not known then
      known = string.match(group.special, ',' .. string.gsub(key, '[%.%+%-]', '%%%0') .. '=([cr-]+),') or group.keys
      group.known[key] = known
    end
    return known
  end

  -- The limits of a context: that of its group and that of its key, nil where there is none.
  local function limits_of(group, options)
    local rules = limits.groups[group]
    if not rules then
      return nil, nil
    end
    local own = rules.own ~= '-' and limits.of(group, rules.own) or nil
    local key = options ~= '-' and option(options, 'k')
    local of_key = key and rules_of(rules, key)
    if of_key and of_key ~= '-' then
      return own, limits.of(group .. ' k=' .. key, of_key)
    end
    return own, nil
  end

  -- The limit that keeps a context from being claimed now; nil when none does.
  function limits.stops(group, options)
    local own, of_key = limits_of(group, options)
    for _, limit in ipairs({ own or of_key, own and of_key }) do
      if limits.room(limit) <= 0 then
        limit.wanted = true
        return limit
      end
    end
    return nil
  end

  -- A context was claimed.
  function limits.count(group, options, id)
    local names = {}
    local own, of_key = limits_of(group, options)
    for _, limit in ipairs({ own or of_key, own and of_key }) do
      limit.starts = math.max(limit.starts - 1, 0)
      if limit.bounds then
        limit.using, limit.taken = limit.using + 1, limit.taken + 1
        names[#names + 1] = limit.name
      else
        limit.allowed = math.max(limit.allowed - 1, limit.using)
      end
    end
    if #names > 0 then
      limits.counted[#limits.counted + 1] = id
      limits.counted[#limits.counted + 1] = table.concat(names, '\t')
    end
  end

  -- A context whose key is at its limit makes room for those behind it: it waits in a queue of its key.
  function limits.set_aside(source, limit, score, member)
    local key = string.match(limit.name, ' k=(.*)$')
    local queue = source.queue .. key
    local moved = limits.moved[queue] or {}
    limits.moved[queue] = moved
    moved[#moved + 1], moved[#moved + 2] = score, member
  end

  -- Lets contexts of a key go on that were set aside: as many as there is room for.
  local function let_go(limit, queues)
    local room = limits.room(limit)
    for _, queue in ipairs(queues) do
      local zset, base = ready_key(queue), string.match(queue, '^(.* k=)')
      local popped = room > 0 and redis.call('ZPOPMIN', zset, room) or {}
      local back = {}
      for i = 1, #popped, 2 do
        back[i], back[i + 1] = popped[i + 1], popped[i]
        room = room - 1
      end
      if #back > 0 then
        redis.call('ZADD', ready_key(base), unpack(back))
        redis.call('HSET', BASE .. 'backlog', base, '1')
      end
      if redis.call('EXISTS', zset) == 0 then
        redis.call('HDEL', BASE .. 'backlog', queue)
      else
        limit.wanted, limit.waiting = true, (limit.waiting or 0) + redis.call('ZCARD', zset)
      end
    end
  end

  -- Before anything is claimed: what was set aside and may go on does. `backlog` has the names of the queues. Looked at are the limits
  -- that something came back to, and those that have to be asked for again.
  function limits.resume(now, backlog)
    local aside, names, asked = {}, {}, {}
    for _, queue in ipairs(backlog) do
      local group, key = string.match(queue, '^(%S+) %S+.* k=(%S+)$')
      local name = group and group .. ' k=' .. key
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
    limits.held_back = 1
    local stopped = redis.call('HGETALL', BASE .. 'stopped')
    for i = 1, #stopped, 2 do
      asked[stopped[i]] = tonumber(stopped[i + 1])
    end
    -- Those that something happened to come first, then those that were asked for longest ago.
    local function rank(name)
      return (limits.granted[name] or limits.returned[name] or limits.recalled[name]) and -1 or asked[name] or 0
    end
    table.sort(names, function(left, right) return rank(left) < rank(right) end)
    local looked = 0
    for _, name in ipairs(names) do
      local group, key = string.match(name, '^(%S+) k=(%S+)$')
      local rules = limits.groups[group]
      local of_key = rules and rules_of(rules, key) or '-'
      local late = not asked[name] or now - asked[name] >= REPORT_MS or now < asked[name]
      if looked < REPORTS_MOST and (late or of_key == '-' or limits.granted[name] or limits.returned[name] or limits.recalled[name]) then
        looked = looked + 1
        let_go(limits.of(name, of_key), aside[name])
      end
    end
    return true
  end

  -- Whether the tracker shall not visit again for a queue: what waits in it waits for a limit.
  function limits.holds(queue)
    local group = string.match(queue, '^%S+')
    local limit = limits.loaded[group]
    return string.find(queue, ' k=%S') ~= nil or (limit ~= nil and limit.wanted == true)
  end

  local function place_aside()
    for queue, moved in pairs(limits.moved) do
      for first = 1, #moved, 2000 do
        redis.call('ZADD', ready_key(queue), unpack(moved, first, math.min(first + 1999, #moved)))
      end
      redis.call('HSET', BASE .. 'backlog', queue, '1')
      local limit = limits.loaded[string.match(queue, '^%S+') .. ' k=' .. string.match(queue, ' k=(%S+)$')]
      limit.waiting = (limit.waiting or 0) + #moved / 2
    end
  end

  -- One limit at the end of a turn: gives back what nothing uses, asks for what something waits for. True when it has to be reported.
  local function settle_limit(limit, now)
    local asked = tonumber(redis.call('HGET', BASE .. 'stopped', limit.name) or 0)
    local spare = limit.allowed > limit.using or limit.starts > 0
    local surplus = limit.surplus or limit.behind or (spare and not limit.fresh and not limit.kept)
    local due = limit.wanted and limits.room(limit) <= 0 and (limit.fresh or asked == 0 or now - asked >= REPORT_MS or now < asked)
    local unspent = limit.unspent or limit.starts
    local report = surplus or due or limits.recalled[limit.name] ~= nil
    if report then
      limit.report = math.max((limit.report or 0) + 1, now)
      limit.allowed, limit.starts = limit.using, 0
      limit.unspent = unspent
    end
    if limit.wanted then
      if report then
        redis.call('HSET', BASE .. 'stopped', limit.name, int(now))
      end
    elseif asked > 0 then
      redis.call('HDEL', BASE .. 'stopped', limit.name)
    end
    if limit.using == 0 and not limit.wanted and limit.allowed == 0 and limit.starts == 0 then
      redis.call('HDEL', BASE .. 'allowed', limit.name)
    elseif limit.report then
      redis.call('HSET', BASE .. 'allowed', limit.name, int(limit.report) .. ' ' .. int(limit.allowed) .. ' ' .. int(limit.starts))
    end
    if limit.taken > 0 then
      redis.call('HINCRBY', BASE .. 'using', limit.name, limit.taken)
    end
    return report
  end

  -- Writes what changed, and answers with what has to be reported: limit, report, using, unspent starts, wanted; five values each.
  function limits.flush(now, waiting_of_group)
    for name in pairs(limits.granted) do
      limits.of(name)
    end
    for name in pairs(limits.recalled) do
      limits.of(name)
    end
    local later = false
    for name in pairs(limits.returned) do
      if limits.loaded[name] or #limits.order < REPORTS_MOST then
        limits.of(name)
        redis.call('HDEL', BASE .. 'returned', name)
      else
        later = true
      end
    end
    place_aside()
    if #limits.counted > 0 then
      redis.call('HSET', BASE .. 'counted', unpack(limits.counted)) -- at most two values for each context claimed
    end
    local reports = {}
    for _, limit in ipairs(limits.order) do
      if limit.wanted then
        limits.held_back = 1
      end
      if settle_limit(limit, now) then
        local waiting = limit.waiting or (limit.wanted and waiting_of_group(limit.name)) or 0
        local told = { limit.name, int(limit.report), int(limit.using), int(limit.unspent), int(math.min(waiting, WANTED_MOST)) }
        for _, value in ipairs(told) do
          reports[#reports + 1] = value
        end
      end
    end
    if later then
      wake(0)
    end
    return reports
  end
end)
