-- Module limits/shares: what a turn has of the limits of groups and keys. It reads what limits/usage tells of; limits/demand writes it, and
-- limits/admission keeps to it. What shares say behind `<using>` is taken apart once for all that say the same.
-- @use args
-- @use bounds
-- @use keys
-- @use record
-- @use limits/usage
-- @use records/limit_name
-- @use records/limit_share
-- @use args/offer_forms
local shares = {}

shares.USED_KEPT_MS = 10000 -- what is used is reported again after this
shares.REPORT_MS = 250 -- a limit that something waits for is asked for again after this
local SLICE_MS = 50 -- what ends while others wait may be used again here until this long after the grant
local READ_MOST = 256 -- shares that are read at once
local AHEAD_MS = 5 -- reports of one millisecond have the numbers of the next ones
local LEFT_PAGE = 16 -- entries of `left` that are read at once

-- The rules of a limit: a bound on what runs, a rate, or both.
shares.BOUND = 'c'
local RATE, BOTH = 'r', 'cr'

-- Taking a number apart costs more than finding it.
local numbers
local NUMBERS = { __index = function(known, text)
  known[text] = record.is_instant(text) and tonumber(text) or 0 -- what nobody could read counts as nothing
  return known[text]
end }

-- What ended since the last turn: how much under each limit, at least as much as one turn claims. Its places in `shares` are free; part
-- reports takes it off the list, as nothing is written before all that a turn is told was looked at.
local function read_left()
  local read, lines, left = 0, 0, shares.left
  while lines < bounds.ITEMS_MAX do
    local entries = redis.call('LRANGE', keys.limit_released, read, read + LEFT_PAGE - 1)
    for _, entry in ipairs(entries) do
      for count, name in limit_share.each_released(entry) do
        left[name] = (left[name] or 0) + numbers[count]
        lines = lines + 1
      end
    end
    read = read + #entries
    if #entries < LEFT_PAGE then
      break
    end
  end
  shares.left_read, shares.more_left = read, lines >= bounds.ITEMS_MAX
end

-- What a turn is told: `g <group> <rules> <rules of keys> [<key>=<rules>,...]` for each group with limits, where rules are `c` for a
-- bound on what runs, `r` for a rate, both or `-`; `t <report> <allowed> <starts> <k|w> <limit>` for what was granted; `r <limit>` for
-- what another partition waits for; `n <ms>` when the limits changed: what was granted before goes back.
function shares.read(text, now)
  shares.now = now
  shares.groups, shares.loaded, shares.order, shares.returned, shares.left, shares.busy = {}, {}, {}, {}, {}, {}
  shares.valid_from = 0
  for line in offer_forms.each_line(text) do
    local group, own, of_keys, special = offer_forms.split_limited(line)
    local report, allowed, starts, mode, limit = offer_forms.split_granted(line)
    local recalled, changed = offer_forms.recalled(line), offer_forms.changed(line)
    if group then
      shares.groups[group] = { group = group, own = own, keys = of_keys, special = special ~= '' and ',' .. special .. ',', known = {},
        names = limit_name.before_key(group), is_by_key = own == '-' and of_keys == shares.BOUND and special == '' }
    elseif limit then
      shares.granted[limit] = { report = tonumber(report), allowed = tonumber(allowed), starts = tonumber(starts), mode = mode }
      shares.busy[limit] = true
    elseif recalled then
      shares.recalled[recalled], shares.busy[recalled] = true, true
    elseif changed then
      shares.valid_from = tonumber(changed) + AHEAD_MS
    elseif line ~= 'limits' then
      args.bad('limits', 'must be lines of known forms', line)
    end
  end
  read_left()
end

-- What the partition has of all limits, when that is not too much to be read at once; else nothing, and `is_partial` is true.
function shares.read_all()
  local all = {}
  shares.all, shares.is_partial = all, redis.call('HLEN', keys.limit_shares) > READ_MOST
  local fields = shares.is_partial and {} or redis.call('HGETALL', keys.limit_shares)
  for i = 1, #fields, 2 do
    all[fields[i]] = fields[i + 1]
  end
  shares.count = #fields / 2
  return all
end

-- What the partition has of a limit.
function shares.text_of(name)
  local text = (shares.all or shares.read_all())[name]
  return text or shares.is_partial and redis.call('HGET', keys.limit_shares, name) or nil
end

