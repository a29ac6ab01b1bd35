-- Part shares: what a turn has of the limits of groups and keys, and how it keeps to them. It reads and writes what part limits tells of;
-- what nothing uses, and what something waits for, it reports, to be shared with the other partitions (limit/share).
-- Needs the parts limits and ending.

local USED_KEPT_MS = 10000 -- what is used is reported again after this
local REPORT_MS = 250 -- a limit that something waits for is asked for again after this
local shares = { granted = {}, recalled = {}, groups = false } -- groups: those with limits, in a turn that was told of some
on_demand(shares, function()
  local REPORTS_MOST = 64 -- of one turn
  local WANTED_MOST = 1000
  -- What is asked for doubles with what is used, from here on: nobody holds what others could run. Keys have less each than their group.
  local WANTED_FIRST, WANTED_FIRST_OF_KEY = 128, 16
  local SLICE_MS = 50 -- what ends while others wait may be used again here until this long after the report
  local READ_MOST = 256 -- shares that are read at once

  -- What a turn is told: `g <group> <rules> <rules of keys> [<key>=<rules>,...]` for each group with limits, where rules are `c` for a
  -- bound on what runs, `r` for a rate, both or `-`; `t <report> <allowed> <starts> <k|w> <limit>` for what was granted; `r <limit>` for
  -- what another partition waits for; `n <ms>` when the limits changed: what was granted before goes back.
  function shares.read(text, now)
    shares.now = now
    shares.groups, shares.loaded, shares.order, shares.returned, shares.unanswered = {}, {}, {}, {}, {}
    shares.held_back, shares.valid_from = 0, 0
    for _, name in ipairs(redis.call('HKEYS', BASE .. 'returned')) do
      shares.returned[name] = true
    end
    for line in string.gmatch(text, '[^\n]+') do
      local group, own, keys, special = string.match(line, '^g (%S+) ([cr-]+) ([cr-]+) ?(%S*)$')
      local report, allowed, starts, mode, limit = string.match(line, '^t (%d+) (%d+) (%d+) ([kw]) (%S.*)$')
      local recalled, changed = string.match(line, '^r (%S.*)$'), string.match(line, '^n (%d+)$')
      if group then
        shares.groups[group] = { own = own, keys = keys, special = ',' .. special .. ',', known = {} }
      elseif limit then
        shares.granted[limit] = { report = tonumber(report), allowed = tonumber(allowed), starts = tonumber(starts), mode = mode }
      elseif recalled then
        shares.recalled[recalled] = true
      elseif changed then
        shares.valid_from = tonumber(changed)
      elseif line ~= 'limits' then
        bad_arg('limits', 'must be lines of known forms', line)
      end
    end
  end

  -- What a partition has of a limit. Few shares are read at once.
  local function read_share(name)
    if shares.all == nil then
      shares.all = false
      if redis.call('HLEN', BASE .. 'shares') <= READ_MOST then
        shares.all = {}
        local fields = redis.call('HGETALL', BASE .. 'shares')
        for i = 1, #fields, 2 do
          shares.all[fields[i]] = fields[i + 1]
        end
      end
    end
    if shares.all then
      return shares.all[name]
    end
    return redis.call('HGET', BASE .. 'shares', name)
  end

  -- When limits that something waits for were last reported.
  function shares.asked_at(name)
    if not shares.asked then
      shares.asked = {}
      local fields = redis.call('HGETALL', BASE .. 'stopped')
      for i = 1, #fields, 2 do
        shares.asked[fields[i]] = tonumber(fields[i + 1])
      end
    end
    return shares.asked[name]
  end

  -- Takes down what the home of a limit answered to its last report.
  local function take_grant(limit, granted)
    if limit.report and granted.report == limit.report then
      limit.fresh, limit.mode, limit.starts = true, granted.mode, granted.starts
      if granted.mode == 'k' then
        limit.allowed = math.max(granted.allowed, limit.using)
      else
        -- What ended since the report is not for its partition alone.
        limit.allowed = limit.using + granted.starts
        limit.surplus = granted.allowed > limit.allowed
      end
    elseif granted.report > (limit.report or 0) then
      limit.behind = true
      limit.report = granted.report -- what it was granted last is not known here: the next report asks anew
    end
  end

  -- Whether what is not used has to go back at once: another partition waits for it, or it was granted under other rules.
  local function has_to_go_back(limit)
    return shares.recalled[limit.name] or (limit.report or 0) < shares.valid_from
  end

  -- Whether a grant may be used that is not fresh: one of a group and one of a key have to meet, and permits have to come.
  local function is_kept(limit)
    local age = limit.report and shares.now - limit.report or SHARE_KEPT_MS
    local span = SHARE_KEPT_MS
    if limit.mode == 'u' and limit.starts == 0 then -- starts of a rate that are not used are for others
      span = USED_KEPT_MS
    elseif limit.mode == 'w' and shares.returned[limit.name] then
      span = SLICE_MS
    end
    return age >= 0 and age < span and not has_to_go_back(limit)
  end

  -- The limit of this name, as this call sees it.
  function shares.of(name, rules)
    local limit = shares.loaded[name]
    if not limit then
      local share = read_share(name)
      local using, allowed, starts, report, mode = string.match(share or '', '^(%d+) (%d+) (%d+) (%d+) (%l)$')
      limit = { name = name, share = share, using = tonumber(using) or 0, allowed = tonumber(allowed) or 0,
        starts = tonumber(starts) or 0, report = tonumber(report), mode = mode or 'w', taken = 0 }
      if shares.granted[name] and shares.granted[name].report >= shares.valid_from then
        take_grant(limit, shares.granted[name])
      end
      limit.kept = not limit.fresh and is_kept(limit)
      -- What is used goes on.
      limit.aged = not limit.fresh and not limit.kept and limit.mode ~= 'w' and not has_to_go_back(limit)
      if not limit.fresh and not limit.kept and not limit.aged then
        limit.surplus = limit.allowed > limit.using or limit.starts > 0
        limit.unspent = limit.starts
        limit.allowed, limit.starts = limit.using, 0
      end
      shares.loaded[name] = limit
      shares.order[#shares.order + 1] = limit
    end
    if rules and limit.rules ~= rules then
      limit.rules = rules
      limit.bounds = limit.bounds or string.find(rules, 'c', 1, true) ~= nil
      limit.rates = limit.rates or string.find(rules, 'r', 1, true) ~= nil
    end
    return limit
  end

  function shares.room(limit)
    local room = limit.bounds and limit.allowed - limit.using or WANTED_MOST
    return limit.rates and limit.starts < room and limit.starts or room
  end

  -- What limits a key of a group.
  function shares.rules_of(group, key)
    local known = group.known[key]
    if not known then
      known = string.match(group.special, ',' .. string.gsub(key, '[%.%+%-]', '%%%0') .. '=([cr-]+),') or group.keys
      group.known[key] = known
    end
    return known
  end

  -- The limits of the context that was asked about last: that of its group and that of its key, nil where there is none.
  local own, of_key

  -- The limit that keeps a context from being claimed now; nil when none does.
  function shares.stops(group, options)
    local rules = shares.groups[group]
    own, of_key = nil, nil
    if not rules then
      return nil
    end
    if rules.own ~= '-' then
      own = shares.of(group, rules.own)
      if shares.room(own) <= 0 then
        own.wanted = true
        return own
      end
    end
    local key = options ~= '-' and option(options, 'k')
    local rules_of_key = key and shares.rules_of(rules, key)
    if rules_of_key and rules_of_key ~= '-' then
      of_key = shares.of(group .. ' k=' .. key, rules_of_key)
      if shares.room(of_key) <= 0 then
        of_key.wanted = true
        return of_key
      end
    end
    return nil
  end

  local function take(limit)
    limit.taken = limit.taken + 1
    limit.starts = limit.starts > 0 and limit.starts - 1 or 0
    if limit.mode == 'k' then
      limit.mode = 'u'
    end
    if limit.bounds then
      limit.using = limit.using + 1
      return true
    end
    limit.allowed = math.max(limit.allowed - 1, limit.using)
    return false
  end

  -- The context that was asked about last is claimed. What `held` has to say of the limits that it counts under, nil when there are none.
  function shares.count()
    local under = own and take(own) and 'g' or ''
    if of_key and take(of_key) then
      under = under .. 'k'
    end
    return under ~= '' and under or nil
  end

  -- Whether a limit has to be reported: something is to be given back, or asked for.
  local function has_to_be_told(limit, now)
    local spare = limit.allowed > limit.using or limit.starts > 0
    if limit.surplus or limit.behind or limit.aged and spare or shares.recalled[limit.name] then
      return true
    end
    if spare and not limit.fresh and (not limit.kept or shares.returned[limit.name]) then
      return true
    end
    local asked = limit.wanted and shares.room(limit) <= 0 and (shares.asked_at(limit.name) or 0)
    return asked and (limit.fresh or asked == 0 or now - asked >= REPORT_MS or now < asked)
  end

  local function first_wanted(limit)
    return string.find(limit.name, ' k=', 1, true) and WANTED_FIRST_OF_KEY or WANTED_FIRST
  end

  -- Something waits for a limit that was not asked for before.
  local function note_first(limit)
    if not shares.asked_at(limit.name) and limit.taken == 0 then
      shares.unanswered[string.match(limit.name, '^%S+')] = true
    end
  end

  -- One limit at the end of a turn: gives back what nothing uses, asks for what something waits for. True when it has to be reported.
  local function settle_limit(limit, now, changes)
    local unspent = limit.unspent or limit.starts
    local report = has_to_be_told(limit, now)
    if report then
      limit.report = math.max((limit.report or 0) + 1, now)
      local used = limit.aged and limit.bounds and limit.mode == 'u'
      local keeps = used and math.max(first_wanted(limit), 2 * limit.taken) or 0
      limit.allowed, limit.starts = math.min(limit.allowed, limit.using + keeps), 0 -- until it is answered
      limit.mode = used and 'k' or limit.mode
      limit.unspent = unspent
    end
    if limit.wanted then
      if report then
        note_first(limit)
        local stopped = changes.stopped
        stopped[#stopped + 1], stopped[#stopped + 2] = limit.name, int(now)
      end
    elseif shares.asked_at(limit.name) then
      changes.goes_on[#changes.goes_on + 1] = limit.name
    end
    if limit.using == 0 and not limit.wanted and limit.allowed == 0 and limit.starts == 0 then
      changes.gone[#changes.gone + 1] = limit.name
    elseif limit.report then
      local share = int(limit.using) .. ' ' .. int(limit.allowed) .. ' ' .. int(limit.starts) .. ' ' .. int(limit.report)
      share = share .. ' ' .. limit.mode
      if share ~= limit.share then
        local written = changes.shares
        written[#written + 1], written[#written + 2] = limit.name, share
      end
      return report, limit.allowed > limit.using or limit.starts > 0
    end
    return report, false
  end

  -- What was granted a while ago and is not used goes back: looks at the page of shares behind `cursor`. Returns when to look again, nil
  -- for never, and behind which cursor.
  function shares.look(now, cursor)
    if not shares.groups then
      shares.read('limits', now)
    end
    local found = redis.call('HSCAN', BASE .. 'shares', cursor, 'COUNT', READ_MOST)
    local soonest = nil
    for i = 1, #found[2], 2 do
      local name = found[2][i]
      local using, allowed, starts, report, mode = string.match(found[2][i + 1], '^(%d+) (%d+) (%d+) (%d+) (%l)$')
      if using and (tonumber(allowed) > tonumber(using) or tonumber(starts) > 0) then
        local at = tonumber(report) + (mode == 'u' and starts == '0' and USED_KEPT_MS or SHARE_KEPT_MS)
        if at <= now or tonumber(report) > now then
          if #shares.order >= REPORTS_MOST then
            return now, cursor
          end
          shares.of(name)
        else
          soonest = math.min(soonest or at, at)
        end
      end
    end
    return found[1] ~= '0' and now or soonest, found[1]
  end

  -- Writes what changed, and answers with what has to be reported: limit, report, what it may run, unspent starts, wanted, waiting; six
  -- values each.
  function shares.flush(now, waiting_of_group)
    for name in pairs(shares.granted) do
      shares.of(name)
    end
    for name in pairs(shares.recalled) do
      shares.of(name)
    end
    local later, looked_at = false, {}
    for name in pairs(shares.returned) do
      if shares.loaded[name] or #shares.order < REPORTS_MOST then
        shares.of(name)
        looked_at[#looked_at + 1] = name
      else
        later = true
      end
    end
    local reports, spare = {}, false
    local changes = { shares = {}, stopped = {}, gone = {}, goes_on = {} }
    for _, limit in ipairs(shares.order) do
      if limit.wanted then
        shares.held_back = 1
      end
      local report, kept = settle_limit(limit, now, changes)
      spare = spare or kept
      if report then
        local waiting = limit.waiting or (limit.wanted and waiting_of_group(limit.name)) or 0
        local wanted = math.min(waiting, WANTED_MOST, math.max(first_wanted(limit), 2 * limit.taken, limit.using))
        local told = { limit.name, limit.report, limit.allowed, limit.unspent, wanted, waiting }
        for i, value in ipairs(told) do
          reports[#reports + 1] = i == 1 and value or int(value)
        end
      end
    end
    write_many('HSET', BASE .. 'shares', changes.shares)
    write_many('HDEL', BASE .. 'shares', changes.gone)
    write_many('HSET', BASE .. 'stopped', changes.stopped)
    write_many('HDEL', BASE .. 'stopped', changes.goes_on)
    write_many('HDEL', BASE .. 'returned', looked_at)
    if spare then
      limits.look_later(now)
    end
    if later then
      wake(0)
    end
    return reports
  end
end)
