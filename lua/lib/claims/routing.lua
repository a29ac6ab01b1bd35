-- Module claims/routing: which of the workers that a lane is offered takes a context. A lane's offer is a list of its workers like any
-- other; it is made when something of the lane is met, as most lanes have nothing due. What a policy counts lies in route:<lane>, a hash:
-- worker -> `<score>:<step of the last pick>`.
-- @use args
-- @use keys
-- @use contexts/ready
-- @use record
local routing = {}
local int = record.int

-- A lane, or a worker of one, that cannot be read is left out and counted (`unread`): others have to go on.

function routing.begin()
  routing.lanes, routing.used, routing.random, routing.unread, routing.workers = {}, {}, 1, 0, nil
end

-- Lanes stand behind the workers in ARGV, or not at all: a random number, how many, then three values each: queue, mode, workers.
function routing.read_lanes(offers, first, workers, last)
  if last > first then
    routing.open_lanes(offers, first, workers, last)
  end
end

-- Writes what the lanes counted in this turn.
function routing.flush_routes()
  if next(routing.used) then
    routing.write_counts()
  end
end

local OFFERED_LANES_MAX = 256
local ROUTE_KEPT = 256 -- workers of a lane that are remembered; beyond it those that are not offered are forgotten
local CATCH_UP = 100 -- a worker that was away is behind by at most so many picks when it is back
local HASH_PRIME = 67108859
local NUMBER_MAX = 1e15 -- of a score and a step; beyond it sums are not exact
local KEEPS = { count = true, use = true, recent = true }

-- A number from 0 to below `count`: the same ones for the same seed.
local function draw(count)
  routing.random = routing.random * 16807 % 2147483647
  return routing.random % count
end

-- Amounts by name, of `name=amount,...`.
local function amounts_of(text)
  local amounts = {}
  for name, amount in string.gmatch(text, '([^=,]+)=(%d+)') do
    amounts[name] = tonumber(amount)
  end
  return amounts
end

-- True when the worker has a permit, and of its resources what a context of the lane takes.
local function can_take(offer, worker)
  if worker.free <= 0 or not offer.requires then
    return worker.free > 0
  end
  if type(worker.units) == 'string' then
    worker.units = amounts_of(worker.units)
  end
  for name, amount in pairs(offer.requires) do
    if (worker.units[name] or 0) < amount then
      return false
    end
  end
  return true
end

local function before(left, right)
  return left.score < right.score or (left.score == right.score and left.place < right.place)
end

-- Puts the entry at `at` of a heap where it belongs below. This runs for each pick, so it calls nothing.
local function sift_down(entries, at)
  local entry, count = entries[at], #entries
  while true do
    local child = 2 * at
    local least = entries[child]
    if not least then
      break
    end
    local right = child < count and entries[child + 1]
    if right and (right.score < least.score or (right.score == least.score and right.place < least.place)) then
      child, least = child + 1, right
    end
    if entry.score < least.score or (entry.score == least.score and entry.place < least.place) then
      break
    end
    entries[at] = least
    at = child
  end
  entries[at] = entry
end

-- The scores that the lane has kept. Who is new, even one that is full now, is known from here on: what it misses it catches up.
local function recall(offer)
  local ids = {}
  for i, entry in ipairs(offer.entries) do
    ids[i] = entry.worker.id
  end
  local kept = redis.call('HMGET', keys.route(offer.lane), unpack(ids))
  local least, most
  for i, entry in ipairs(offer.entries) do
    entry.score = kept[i] and tonumber(string.match(kept[i], '^([%d.]+):')) or nil
    if entry.score then
      least, most = math.min(least or entry.score, entry.score), math.max(most or entry.score, entry.score)
    end
  end
  least, most = least or 0, most or 0
  offer.last = most
  for _, entry in ipairs(offer.entries) do
    entry.changed = not entry.score
    entry.score = entry.score or (offer.mode == 'count' and least or 0)
    if offer.mode == 'count' then
      entry.score = math.max(entry.score, most - CATCH_UP)
    end
  end
end

