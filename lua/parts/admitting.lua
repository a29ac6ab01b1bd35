-- Part admitting: whether limits let a context run, asked for each one that would be claimed. So the limits of keys, of which each context
-- may have another, are counted by name, as long as nothing else is to be said of them; the rest are tables of part shares.
-- Needs the parts limits and shares.

local admitting = { using = {}, said = {} } -- of limits that are counted by name: how many run, and what their shares say
on_demand(admitting, function()
  local using_of, said_of = admitting.using, admitting.said

  -- Counts a limit by its name from now on. How many run under it, nil when something is to be said of it.
  function admitting.count_by_name(name)
    local text = not shares.loaded[name] and not shares.has_news(name) and shares.text_of(name)
    if not text then
      return nil
    end
    local using, what = shares.open(name, text)
    if what.mode == 'w' or what.starts > 0 or what.allowed == 0 or not shares.is_quiet(what) then
      return nil
    end
    using_of[name], said_of[name] = using, what
    return using
  end

  -- The limit of this name, as a table: something is to be said of it.
  function admitting.limit_of(name, rules)
    local using = using_of[name]
    local limit = shares.of(name, rules)
    if using then
      using_of[name] = nil
      limit.taken, limit.using, limit.mode = using - limit.using, using, said_of[name].mode
    end
    return limit
  end

  local function is_full(limit)
    return limit.bounds and limit.allowed <= limit.using or limit.rates and limit.starts <= 0
  end

  -- The limits of the context that was asked about last: that of its group and that of its key, as tables or by name; nil where there is
  -- none.
  local own, of_key, key_name

  -- The limit that keeps a context from being claimed now; nil when none does.
  function admitting.stops(group, options)
    local rules = shares.groups[group]
    own, of_key, key_name = nil, nil, nil
    if not rules then
      return nil
    end
    if rules.own ~= '-' then
      own = rules.limit or shares.of(group, rules.own)
      rules.limit = own
      if is_full(own) then
        own.wanted = true
        return own
      end
    end
    local keyed = (rules.special or rules.keys ~= '-') and options ~= '-'
    local key = keyed and (string.match(options, '^k=([^,]+)') or option(options, 'k')) -- mostly it stands first
    local rules_of_key = key and shares.rules_of(rules, key)
    if rules_of_key and rules_of_key ~= '-' then
      local name = group .. ' k=' .. key
      local using = rules_of_key == 'c' and (using_of[name] or admitting.count_by_name(name))
      if using and using < said_of[name].allowed then
        key_name = name
        return nil
      end
      of_key = admitting.limit_of(name, rules_of_key)
      if is_full(of_key) then
        of_key.wanted = true
        return of_key
      end
    end
    return nil
  end

  local function take(limit)
    limit.taken = limit.taken + 1
    if limit.starts > 0 then
      limit.starts = limit.starts - 1
    end
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
  function admitting.count()
    local under = own and take(own) and 'g' or nil
    if key_name then
      using_of[key_name] = using_of[key_name] + 1
      local what = said_of[key_name]
      if what.mode == 'k' then
        said_of[key_name] = shares.used(what)
      end
      return under and 'gk' or 'k'
    end
    if of_key and take(of_key) then
      under = under and 'gk' or 'k'
    end
    return under
  end
end)
