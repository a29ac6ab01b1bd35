-- Module claims/routing: which of the workers that a placement is offered takes a context. A placement's offer is a list of its workers
-- like any other; it is made when something of the placement is met, as most placements have nothing due. What a policy counts lies in
-- route:<placement>, a hash: worker -> `<score>:<step of the last pick>`.
-- @use args
-- @use claims/claiming
-- @use claims/policies
-- @use keys
-- @use contexts/ready
-- @use records/context_options
-- @use records/queue_name
-- @use records/route_entry
-- @use args/offer_forms
local routing = {}

-- A placement, or a worker of one, that cannot be read is left out and counted (`unread`): others have to go on.

function routing.begin()
  routing.placements, routing.used, routing.unread, routing.workers = {}, {}, 0, nil
end

-- Placements stand behind the workers in ARGV, or not at all: a random number, how many, then three values each: queue, mode, workers.
function routing.read_placements(offers, first, workers, last)
  if last > first then
    routing.open_placements(offers, first, workers, last)
  end
end

-- Writes what the placements counted in this turn.
function routing.flush_routes()
  if next(routing.used) then
    routing.write_counts()
  end
end

local OFFERED_PLACEMENTS_MAX = 256
local ROUTE_KEPT = 256 -- workers of a placement that are remembered; beyond it those that are not offered are forgotten
local CATCH_UP = 100 -- a worker that was away is behind by at most so many picks when it is back
local NUMBER_MAX = 1e15 -- of a score and a step; beyond it sums are not exact
local KEEPS = { count = true, use = true, recent = true }

-- The scores that the placement has kept. Who is new, even one that is full now, is known from here on: what it misses it catches up.
local function recall(offer)
  local ids = {}
  for i, entry in ipairs(offer.entries) do
    ids[i] = entry.worker.id
  end
  local kept = redis.call('HMGET', keys.route(offer.placement), unpack(ids))
  local least, most
  for i, entry in ipairs(offer.entries) do
    entry.score = kept[i] and route_entry.score_of(kept[i]) or nil
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

-- The entries that may be chosen, when the first context of the placement is met.
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

local function pick_of_placement(offer, options)
  local worker = offer.choose(offer, offer.route or open_route(offer), context_options.value(options, 'a'), options)
  if worker and offer.requires then
    take_units(offer, worker)
  end
  if worker and KEEPS[offer.mode] then
    routing.used[offer.placement] = offer
  end
  if worker and not offer.noted then
    offer.noted = true
    ready.use_placement('c=' .. offer.placement)
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

-- The offer of what one worker alone may run; it takes of its resources what others in the placement of `offer` take.
function routing.only(offer, worker)
  return { worker, at = 0, free = worker.free, requires = offer.requires, pick = pick_only }
end

-- The offer of a placement, from its text: `<number of the worker>:<score>:<step>` separated by commas.
local function open_placement(offers, queue)
  local base = routing.placements[queue]
  if not base then
    return claiming.find_offer(offers, queue)
  end
  local mode, requires = offer_forms.split_mode(ARGV[base])
  local offer = { at = 0, free = 0, mode = mode, placement = queue_name.placement_of(queue), entries = {},
    requires = requires ~= '' and policies.amounts_of(requires) or nil, choose = policies.CHOOSE[mode], pick = pick_of_placement }
  for text in offer_forms.each_name(ARGV[base + 1]) do
    local number, score, step = offer_forms.split_worker(text)
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

function routing.open_placements(offers, first, workers, last)
  policies.seed(args.int(first + 1, 'random', 1, 2147483646))
  routing.workers = workers
  local count = args.int(first + 2, 'placements', 0, OFFERED_PLACEMENTS_MAX)
  if last ~= first + 2 + 3 * count then
    args.bad('placements', 'must be three values each', last - first - 2)
  end
  for i = 0, count - 1 do
    local base = first + 3 * i
    local mode, requires = offer_forms.split_mode(ARGV[base + 4])
    local usable = policies.CHOOSE[mode] and (requires == '' or next(policies.amounts_of(requires)))
    if usable and queue_name.is_placed_base(ARGV[base + 3]) then
      routing.placements[ARGV[base + 3]] = base + 4
    else
      routing.unread = routing.unread + 1
    end
  end
  setmetatable(offers, { __index = open_placement })
end

function routing.write_counts()
  for placement, offer in pairs(routing.used) do
    local written, route = {}, keys.route(placement)
    for _, entry in ipairs(offer.entries) do
      if entry.changed then
        written[#written + 1] = entry.worker.id
        written[#written + 1] = route_entry.text(entry.score, offer.mode == 'recent' and 0 or entry.step)
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
