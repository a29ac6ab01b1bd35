-- Module limits/demand: what a turn writes of limits at its end, and what it reports of them, to be shared with other partitions
-- (limit/share): what nothing uses, and what something waits for.
-- @use limits/admission
-- @use keys
-- @use lists
-- @use record
-- @use limits/shares
-- @use limits/usage
-- @use records/limit_name
-- @use records/limit_share
-- @use records/wheel_entry
local demand = {}
local int = record.int

demand.REPORTS_MOST = 64 -- of one turn, besides limits of what it claimed and of what ended
local WANTED_MOST = 1000
-- What is asked for doubles with what is used, from here on: nobody holds what others could run. Keys have less each than their group.
local WANTED_FIRST, WANTED_FIRST_OF_KEY = 128, 16
-- Redis keeps a hash of a hundred short texts as a list, where finding a field takes ten times as long; not so beside one long text.
local SPREAD, SPREAD_MANY, SPREAD_FEW = '#', 24, 8
local SPREAD_TEXT = string.rep('with a long text a hash is spread ', 2)
local limited, awaited, unanswered, asked

function demand.begin()
  limited, awaited, unanswered, asked = 0, false, {}, nil
end

-- When limits that something waits for were last reported.
function demand.asked_at(name)
  if not asked then
    asked = {}
    local fields = redis.call('HGETALL', keys.limit_waiting)
    for i = 1, #fields, 2 do
      asked[fields[i]] = tonumber(fields[i + 1])
    end
  end
  return asked[name]
end

-- Something waits for a limit, here or in a queue of a key that is at its limit.
function demand.hold_back()
  limited = 1
end

-- A limit that nothing was known of is asked for: should the answer be lost, what stands behind waits for nothing.
function demand.await()
  awaited = true
end

-- 1 when something waits for a limit, 2 when one was asked for that nothing was known of.
function demand.limited()
  return awaited and 2 or limited
end

-- True when something of the group waits for a limit that was not asked for before.
function demand.is_unanswered(group)
  return unanswered[group]
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
  local last = limit.wanted and shares.room(limit) <= 0 and (demand.asked_at(limit.name) or 0)
  return last and (limit.fresh or last == 0 or now - last >= shares.REPORT_MS or now < last)
end

local function first_wanted(limit)
  return limit_name.is_of_key(limit.name) and WANTED_FIRST_OF_KEY or WANTED_FIRST
end

-- Gives back what nothing uses. What is used goes on.
local function report(limit, now)
  local unspent = limit.unspent or limit.starts
  limit.report = math.max((limit.report or 0) + 1, now, shares.valid_from) -- what it brings is granted under the rules as they are
  local used = limit.aged and limit.bounds and limit.mode == limit_share.USED
  local keeps = used and math.max(first_wanted(limit), 2 * limit.taken) or 0
  limit.allowed, limit.starts = math.min(limit.allowed, limit.using + keeps), 0 -- until it is answered
  limit.mode = used and limit_share.GRANTED or limit.said.report and limit.mode or limit_share.NEW
  limit.unspent = unspent
end

