-- Module contexts/ended_pages: pages of contexts that have ended, the newest end first, for context/list, and since when a place has all of
-- them. Each function takes a position of an earlier page, empty for the first one, and answers with the next one, nil at the end.
-- @use args
-- @use bounds
-- @use contexts/filters
-- @use contexts/pages
-- @use keys
-- @use reading
-- @use record
-- @use args/forms
-- @use records/dead_record
-- @use records/settled_record
local ended_pages = {}
local int = record.int

local ENTRIES_MAX = 16 -- of the events, in one command
local GREAT = 4096 -- bytes of an entry, of which few are read at once
local RUNS_STEP = 1000 -- runs of a job, in one command
local SLACK_MS = 1000 -- between the end that a record says and the entry that it is in
local RUNS_LIMIT = 100 -- of a job that does not say

local function see_settled(line, point)
  pages.see(#line)
  local fits, id, group, handler = filters.take_settled(line)
  if fits == nil then
    pages.add_unreadable(point)
  elseif fits and filters.take_names(group, handler) then
    pages.add(point, 'settled', id, line)
  end
end

-- A job's runs; a position is `<ended ms>:<n>`, behind the n-th record of that end.
function ended_pages.runs(position)
  local before, skip = forms.split_position(position)
  if position ~= '' and not before then
    args.bad('position', 'must be of an earlier page', position)
  end
  before, skip = tonumber(before) or math.huge, tonumber(skip) or 0
  local runs, seen = keys.runs(filters.job), 0
  local at, n = before, skip
  local is_behind = position == '' -- whether the last one that was passed is of an earlier page, or there is none
  for last = reading.call(0, 'LLEN', runs) - 1, 0, -RUNS_STEP do
    local lines = redis.call('LRANGE', runs, math.max(last - RUNS_STEP + 1, 0), last)
    pages.pass(#lines)
    for i = #lines, 1, -1 do
      local ended = settled_record.ended_of(lines[i])
      seen = ended == before and seen + 1 or seen
      if not ended or ended > bounds.INSTANT_MAX then
        if is_behind then
          reading.skip()
        end
      elseif ended < before or (ended == before and seen > skip) then
        n = (ended == at and n or 0) + 1
        at = ended
        local point = int(at) .. ':' .. int(n)
        see_settled(lines[i], point)
        if pages.is_full() then
          return point
        end
      end
      is_behind = is_behind or ended and (ended < before or (ended == before and seen >= skip))
    end
  end
  return nil
end

-- The records of events from `from` on, but for the first `skip` of the entry `begun`; a position is `<entry>:<n>`.
local function of_events(from, begun, skip)
  local oldest = filters.ended_from and int(math.max(filters.ended_from - SLACK_MS, 0)) or '-'
  local count = 1
  while true do
    local entries = reading.call({}, 'XREVRANGE', keys.events, from, oldest, 'COUNT', int(count))
    local bytes = 0
    for _, entry in ipairs(entries) do
      local n = 0
      bytes = math.max(bytes, #entry[2][2])
      pages.pass(1)
      for line in settled_record.each(entry[2][2]) do
        n = n + 1
        if entry[1] ~= begun or n > skip then
          local point = entry[1] .. ':' .. int(n)
          see_settled(line, point)
          if pages.is_full() then
            return point
          end
        end
      end
    end
    if #entries < count then
      return nil
    end
    from = '(' .. entries[#entries][1]
    count = bytes > GREAT and 1 or math.min(2 * count, ENTRIES_MAX)
  end
end

local function see_dead(member, point)
  pages.see(#member)
  -- It begins with its settled record: none is cut out of what may not be chosen.
  local fits, id, group, handler = filters.take_settled(member)
  if fits == false then
    return
  end
  local of_rest, handler_of_rest = dead_record.names_of(member)
  if fits == nil or not (of_rest or dead_record.has_no_rest(member)) then
    pages.add_unreadable(point)
  elseif filters.take_names(of_rest or group, handler_of_rest or handler) then
    pages.add(point, 'dead', id, pages.heads and dead_record.split_body(member) or member)
  end
end

-- The dead; a position is `<ended ms>:<n>`.
function ended_pages.dead(position)
  local last = filters.ended_from and int(filters.ended_from) or '-inf'
  return pages.of_zset(keys.dead, position, '+inf', last, 'REV', function(member, _, point)
    see_dead(member, point)
  end)
end

local function oldest_entry()
  return reading.call({}, 'XRANGE', keys.events, '-', '+', 'COUNT', 1)[1]
end

-- When the first of an entry ended, as its record says: the entry itself may be a little younger.
local function first_end(entry)
  local of_entry = tonumber(forms.ms_of_entry(entry[1])) or math.huge
  return math.min(settled_record.ended_of(entry[2][2]) or of_entry, of_entry)
end

-- Where the dead go on that are older than every event: the lowest of what the position says and the oldest entry.
local function older_point(position, bound, mark)
  if forms.split_score_position(position) then
    return position
  end
  local entry = oldest_entry()
  local oldest = entry and first_end(entry) or math.huge
  local from = tonumber(bound or forms.ms_of_entry(position)) or math.huge
  if from < oldest then
    return (mark or '<') .. int(from)
  end
  return oldest < math.huge and '<' .. int(oldest) or ''
end

-- What the events have, and behind them the dead that are older than all of these, of which only the end is told.
function ended_pages.ends(position)
  local entry, skip = forms.split_entry_position(position)
  local mark, bound = forms.split_bound(position)
  local is_dead = forms.split_score_position(position) ~= nil
  if position ~= '' and not entry and not bound and not is_dead then
    args.bad('position', 'must be of an earlier page', position)
  end
  -- What no script writes as a time is no time of an entry.
  bound = bound and math.min(math.max(math.floor(tonumber(bound)), -1), bounds.INSTANT_MAX)
  local from = entry or bound and int(bound - (mark == '<' and 1 or 0)) or '+'
  if not is_dead and not (bound and tonumber(from) < 0) then
    local next = of_events(from, entry, tonumber(skip) or 0)
    if next then
      return next
    end
  end
  if not (filters.take_state('failed') or filters.take_state('timed_out') or filters.take_state('expired')) then
    return nil
  end
  local last, first = filters.ended_from and int(filters.ended_from) or '0', int(bounds.INSTANT_MAX)
  return pages.of_zset(keys.dead, older_point(position, bound, mark), first, last, 'REV', function(member, _, point)
    see_settled(dead_record.settled_of(member), point)
  end)
end

-- What a stream says of itself.
local function entries_added()
  local told = redis.call('XINFO', 'STREAM', keys.events)
  for i = 1, #told, 2 do
    if told[i] == 'entries-added' then
      return told[i + 1]
    end
  end
  return 0
end

local function ended_of(line)
  return settled_record.ended_of(line) or 0
end

local SINCE = {}

-- Ends are written in their order: what was trimmed ended no later than the first record that is left.
function SINCE.ends()
  local length = reading.call(0, 'XLEN', keys.events)
  local entry = length > 0 and oldest_entry()
  if not entry or entries_added() <= length then
    return 0
  end
  return ended_of(entry[2][2]) + 1
end

function SINCE.dead()
  local dropped = tonumber(reading.call(false, 'HGET', keys.stats, 'dead_dropped') or 0) or 0
  if dropped == 0 then
    return 0
  end
  local oldest = reading.call({}, 'ZRANGE', keys.dead, 0, 0)[1]
  return (oldest and ended_of(oldest) or tonumber(redis.call('TIME')[1]) * 1000) + 1
end

function SINCE.runs()
  local runs = keys.runs(filters.job)
  local limit = tonumber(reading.call(false, 'HGET', keys.job(filters.job), 'runs_limit') or RUNS_LIMIT) or RUNS_LIMIT
  if reading.call(0, 'LLEN', runs) < limit then
    return 0
  end
  return ended_of(redis.call('LINDEX', runs, 0) or '') + 1
end

-- Since when everything that ended is in a place, ms; 0 when nothing was let go.
function ended_pages.complete_since(place)
  return SINCE[place]()
end

return ended_pages