-- Takes down what the partition of a limit answered to its last report.
local function take_grant(limit, granted)
  if limit.report and granted.report == limit.report then
    limit.fresh, limit.mode, limit.starts = true, granted.mode, granted.starts
    if granted.mode == limit_share.GRANTED then
      limit.allowed = math.max(granted.allowed, limit.using)
    else
      -- What ended since the report is not for its partition alone, and from now on others wait.
      limit.allowed = limit.using + granted.starts
      limit.surplus = granted.allowed > limit.allowed
      limit.report = math.max(limit.report, shares.now - 1) -- the next one may be now
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
  local age = limit.report and shares.now - limit.report or usage.SHARE_KEPT_MS
  local span = usage.SHARE_KEPT_MS
  if limit.mode == limit_share.USED and limit.starts == 0 then -- starts of a rate that are not used are for others
    span = shares.USED_KEPT_MS
  elseif limit.mode == limit_share.CONTENDED and shares.returned[limit.name] then
    span = SLICE_MS
  end
  return age >= 0 and age < span and not has_to_go_back(limit)
end

-- Whether something was granted that no other partition waits for.
local function is_granted(limit)
  return limit.mode ~= limit_share.CONTENDED and limit.mode ~= limit_share.NEW
end

-- Whether a grant that is not fresh is kept, or goes on as it is used.
local function judge(limit)
  limit.kept = is_kept(limit)
  limit.aged = not limit.kept and is_granted(limit) and not has_to_go_back(limit)
end

-- What shares say behind what is used, as a table to look things up in. Quiet is a share of which nothing is to be said while nothing
-- happens to its limit: its grant is kept, and nobody else waits.
local function take_apart(rest)
  local allowed, starts, report, mode = limit_share.open_said(rest)
  local what = { allowed = numbers[allowed or '0'], starts = numbers[starts or '0'], mode = mode or limit_share.CONTENDED,
    report = report and record.is_instant(report) and tonumber(report) or nil }
  judge(what)
  what.quiet = what.kept and is_granted(what) and what.starts == 0 and what.allowed > 0
  what.__index, what.said, what.rest = what, what, rest
  return what
end

-- What is in `shares.said` is the same table each time.
local SAID = { __index = function(said, rest)
  said[rest] = take_apart(rest)
  return said[rest]
end }

-- `groups`: those with limits, in a turn that was told of some.
function shares.begin()
  shares.granted, shares.recalled, shares.groups = {}, {}, false
  shares.all, shares.is_partial, shares.count = nil, nil, nil
  shares.loaded, shares.order, shares.returned, shares.left, shares.busy, shares.valid_from = nil, nil, nil, nil, nil, nil
  shares.left_read, shares.more_left = nil, nil
  numbers = setmetatable({}, NUMBERS)
  shares.numbers, shares.said = numbers, setmetatable({}, SAID)
end

-- The same when some was used since the report.
function shares.used(what)
  return shares.said[limit_share.with_mode(what.rest, limit_share.USED)]
end

local function load(name)
  local share = shares.text_of(name)
  local number, rest = limit_share.split(share or '')
  local what, left = shares.said[rest or ''], shares.left[name]
  local using = math.max(numbers[number or '0'] - (left or 0), 0)
  local limit = setmetatable({ name = name, share = share, using = using, taken = 0, fresh = false, kept = false, aged = false }, what)
  if left and limit.mode == limit_share.CONTENDED then
    shares.returned[name] = true
  end
  if limit.allowed < using then -- what runs was counted anew (repair/limits): it was not granted, and has to be known
    limit.allowed, limit.recounted = using, true
  end
  local granted = shares.granted[name]
  if granted and granted.report >= shares.valid_from then
    take_grant(limit, granted)
  end
  if not limit.fresh then
    judge(limit)
    if not limit.kept and not limit.aged then
      limit.surplus = limit.allowed > limit.using or limit.starts > 0
      limit.unspent = limit.starts
      limit.allowed, limit.starts = limit.using, 0
    end
  end
  limit.surplus = limit.surplus or limit.recounted
  shares.loaded[name], shares.busy[name] = limit, true
  shares.order[#shares.order + 1] = limit
  return limit
end

-- The limit of this name, as this call sees it.
function shares.of(name, rules)
  local limit = shares.loaded[name] or load(name)
  if rules and limit.rules ~= rules then
    limit.rules, limit.bounds = rules, rules == shares.BOUND or rules == BOTH
    limit.rates = rules == RATE or rules == BOTH
  end
  return limit
end

function shares.room(limit)
  local room = limit.bounds and limit.allowed - limit.using or bounds.ITEMS_MAX
  return limit.rates and limit.starts < room and limit.starts or room
end

-- What limits a key of a group.
function shares.rules_of(group, key)
  if not group.special then
    return group.keys
  end
  local known = group.known[key]
  if not known then
    known = offer_forms.rules_of(group.special, key) or group.keys
    group.known[key] = known
  end
  return known
end

return shares