-- Notes whether something waits for a limit.
local function note_wanted(limit, now, reported, changes)
  if not limit.wanted then
    if demand.asked_at(limit.name) then
      changes.goes_on[#changes.goes_on + 1] = limit.name
    end
    return
  end
  limited = 1
  if reported then
    if not demand.asked_at(limit.name) and limit.taken == 0 then
      unanswered[limit_name.group_of(limit.name)] = true
    end
    local stopped = changes.stopped
    stopped[#stopped + 1], stopped[#stopped + 2] = limit.name, int(now)
  end
end

-- Notes whether others wait for a limit.
local function note_contended(limit, mode, changes)
  local was = limit.said.report and limit.said.mode == limit_share.CONTENDED
  if mode == limit_share.CONTENDED and not was then
    changes.contended[#changes.contended + 1], changes.contended[#changes.contended + 2] = limit.name, '1'
  elseif mode ~= limit_share.CONTENDED and was then
    changes.alone[#changes.alone + 1] = limit.name
  end
end

-- Collects what is to be written of one limit.
local function note_share(limit, now, changes)
  if limit.bounds and not limit.rates then
    limit.starts = 0 -- of a bound alone what may run is all that counts
  end
  local empty = limit.using == 0 and not limit.wanted and limit.allowed == 0 and limit.starts == 0
  -- The numbers of reports only grow: one that is ahead of the clock is remembered until the clock has passed it.
  local ahead = limit.report and limit.report > now
  if empty and not ahead then
    changes.gone[#changes.gone + 1] = limit.name
    note_contended(limit, nil, changes)
  elseif limit.report then
    local share = limit_share.text(limit.using, limit_share.said(limit.allowed, limit.starts, limit.report, limit.mode))
    if share ~= limit.share then
      local written = changes.shares
      written[#written + 1], written[#written + 2] = limit.name, share
      if limit.mode ~= limit.said.mode or not limit.said.report then
        note_contended(limit, limit.mode, changes)
      end
    end
    changes.spare = changes.spare or empty or limit.allowed > limit.using or limit.starts > 0
  end
end

-- Adds one limit to what is reported. How much of a key waits is not counted: what is known of is a part of it.
local function tell(told, limit, waiting_of_group)
  local waiting = limit.waiting or (limit.wanted and waiting_of_group(limit.name)) or 0
  local wanted = math.min(waiting, WANTED_MOST, math.max(first_wanted(limit), 2 * limit.taken, limit.using))
  if waiting > 0 and limit.bounds and not limit.rates and limit_name.is_of_key(limit.name) then
    wanted = math.max(wanted, WANTED_FIRST_OF_KEY)
  end
  told[#told + 1] = { 'limit', limit.name, 'report', int(limit.report), 'holds', int(limit.allowed), 'unspent', int(limit.unspent),
    'wanted', int(wanted), 'waiting', int(waiting) }
end

-- Collects what is to be written of the limits that are counted by name.
local function note_counted(asked_for, changes)
  local said_of, written_of, changed, spare = admission.said, admission.written, changes.shares, changes.spare
  for name, using in pairs(admission.using) do
    local what = said_of[name]
    local text = (using ~= written_of[name] or what.mode == limit_share.GRANTED) and admission.share_of(name)
    if text then
      changed[#changed + 1], changed[#changed + 2] = name, text
    end
    if using < what.allowed then
      spare = true
    end
    if asked_for and demand.asked_at(name) then
      changes.goes_on[#changes.goes_on + 1] = name
    end
  end
  changes.spare = spare
end

-- Has the shares kept as suits their number.
local function spread(changes)
  if shares.is_partial or not shares.count then
    return -- many, or none was looked at
  end
  local is_spread, left = shares.all[SPREAD] ~= nil, shares.count - #changes.gone
  if not is_spread and #changes.shares >= 2 * SPREAD_MANY then
    changes.shares[#changes.shares + 1], changes.shares[#changes.shares + 2] = SPREAD, SPREAD_TEXT
  elseif is_spread and left <= SPREAD_FEW and #changes.shares <= 2 * SPREAD_FEW then
    changes.gone[#changes.gone + 1] = SPREAD
  end
end

local function load_all(names)
  for name in pairs(names) do
    admission.limit_of(name)
  end
end

-- Writes what changed, and answers with what has to be reported.
function demand.flush(now, waiting_of_group)
  load_all(shares.granted)
  load_all(shares.recalled)
  local counted = admission.using
  for name in pairs(shares.left) do
    if not counted[name] and not admission.count_by_name(name) then
      admission.limit_of(name)
    end
  end
  local told, changes = {}, { shares = {}, stopped = {}, gone = {}, goes_on = {}, contended = {}, alone = {}, spare = false }
  local asked_for = redis.call('EXISTS', keys.limit_waiting) == 1
  for _, limit in ipairs(shares.order) do
    local wanted = limit.wanted
    local reported = has_to_be_told(limit, now)
    if reported then
      report(limit, now)
    end
    if wanted or asked_for then
      note_wanted(limit, now, reported, changes)
    end
    note_share(limit, now, changes)
    if reported then
      tell(told, limit, waiting_of_group)
    end
  end
  note_counted(asked_for, changes)
  if shares.left_read > 0 then
    redis.call('LTRIM', keys.limit_released, shares.left_read, -1)
  end
  spread(changes)
  lists.write_many('HSET', keys.limit_shares, changes.shares)
  lists.write_many('HDEL', keys.limit_shares, changes.gone)
  lists.write_many('HSET', keys.limit_waiting, changes.stopped)
  lists.write_many('HDEL', keys.limit_waiting, changes.goes_on)
  lists.write_many('HSET', keys.limit_contended, changes.contended)
  lists.write_many('HDEL', keys.limit_contended, changes.alone)
  if changes.spare then
    usage.look_later(now)
  end
  if shares.more_left then -- also a turn that is told of no limits goes on with it
    redis.call('ZADD', keys.wheel, 'LT', int(now), wheel_entry.limits('0'))
  end
  return told
end

return demand
