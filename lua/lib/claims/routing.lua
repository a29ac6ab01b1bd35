-- Module claims/routing: which of the workers that a lane is offered takes a context. A lane's offer is a list of its workers like any
-- other; it is made when something of the lane is met, as most lanes have nothing due. What a policy counts lies in route:<lane>, a hash:
-- worker -> `<score>:<step of the last pick>`.
-- @use args
-- @use claims/claiming
-- @use claims/policies
-- @use keys
-- @use contexts/ready
-- @use record
local routing = {}
local int = record.int

-- A lane, or a worker of one, that cannot be read is left out and counted (`unread`): others have to go on.

function routing.begin()
  routing.lanes, routing.used, routing.unread, routing.workers = {}, {}, 0, nil
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
local NUMBER_MAX = 1e15 -- of a score and a step; beyond it sums are not exact
local KEEPS = { count = true, use = true, recent = true }

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
    if entry.worker.soon or offer.mode == 'first' or policies.can_take(offer, entry.worker) then
      entries[#entries + 1] = entry
    end
  end
  offer.route = entries
  if #entries > 0 and KEEPS[offer.mode] then
    recall(offer)
  end
  policies.heap(entries)
  return entries
end

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
  if worker and KEEPS[offer.mode] then
    routing.used[offer.lane] = offer
  end
  if worker and not offer.noted then
    offer.noted = true
    ready.use_lane('c=' .. offer.lane)
  end
  return worker
end

local function pick_only(offer)
  local worker = offer[1]
  if not policies.can_take(offer, worker) then
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
    return claiming.find_offer(offers, queue)
  end
  local mode, requires = string.match(ARGV[base], '^(%l+) ?(.*)$')
  local offer = { at = 0, free = 0, mode = mode, lane = string.match(queue, ' c=(%x+)'), entries = {},
    requires = requires ~= '' and policies.amounts_of(requires) or nil, choose = policies.CHOOSE[mode], pick = pick_of_lane }
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
    offer.at = policies.draw(#offer)
  end
  offers[queue] = offer
  return offer
end

function routing.open_lanes(offers, first, workers, last)
  policies.seed(args.int(first + 1, 'random', 1, 2147483646))
  routing.workers = workers
  local count = args.int(first + 2, 'lanes', 0, OFFERED_LANES_MAX)
  if last ~= first + 2 + 3 * count then
    args.bad('lanes', 'must be three values each', last - first - 2)
  end
  for i = 0, count - 1 do
    local base = first + 3 * i
    local mode, requires = string.match(ARGV[base + 4], '^(%l+) ?([%l%d_.=,-]*)$')
    local usable = policies.CHOOSE[mode] and (requires == '' or next(policies.amounts_of(requires)))
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
