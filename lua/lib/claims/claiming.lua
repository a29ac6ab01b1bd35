-- Module claims/claiming: the permits that workers offer, and the contexts claimed with them. Texts that many claims share are made once:
-- printing a number costs more than everything else that is done for a claim.
-- @use keys
-- @use lists
-- @use records/context_options
-- @use records/held_value
-- @use records/queue_name
-- @use args/offer_forms
local claiming = {}

claiming.TURN_BYTES = 262144 -- of entries taken, and of contexts claimed in one call; a body may have as much

-- The handlers of a worker in ARGV, as those of an earlier one: `=<its number>`.
local function handlers_at(first, at)
  local text = ARGV[first + 4 * at]
  local number = offer_forms.same_as(text)
  return number and ARGV[first + 4 * tonumber(number)] or text
end

-- The workers for a queue of a handler, in the order given; false when there are none. Most handlers have nothing due, so a list is made
-- when something asks for it: a thousand workers with a thousand handlers each cost a turn no more than those that are asked for.
function claiming.find_offer(offers, queue)
  local group, handler = queue_name.split_base(queue)
  local of_group = claiming.offering[group]
  if not of_group then
    offers[queue] = false -- mostly a queue of a placement that nobody fits
    return false
  end
  local offer, lists = { at = 0, free = 0 }, 0
  for text, workers in pairs(of_group) do
    workers.padded = workers.padded or ',' .. text .. ',' -- made once: a text of a thousand names is hashed whole
    if offer_forms.has_name(workers.padded, handler) then
      lists = lists + 1
      for _, worker in ipairs(workers) do
        offer[#offer + 1] = worker
        offer.free = offer.free + worker.free
      end
    end
  end
  if lists > 1 then
    table.sort(offer, function(left, right) return left.number < right.number end)
  end
  offers[queue] = lists > 0 and offer
  return offers[queue]
end

local ON_DEMAND = { __index = claiming.find_offer }

-- What workers offer, by queue; the same worker stands in every list, so its permits are counted once.
-- `count` workers stand in ARGV behind `first`, four values each: id, group, permits, comma-separated handlers. A `+` behind the permits
-- says that another turn has more of them in hand; what is free of the worker's resources may stand behind that, as `name=amount,...`.
-- An offer that cannot be read has no permits: it is what one worker said, and stops nobody else. The third answer counts them.
function claiming.read_offers(first, count)
  local workers, unread = {}, 0
  claiming.offering = {} -- group -> handlers -> workers
  for i = 1, count do
    local base = first + 4 * i - 4
    local permits, soon, units = offer_forms.split_permits(ARGV[base + 3])
    local worker = { id = ARGV[base + 1], free = tonumber(permits), soon = soon == '+', heads = {}, number = i }
    worker.units = units and string.sub(units, 2)
    if not worker.free or worker.free > 1000000 or (units ~= '' and not offer_forms.are_units(units)) then
      worker.free, worker.soon, worker.units, worker.unread = 0, false, '', true
      unread = unread + 1
    end
    workers[i] = worker
    if worker.free > 0 then
      local group, handlers = ARGV[base + 2], handlers_at(first, i)
      local of_group = claiming.offering[group] or {}
      claiming.offering[group] = of_group
      local same = of_group[handlers] or {}
      of_group[handlers] = same
      same[#same + 1] = worker
    end
  end
  return setmetatable({}, ON_DEMAND), workers, unread
end

-- The workers for a queue; with or without keys they are the same. Nil when there are none.
function claiming.offer_for(offers, queue)
  return offers[queue_name.without_keys(queue)]
end

-- The next worker with a free permit, in turn; one that the context should avoid only when there is no other. A placement has its own rule.
function claiming.pick(offer, options)
  if offer.pick then
    return offer.pick(offer, options)
  end
  local first = offer[1]
  if not offer[2] then
    return first.free > 0 and first or nil
  end
  local avoid, fallback = options ~= '-' and context_options.value(options, 'a'), nil
  for _ = 1, #offer do
    offer.at = offer.at % #offer + 1
    local worker = offer[offer.at]
    if worker.free > 0 then
      if worker.id ~= avoid then
        return worker
      end
      fallback = worker
    end
  end
  return fallback
end

function claiming.free_permits(offer)
  local free = 0
  for _, worker in ipairs(offer) do
    free = free + worker.free
  end
  return free
end

function claiming.new(now, lease_ms, limit)
  return {
    now = now, limit = limit, count = 0, bytes = 0, scan_at = now + lease_ms, told = {}, held = {},
    lease = held_value.lease(now, now + lease_ms),
  }
end

function claiming.has_room(claims)
  return claims.count < claims.limit and claims.bytes < claiming.TURN_BYTES
end

-- What a worker's held values of the attempt that follows `counts` begin with, without a deadline.
local function held_head(claims, worker, counts, under)
  local head = held_value.start(counts, worker.id, claims.lease, under)
  local known = worker[under or 'heads'] or {}
  worker[under or 'heads'], known[counts] = known, head
  return head
end

-- The same with the deadline of an attempt that has one.
local function bounded_head(claims, worker, head, timeout)
  local last = worker.bounded -- most that follow each other have the same
  if last and last.head == head and last.timeout == timeout then
    return last.text
  end
  if not tonumber(timeout) then
    return head -- no text that a script writes
  end
  claims.scan_at = math.min(claims.scan_at, claims.now + timeout)
  local text = held_value.start_by(head, claims.now + timeout)
  worker.bounded = { head = head, timeout = timeout, text = text }
  return text
end

-- Claims a context for `worker`. `counts` is `<attempt>:<failures>` as `member` has it, `under` the letters of its limits, nil without.
function claiming.claim(claims, worker, id, counts, rest, options, member, under)
  local count = claims.count + 1
  worker.free = worker.free - 1
  claims.count = count
  claims.bytes = claims.bytes + #member
  local heads = worker[under or 'heads'] -- most that follow each other have the same
  local head = heads and heads[counts] or held_head(claims, worker, counts, under)
  local timeout = options ~= '-' and context_options.value(options, 't')
  if timeout then
    head = bounded_head(claims, worker, head, timeout)
  end
  local at, held, told = 2 * count, claims.held, claims.told
  held[at - 1], held[at] = id, head .. rest
  told[at - 1], told[at] = worker.id, member
end

-- Writes the leases, and has them looked at when the first of them may be over.
function claiming.flush(claims)
  if claims.count > 0 then
    lists.write_many('HSET', keys.held, claims.held)
    redis.call('ZADD', keys.wheel, 'LT', claims.scan_at, '!reap')
  end
end

return claiming
