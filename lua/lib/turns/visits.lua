-- Module turns/visits: what one visit to a partition has in hand, from its arguments to its reply; the phases of a turn share it.
-- @use claims/claiming
-- @use claims/queues
-- @use contexts/ending
-- @use contexts/expiring
-- @use contexts/ready
-- @use records/context_record
-- @use records/queue_name
-- @use records/wheel_entry
local visits = {}

-- `given`: now, lease_ms, limit, workers (how many stand in ARGV), last (index in ARGV of what the workers and placements end with), offers
-- and unread (what could not be read of them).
function visits.new(given)
  given.claims, given.endings = claiming.new(given.now, given.lease_ms, given.limit), ending.new()
  given.fresh, given.fresh_order = {}, {} -- by queue: what became due in this turn
  given.again = {} -- score, member: entries that stay in the wheel
  given.plan, given.outbox, given.looks, given.scan, given.more = {}, {}, {}, 0, 0
  given.fired, given.skipped, given.missed, given.aside = 0, 0, 0, 0
  given.taken, given.out, given.gone = {}, {}, {} -- what left its place, and must not be lost should the turn fail
  given.claimed, given.untold, given.expired, given.ranks = {}, false, 0, {}
  return given
end

-- A context that became due in this turn: `counts` is `<attempt>:<failures>`, `queue` where it would wait.
function visits.add_fresh(visit, queue, id, counts, rest, options, member)
  local list = visit.fresh[queue]
  if not list then
    list = { group = queue_name.group_of(queue) }
    visit.fresh[queue] = list
    visit.fresh_order[#visit.fresh_order + 1] = queue
  end
  list[#list + 1] = { id, counts, rest, options, member }
end

function visits.drop_fresh(visit, id)
  for _, queue in ipairs(visit.fresh_order) do
    for i = #visit.fresh[queue], 1, -1 do
      if visit.fresh[queue][i][1] == id then
        table.remove(visit.fresh[queue], i)
      end
    end
  end
end

-- Puts a fresh context into its ready set, unless its start deadline is over (trackers that paused find both due at once). One for which
-- the turn has no room is found there by the entry of its deadline, which may be taken out of the wheel already.
function visits.make_ready(visit, id, counts, rest, options, member)
  local is_late = expiring.is_late(visit.now, id, counts, options)
  if is_late and not expiring.is_full(visit) then
    expiring.count(visit, member)
    return expiring.expire(visit.endings, visit.now, id, counts, rest)
  elseif is_late then
    local base, priority = context_record.base_of_rest(rest)
    expiring.put_off(visit, wheel_entry.start_deadline(id, queue_name.of(base, options), priority))
  end
  ready.add(visit.endings.ready, id, member, rest)
end

-- The handlers that this turn is told of.
function visits.handlers(visit)
  visit.handlers = visit.handlers or queues.told(visit.workers, visit.last)
  return visit.handlers
end

-- The queues in which something waits that concern this turn; read again only after one was written.
function visits.backlog(visit)
  if not visit.waiting then
    local handlers = function()
      return visits.handlers(visit)
    end
    visit.waiting, visit.untold = queues.waiting(handlers, visit.untold)
  end
  return visit.waiting
end

-- A queue was written.
function visits.forget_backlog(visit)
  visit.waiting = nil
end

-- Writes what became ready in this turn so far to where it is found.
function visits.place_ready(visit)
  if next(visit.endings.ready) then
    ready.flush(visit.endings.ready)
    visit.endings.ready, visit.waiting = {}, nil
  end
end

-- The same with the fresh contexts.
function visits.place_fresh(visit)
  local lists, order = visit.fresh, visit.fresh_order
  visit.fresh, visit.fresh_order = {}, {}
  for _, queue in ipairs(order) do
    for _, context in ipairs(lists[queue]) do
      visits.make_ready(visit, unpack(context))
    end
  end
  visits.place_ready(visit)
end

return visits
