-- Module limits/admission: whether limits let a context run, asked for each one that would be claimed. So the limits of keys, of which each
-- context may have another, are counted by name, as long as nothing else is to be said of them; the rest are tables of limits/shares.
-- @use limits/shares
-- @use records/context_options
-- @use records/limit_share
-- @use records/held_value
local admission = {}

local using_of, said_of, written_of, texts, said, numbers, left, busy
-- The limits of the context that was asked about last: that of its group and that of its key, as tables or by name; nil where there is
-- none.
local own, of_key, key_name

-- Called once the turn has read what it is told of limits. Of limits that are counted by name, `using` says how many run, `said` what
-- their shares say, `written` how many run by them.
function admission.open()
  using_of, said_of, written_of = {}, {}, {}
  admission.using, admission.said, admission.written = using_of, said_of, written_of
  texts, said, numbers, left, busy = shares.read_all(), shares.said, shares.numbers, shares.left, shares.busy
  own, of_key, key_name = nil, nil, nil
end

-- Counts a limit by its name from now on: how many run under it, and how many may; nil when something is to be said of it.
function admission.count_by_name(name)
  if busy[name] then
    return nil
  end
  local written, rest = limit_share.split(texts[name] or shares.text_of(name) or '')
  local what = rest and said[rest]
  if not what or not what.quiet then
    return nil
  end
  local using, gone = numbers[written], left[name]
  said_of[name], written_of[name] = what, using
  if gone then
    using = using > gone and using - gone or 0
  end
  using_of[name] = using
  return using, what.allowed
end

-- What is to be written of a limit that is counted by name; nil when nothing changed.
function admission.share_of(name)
  local what, using, written = said_of[name], using_of[name], written_of[name]
  if what.mode == limit_share.GRANTED and using > math.max(written - (left[name] or 0), 0) then
    return limit_share.text(using, shares.used(what).rest)
  end
  return using ~= written and limit_share.text(using, what.rest) or nil
end

-- The limit of this name, as a table: something is to be said of it.
function admission.limit_of(name, rules)
  local using = using_of[name]
  local limit = shares.of(name, rules)
  if using then
    using_of[name] = nil
    limit.taken, limit.using = using - limit.using, using
    if limit.taken > 0 and limit.mode == limit_share.GRANTED then
      limit.mode = limit_share.USED
    end
  end
  return limit
end

local function is_full(limit)
  return limit.bounds and limit.allowed <= limit.using or limit.rates and limit.starts <= 0
end

local function take(limit)
  limit.taken = limit.taken + 1
  if limit.starts > 0 then
    limit.starts = limit.starts - 1
  end
  if limit.mode == limit_share.GRANTED then
    limit.mode = limit_share.USED
  end
  if limit.bounds then
    limit.using = limit.using + 1
    return true
  end
  limit.allowed = math.max(limit.allowed - 1, limit.using)
  return false
end

-- Whether a limit is counted by name and has room.
local function counts(name)
  local using, allowed = using_of[name]
  if using then
    allowed = said_of[name].allowed
  else
    using, allowed = admission.count_by_name(name)
  end
  return using and using < allowed
end

-- The limit that keeps a context from being claimed now; nil when none does.
function admission.stops(rules, options)
  own, of_key, key_name = nil, nil, nil
  if rules.own ~= '-' then
    own = rules.limit or shares.of(rules.group, rules.own)
    rules.limit = own
    if is_full(own) then
      own.wanted = true
      return own
    end
  end
  local keyed = (rules.special or rules.keys ~= '-') and options ~= '-'
  local key = keyed and context_options.key_of(options)
  local rules_of_key = key and shares.rules_of(rules, key)
  if rules_of_key and rules_of_key ~= '-' then
    local name = rules.names .. key
    if rules_of_key == shares.BOUND and counts(name) then
      key_name = name
      return nil
    end
    of_key = admission.limit_of(name, rules_of_key)
    if is_full(of_key) then
      of_key.wanted = true
      return of_key
    end
  end
  return nil
end

-- The context that was asked about last is claimed. What `held` has to say of the limits that it counts under, nil when there are none.
function admission.count()
  local under = own and take(own) and held_value.UNDER_GROUP or nil
  if key_name then
    using_of[key_name] = using_of[key_name] + 1
    return under and held_value.UNDER_BOTH or held_value.UNDER_KEY
  end
  if of_key and take(of_key) then
    under = under and held_value.UNDER_BOTH or held_value.UNDER_KEY
  end
  return under
end

-- The same at once, for a context of which nothing but its key is limited and counted by name: true when it counts, else it has to be
-- asked about.
function admission.count_key(rules, options)
  local key = context_options.key_of(options)
  if not key then
    return false
  end
  local name = rules.names .. key
  local using, allowed = using_of[name]
  if using then
    allowed = said_of[name].allowed
  else
    using, allowed = admission.count_by_name(name)
  end
  if not using or using >= allowed then
    return false
  end
  using_of[name] = using + 1
  return true
end

-- It is not claimed after all.
function admission.uncount_key(rules, options)
  local name = rules.names .. context_options.key_of(options)
  using_of[name] = using_of[name] - 1
end

return admission
