-- Module claims/policies: how the worker of a context is chosen among those that a placement offers. The entries of a route are a heap,
-- the least score on top; what a policy counts is kept by claims/routing.
-- @use records/context_options
-- @use args/offer_forms
local policies = {}

local HASH_PRIME = 67108859

local random

function policies.begin()
  random = 1
end

-- From here on draws follow from this seed.
function policies.seed(number)
  random = number
end

-- A number from 0 to below `count`: the same ones for the same seed.
function policies.draw(count)
  random = random * 16807 % 2147483647
  return random % count
end

-- Amounts by name, of `name=amount,...`.
function policies.amounts_of(text)
  local amounts = {}
  for name, amount in offer_forms.each_amount(text) do
    amounts[name] = tonumber(amount)
  end
  return amounts
end

-- True when the worker has a permit, and of its resources what a context of the placement takes.
function policies.can_take(offer, worker)
  if worker.free <= 0 or not offer.requires then
    return worker.free > 0
  end
  if type(worker.units) == 'string' then
    worker.units = policies.amounts_of(worker.units)
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

-- Makes a heap of entries.
function policies.heap(entries)
  for at = math.floor(#entries / 2), 1, -1 do
    sift_down(entries, at)
  end
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
  entry.changed = true
  sift_down(entries, at)
  return entry.worker
end

-- The least score. Whoever has no permit left is out, unless it is free again soon: then it is waited for.
local function pick_least(offer, entries, avoid)
  while entries[1] and not policies.can_take(offer, entries[1].worker) do
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
      if policies.can_take(offer, entries[at].worker) and (best == 1 or before(entries[at], entries[best])) then
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
    return worker and policies.can_take(offer, worker) and worker or nil
  end
  for step = 0, #entries - 1 do
    local worker = entries[(from + step) % #entries + 1].worker
    if policies.can_take(offer, worker) then
      return worker
    end
  end
  return nil
end

local function pick_random(offer, entries, avoid)
  while #entries > 0 do
    local at = policies.draw(#entries) + 1
    if entries[at].worker.id == avoid then
      at = at % #entries + 1
    end
    if policies.can_take(offer, entries[at].worker) then
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
  local hash = tonumber(context_options.value(options, 'h') or policies.draw(HASH_PRIME))
  local at = hashed(entries, hash, avoid)
  while at do
    local worker = entries[at].worker
    if policies.can_take(offer, worker) then
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
    if policies.can_take(offer, worker) then
      if worker.id ~= avoid then
        return worker
      end
      fallback = worker
    end
  end
  return fallback
end

-- By mode.
policies.CHOOSE = { count = pick_least, use = pick_least, recent = pick_least, least = pick_least, first = pick_first,
  random = pick_random, hash = pick_hash, rotate = pick_rotate }

return policies
