-- Module claims/sources: what a turn claims from besides what became due in it. Each queue that has an offer is opened as a source, and
-- sources are merged by the score of the context at their head. A source has `queue`, `offer`, `score`, and three functions that get it as
-- their parameter: `open`, false when nothing waits in it; `take`, which claims or ends the context at its head, and is false when nothing
-- more can be claimed from it; `close`, called once after the last, which takes out of Redis what was taken, and is true when nothing is
-- left. `visit` is what they work on: now, limit, claims, endings; `aside`, how many records were put aside, and `gone`, which; `out`,
-- contexts that end and are not written yet; and `claimed`, the queues of which contexts under limits were claimed.
-- @use limits/admission
-- @use claims/claiming
-- @use contexts/expiring
-- @use claims/fairness
-- @use keys
-- @use limits/parking
-- @use quarantine
-- @use ready_sets
-- @use record
-- @use limits/shares
-- @use records/context_record
-- @use records/context_options
-- @use records/queue_name
-- @use records/wheel_entry
-- @use records/held_value
local sources = {}

sources.PAGE = 8 -- entries read before it is known how many fit
local TAKEN_MAX = 2000 -- of one source, those that make room for others included
local ASIDE_MAX = 128 -- of one source that make room one after the other, and nothing was claimed between them

-- The queue of a context, and what context_record.open says of it; nil for one that cannot be used.
function sources.open_member(member)
  local id, counts, rest, options, base = context_record.open(member)
  if not id then
    return nil
  end
  return queue_name.of(base, options), id, counts, rest, options, member
end

-- Puts a record aside that no turn can use; the caller takes it out of `name`.
function sources.leave_aside(visit, name, record)
  quarantine.put(visit.now, name, '', 'no record that a turn can use', record)
  visit.aside = visit.aside + 1
  visit.gone[record] = true
end

-- Reads the next page of a ready set; false at its end. Scores are read only where several sources are merged: printing one costs as
-- much as the rest of a claim. The score of a single member is asked for where it is needed.
local function read_page(visit, source)
  local first = source.read
  local last = first + math.min(source.size, visit.limit - visit.claims.count) - 1
  local found
  local scored = source.merged
  if scored then
    found = redis.call('ZRANGE', source.zset, first, last, 'WITHSCORES')
  else
    found = redis.call('ZRANGE', source.zset, first, last)
  end
  local bytes, step = 1, scored and 2 or 1
  for i = 1, #found, step do
    bytes = bytes + #found[i]
  end
  local count = #found / step
  source.page, source.at, source.step, source.read = found, 1, step, first + count
  source.size = math.max(1, math.min(source.size * 4, math.floor(claiming.TURN_BYTES * count / bytes), claiming.free_permits(source.offer)))
  source.score = scored and count > 0 and tonumber(found[2]) + source.shift or 0
  return count > 0
end

-- A late context of a ready set whose deadline's entry is still to be taken from the wheel, or to be written.
local function is_expiring(visit, queue, id, counts, rest, options)
  if not expiring.is_late(visit.now, id, counts, options) then
    return false
  end
  local _, _, priority = context_record.split_rest(rest)
  return visit.endings.watched[id] or redis.call('ZSCORE', keys.wheel, wheel_entry.start_deadline(id, queue, priority))
end

-- The next one is at the head. False when nothing more can be claimed.
local function go_on(visit, source)
  source.taken = source.taken + 1
  source.at = source.at + source.step
  if source.at > #source.page then
    return visit.claims.count < visit.limit and source.taken < TAKEN_MAX and read_page(visit, source)
  end
  source.score = source.step == 2 and tonumber(source.page[source.at + 1]) + source.shift or 0
  return true
end