-- The entries that may be chosen, when the first context of the lane is met.
local function open_route(offer)
  local entries = {}
  for _, entry in ipairs(offer.entries) do
    if entry.worker.soon or offer.mode == 'first' or can_take(offer, entry.worker) then
      entries[#entries + 1] = entry
    end
  end
  offer.route = entries
  if #entries > 0 and KEEPS[offer.mode] then
    recall(offer)
  end
  for at = math.floor(#entries / 2), 1, -1 do
    sift_down(entries, at)
  end
  return entries
end

-- Counts a pick of the entry at `at`.
local function picked(offer, entries, at)
  local entry = entries[at]
  if offer.mode == 'recent' then
    offer.last = offer.last + 1
    entry.score = offer.last
  else
    entry.score = entry.score + entry.step
  end
  if KEEPS[offer.mode] then
    entry.changed = true
    routing.used[offer.lane] = offer
  end
  sift_down(entries, at)
  return entry.worker
end

-- The least score. Whoever has no permit left is out, unless it is free again soon: then it is waited for.
local function pick_least(offer, entries, avoid)
  while entries[1] and not can_take(offer, entries[1].worker) do
    if entries[1].worker.soon then
      return nil
    end
    entries[1] = entries[#entries]
    entries[#entries] = nil
    sift_down(entries, 1)
  end
  if not entries[1] then
    return nil
  end
  local best = 1
  if entries[1].worker.id == avoid then
    for at = 2, #entries do
      if can_take(offer, entries[at].worker) and (best == 1 or before(entries[at], entries[best])) then
        best = at
      end
    end
  end
  return picked(offer, entries, best)
end

-- The first of the list, even if it has to be waited for; behind one that is to be avoided, the next that has a permit.
local function pick_first(offer, entries, avoid)
  local from = 0
  for at, entry in ipairs(entries) do
    if entry.worker.id == avoid then
      from = at
    end
  end
  if from == 0 then
    local worker = entries[1] and entries[1].worker
    return worker and can_take(offer, worker) and worker or nil
  end
  for step = 0, #entries - 1 do
    local worker = entries[(from + step) % #entries + 1].worker
    if can_take(offer, worker) then
      return worker
    end
  end
  return nil
end

local function pick_random(offer, entries, avoid)
  while #entries > 0 do
    local at = draw(#entries) + 1
    if entries[at].worker.id == avoid then
      at = at % #entries + 1
    end
    if can_take(offer, entries[at].worker) then
      return entries[at].worker
    end
    if entries[at].worker.soon then
      return nil
    end
    entries[at] = entries[#entries]
    entries[#entries] = nil
  end
  return nil
end

-- The entry whose two numbers give the greatest value for a key; that of `avoid` only where there is no other.
local function hashed(entries, hash, avoid)
  local best, most = nil, -1
  for at = 1, #entries do
    local entry = entries[at]
    local value = (entry.step * hash + entry.score) % HASH_PRIME
    if value > most and (not avoid or entry.worker.id ~= avoid) then
      best, most = at, value
    end
  end
  return best or entries[1] and 1
end

local function pick_hash(offer, entries, avoid, options)
  local hash = tonumber(record.option(options, 'h') or draw(HASH_PRIME))
  local at = hashed(entries, hash, avoid)
  while at do
    local worker = entries[at].worker
    if can_take(offer, worker) then
      return worker
    end
    if worker.soon then
      return nil
    end
    table.remove(entries, at)
    at = hashed(entries, hash, avoid)
  end
  return nil
end

-- The next one in turn.
local function pick_rotate(offer, entries, avoid)
  local fallback
  for _ = 1, #entries do
    offer.at = offer.at % #entries + 1
    local worker = entries[offer.at].worker
    if can_take(offer, worker) then
      if worker.id ~= avoid then
        return worker
      end
      fallback = worker
    end
  end
  return fallback
end

local MODES = { count = pick_least, use = pick_least, recent = pick_least, least = pick_least, first = pick_first,
  random = pick_random, hash = pick_hash, rotate = pick_rotate }

local function take_units(offer, worker)
  for name, amount in pairs(offer.requires or {}) do
    worker.units[name] = worker.units[name] - amount
  end
end

local function pick_of_lane(offer, options)
  local worker = offer.choose(offer, offer.route or open_route(offer), record.option(options, 'a'), options)
  if worker and offer.requires then
    take_units(offer, worker)
  end
  if worker and not offer.noted then
    offer.noted = true
    ready.use_lane('c=' .. offer.lane)
  end
  return worker
end

local function pick_only(offer)
  local worker = offer[1]
  if not can_take(offer, worker) then
    return nil
  end
  take_units(offer, worker)
  return worker
end

-- The offer of what one worker alone may run; it takes of its resources what others in the lane of `offer` take.
function routing.only(offer, worker)
  return { worker, at = 0, free = worker.free, requires = offer.requires, pick = pick_only }
end

-- The offer of a lane, from its text: `<number of the worker>:<score>:<step>` separated by commas.
local function open_lane(offers, queue)
  local base = routing.lanes[queue]
  if not base then
    return nil
  end
  local mode, requires = string.match(ARGV[base], '^(%l+) ?(.*)$')
  local offer = { at = 0, free = 0, mode = mode, lane = string.match(queue, ' c=(%x+)'), entries = {},
    requires = requires ~= '' and amounts_of(requires) or nil, choose = MODES[mode], pick = pick_of_lane }
  for text in string.gmatch(ARGV[base + 1], '[^,]+') do
    local number, score, step = string.match(text, '^(%d+):(%-?[%d.]+):([%d.]+)$')
    local worker, stands, steps = routing.workers[tonumber(number)], tonumber(score), tonumber(step)
    if worker and not worker.unread and stands and steps and math.abs(stands) < NUMBER_MAX and steps < NUMBER_MAX then
      offer[#offer + 1] = worker
      offer.entries[#offer] = { worker = worker, score = stands, step = steps, place = #offer }
      offer.free = offer.free + worker.free
    else
      routing.unread = routing.unread + 1
    end
  end
  if mode == 'rotate' and #offer > 0 then
    offer.at = draw(#offer)
  end
  offers[queue] = offer
  return offer
end

function routing.open_lanes(offers, first, workers, last)
  routing.random = args.int(first + 1, 'random', 1, 2147483646)
  routing.workers = workers
  local count = args.int(first + 2, 'lanes', 0, OFFERED_LANES_MAX)
  if last ~= first + 2 + 3 * count then
    args.bad('lanes', 'must be three values each', last - first - 2)
  end
  for i = 0, count - 1 do
    local base = first + 3 * i
    local mode, requires = string.match(ARGV[base + 4], '^(%l+) ?([%l%d_.=,-]*)$')
    local usable = MODES[mode] and (requires == '' or next(amounts_of(requires)))
    if usable and string.find(ARGV[base + 3], '^%S+ %S+ c=%x+$') then
      routing.lanes[ARGV[base + 3]] = base + 4
    else
      routing.unread = routing.unread + 1
    end
  end
  setmetatable(offers, { __index = open_lane })
end

local function score_text(score)
  return score == math.floor(score) and int(score) or string.format('%.6f', score)
end

function routing.write_counts()
  for lane, offer in pairs(routing.used) do
    local written, route = {}, keys.route(lane)
    for _, entry in ipairs(offer.entries) do
      if entry.changed then
        written[#written + 1] = entry.worker.id
        written[#written + 1] = score_text(entry.score) .. ':' .. score_text(offer.mode == 'recent' and 0 or entry.step)
      end
    end
    local added = redis.call('HSET', route, unpack(written))
    if added > 0 and redis.call('HLEN', route) > math.max(ROUTE_KEPT, 2 * #offer) then
      local offered, gone = {}, {}
      for _, worker in ipairs(offer) do
        offered[worker.id] = true
      end
      for _, id in ipairs(redis.call('HKEYS', route)) do
        if not offered[id] and #gone < 4000 then
          gone[#gone + 1] = id
        end
      end
      redis.call('HDEL', route, unpack(gone))
    end
  end
end

return routing
