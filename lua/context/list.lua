#!lua flags=no-writes
--[[
Script   context/list
Purpose  Read one page of the contexts in one place of a partition. Pages follow the order of the place: what moves between two calls
         may be missed or come twice, what stays is seen once.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :retry :backlog :events :dead :jobs :fans :ready: :queue: :active: :runs: :fan: :parts:
ARGV     1 place    held, wheel, retry, ready, queue, fans, active, runs, events or dead
         2 position where an earlier page ended, or empty
         3 limit    contexts looked at, integer, 1..100
         4 job      only its contexts; empty: all. Needed for active and runs
         5 group    only contexts for it; empty: all
         6 state    only settled ones that ended so; empty: all

Reply    { 'PAGE', position | '', unreadable, { place, id, text, extra }... }  an empty position: there is no more
           unreadable  records that were passed by because they do not follow their grammar, and keys of a wrong type
           place  held, wheel, retry, ready, queue, fanned: text is the held value or member, extra the score of wheel and retry
                  settled: text is the settled record
                  dead: text is the member of the dead
Raises   BAD_ARG    an argument is out of range

Cost     O(limit * log(wheel)); at most 60 + limit * (60 + 170 * ready sets) commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use contexts/ended_pages
-- @use contexts/locating
-- @use reading
-- @use ready_sets
-- @use record
-- @use zsets
local int = record.int
local LIMIT_MAX = 100
local SCAN_COUNT = 100 -- the same in every call, so that a position inside a scan step keeps its meaning
local QUEUES_STEP = 100 -- jobs without a queue that one call passes by

local place = args.text(1, 'place', 16)
local position = ARGV[2]
local limit = args.int(3, 'limit', 1, LIMIT_MAX)
local only_job, only_group, only_state = ARGV[4], ARGV[5], ARGV[6]
local items = {}

local function add(item_place, id, text, extra, rest)
  if only_job ~= '' and record.job_of(id) ~= only_job then
    return
  end
  if only_group ~= '' and rest and string.match(rest, '^%S+') ~= only_group then
    return
  end
  items[#items + 1] = { item_place, id, text, extra or '' }
end

local function add_member(item_place, member, score)
  local id, _, _, rest = record.split_member(member)
  if not id then
    return reading.skip()
  end
  add(item_place, id, member, score, rest)
end

local function add_held(id, value)
  local rest = record.split_held(value).rest
  if not rest then
    return reading.skip()
  end
  add('held', id, value, '', rest)
end

local function add_settled(line)
  local id, state, group = string.match(line, '^([^\t]*)\t([^\t]*)\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t([^\t]*)')
  if not id then
    return reading.skip()
  end
  if only_group ~= '' and group ~= only_group then
    return
  end
  if only_state == '' or state == only_state then
    add('settled', id, line)
  end
end

-- A page of a sorted set from a position on. Calls visit(member, score).
local function page_of_zset(zset, from, visit)
  local score, skip = reading.position(from, '-inf')
  local found = reading.call({}, 'ZRANGE', zset, score, '+inf', 'BYSCORE', 'LIMIT', skip, limit, 'WITHSCORES')
  for i = 1, #found, 2 do
    if found[i + 1] ~= score then
      score, skip = found[i + 1], 0
    end
    skip = skip + 1
    visit(found[i], found[i + 1])
  end
  return #found == 2 * limit and score .. ':' .. int(skip) or ''
end

-- A page of a hash from `<scan cursor>:<n>` on. Calls visit(field, value).
local function page_of_hash(hash, visit)
  local cursor, skip = string.match(position, '^(%d+):(%d+)$')
  cursor, skip = cursor or '0', tonumber(skip) or 0
  local scanned = reading.call({ '0', {} }, 'HSCAN', hash, cursor, 'COUNT', SCAN_COUNT)
  local pairs_found = scanned[2]
  local last = math.min(skip + limit, #pairs_found / 2)
  for i = skip + 1, last do
    visit(pairs_found[2 * i - 1], pairs_found[2 * i])
  end
  if last < #pairs_found / 2 then
    return cursor .. ':' .. int(last)
  end
  return scanned[1] ~= '0' and scanned[1] .. ':0' or ''
end

local function of_held()
  return page_of_hash(keys.held, add_held)
end

local function of_wheel()
  return page_of_zset(KEYS[1], position, function(member, score)
    if string.find(member, '^%d') then
      local _, attempt = record.split_member(member)
      add_member((attempt or 0) > 0 and 'retry' or 'wheel', member, score)
    end
  end)
end

local function of_retry()
  return page_of_hash(keys.retry, function(id, score)
    local at = tonumber(score)
    local member = at and zsets.find(KEYS[1], at, id .. ' ')
    if not at or not record.due_of(id) then
      reading.skip()
    elseif member then
      add_member('retry', member, score)
    end
  end)
end

-- The ready sets in the order of their names; a position is `<queue> <position in the set>`.
local function of_ready()
  local current, inside = string.match(position, '^(.+) (%S*)$')
  local following = nil
  for _, queue in ipairs(reading.call({}, 'ZRANGE', keys.backlog, 0, -1)) do
    local is_one = string.find(queue, '^%S+ %S') and not string.find(queue, '[^ -~]')
    if not is_one and position == '' then
      reading.skip()
    end
    local later = is_one and ready_sets.key_of(queue) and (not current or zsets.bytes_before(current, queue))
    if later and (not following or zsets.bytes_before(queue, following)) then
      following = queue
    end
  end
  local next = ''
  if current then
    next = page_of_zset(ready_sets.key_of(current), inside, function(member)
      add_member('ready', member)
    end)
  end
  if next ~= '' then
    return current .. ' ' .. next
  end
  return following and following .. ' ' or ''
end

-- The overlap queues in the order of their jobs; a position is `<job> <position in its queue>`.
local function of_queue()
  local current, inside = string.match(position, '^(%S+) (.*)$')
  if only_job ~= '' then
    current = only_job
  end
  if current then
    local next = page_of_zset(keys.queue(current), inside or '', function(member)
      add_member('queue', member)
    end)
    if next ~= '' or only_job ~= '' then
      return next ~= '' and current .. ' ' .. next or ''
    end
  end
  local jobs = reading.call({}, 'ZRANGE', keys.jobs, current and '(' .. current or '-', '+', 'BYLEX', 'LIMIT', 0, QUEUES_STEP)
  for i, job in ipairs(jobs) do
    if i == QUEUES_STEP or redis.call('EXISTS', keys.queue(job)) == 1 then
      return job .. ' '
    end
  end
  return ''
end

local function of_active()
  return page_of_hash(keys.active(only_job), function(id)
    if not record.due_of(id) then
      return reading.skip()
    end
    local found, zset, text = locating.find(id)
    if found == 'held' then
      add_held(id, text)
    elseif found then
      add_member(found, text, (found == 'wheel' or found == 'retry') and redis.call('ZSCORE', zset, text) or '')
    end
  end)
end

-- Split contexts whose own attempt is over: they wait for their subtasks.
local function of_fans()
  return page_of_hash(keys.fans, function(id)
    local root = reading.call(false, 'HGET', keys.fan(id), 'root')
    if root then
      add_member('fanned', id .. ' ' .. root)
    end
  end)
end

local page = { position = position, limit = limit, job = only_job, state = only_state, settled = add_settled,
  dead = function(id, member, rest)
    add('dead', id, member, '', rest)
  end }

local function ended(name)
  return function()
    return ended_pages[name](page)
  end
end

local PLACES = { held = of_held, wheel = of_wheel, retry = of_retry, ready = of_ready, queue = of_queue, fans = of_fans, active = of_active,
  runs = ended('runs'), events = ended('events'), dead = ended('dead') }
if not PLACES[place] then
  args.bad('place', 'must be held, wheel, retry, ready, queue, fans, active, runs, events or dead', place)
end
if only_job == '' and (place == 'active' or place == 'runs') then
  args.bad('job', 'must be given for ' .. place, only_job)
end
local next = PLACES[place]()
return { 'PAGE', next, reading.unreadable, unpack(items) }