local function take_ready(visit, source)
  local member, queue = source.page[source.at], source.queue
  local id, counts, rest, options = context_record.open_in_queue(member)
  if not id then
    sources.leave_aside(visit, string.sub(source.zset, #keys.base + 1), member)
  elseif options ~= '-' and context_options.value(options, 's') and is_expiring(visit, queue, id, counts, rest, options) then
    if expiring.is_full(visit) then
      visit.more = 1
      return false
    end
    expiring.count(visit, member)
    visit.out[#visit.out + 1] = member
    expiring.expire(visit.endings, visit.now, id, counts, rest)
  else
    local rules = source.rules
    local by_key = source.by_key and admission.count_key(rules, options)
    local limit = rules and not by_key and admission.stops(rules, options)
    if limit and limit.name == source.group then
      return false -- nothing more of the group
    end
    if limit and parking.awaits(source, limit) then
      return false
    elseif limit then
      parking.add(source, limit, source.step == 2 and source.page[source.at + 1] or redis.call('ZSCORE', source.zset, member), member)
      source.aside = source.aside + 1
      return go_on(visit, source) and source.aside < ASIDE_MAX
    end
    local worker = claiming.pick(source.offer, options)
    if not worker then
      if by_key then
        admission.uncount_key(rules, options)
      end
      return false
    end
    local under = by_key and held_value.UNDER_KEY or rules and admission.count()
    source.aside = 0
    claiming.claim(visit.claims, worker, id, counts, rest, options, member, under)
    source.claimed = source.taken
  end
  if source.fair then
    source.fair[#source.fair + 1] = id
  end
  return go_on(visit, source)
end

local function close_ready(visit, source)
  if source.taken == 0 then
    return false
  end
  visit.claimed[source.queue] = source.claimed
  if source.fair then
    local last = source.claimed and redis.call('ZRANGE', source.zset, source.claimed, source.claimed, 'WITHSCORES')[2]
    fairness.left(source.queue, source.fair, last and tonumber(last) % ready_sets.PRIORITY_SPAN)
  end
  redis.call('ZREMRANGEBYRANK', source.zset, 0, source.taken - 1)
  return redis.call('EXISTS', source.zset) == 0
end

-- The contexts of a ready set. `fair` collects those that were taken where they have keys, `claimed` is the rank of the last one claimed.
function sources.of_queue(queue, offer)
  local group, keyed = queue_name.group_of(queue), queue_name.is_fair(queue)
  local rules = shares.groups and shares.groups[group]
  return { queue = queue, group = group, rules = rules, by_key = rules and rules.is_by_key and keyed, offer = offer,
    zset = ready_sets.key_of(queue), read = 0, taken = 0, aside = 0, shift = 0, fair = keyed and {},
    open = read_page, take = take_ready, close = close_ready }
end

-- Keeps the source with the smallest score first: a heap whose first element changed.
local function sift(opened)
  local at, count = 1, #opened
  while true do
    local least = at
    for child = 2 * at, math.min(2 * at + 1, count) do
      if opened[child].score < opened[least].score then
        least = child
      end
    end
    if least == at then
      return
    end
    opened[at], opened[least] = opened[least], opened[at]
    at = least
  end
end

-- Queues with keys have scores of their own; most turns meet none.
local function align_fair(opened)
  for _, source in ipairs(opened) do
    if source.fair then
      return fairness.align(opened)
    end
  end
end

-- Claims from `sources` by score until nothing more fits. True when one of them is empty now.
function sources.claim_from(visit, opened)
  local open, emptied = {}, false
  for _, source in ipairs(opened) do
    source.merged = #opened > 1
    source.size = #opened <= sources.PAGE and math.ceil(sources.PAGE / #opened) or 1
    if source.open(visit, source) then
      open[#open + 1] = source
    end
  end
  if #open > 1 then
    align_fair(open)
  end
  table.sort(open, function(left, right) return left.score < right.score end)
  while #open > 0 and claiming.has_room(visit.claims) do
    if not open[1].take(visit, open[1]) then
      open[1] = open[#open]
      open[#open] = nil
    end
    if #open > 1 then
      sift(open)
    end
  end
  for _, source in ipairs(opened) do
    if source.close(visit, source) then
      redis.call('ZREM', keys.backlog, source.queue)
      emptied = true
    end
  end
  return emptied
end

return sources
