-- Module turns/fresh_claims: what became due in this turn is claimed at once, or waits in its ready set.
--
-- It is claimed directly only when nothing of its group waits and all of it finds a permit; else priority decides among everything that is
-- ready (turns/waiting_claims).
-- @use claims/claiming
-- @use contexts/expiring
-- @use limits/parking
-- @use limits/shares
-- @use turns/visits
-- @use records/queue_name
local fresh_claims = {}

-- The groups in which contexts compete for permits. What nobody offers competes for none.
local function contended_groups(visit)
  local contended, of_group, count = {}, {}, 0
  for _, queue in ipairs(visit.fresh_order) do
    local list = visit.fresh[queue]
    of_group[list.group] = (of_group[list.group] or 0) + #list
    count = count + #list
  end
  if count == 0 then
    return contended
  end
  for _, queue in ipairs(visits.backlog(visit)) do
    local group = queue_name.group_of(queue)
    if of_group[group] and not contended[group] then
      local base = queue_name.is_of_subtasks(queue) and queue_name.split_root(queue)
      contended[group] = (claiming.offer_for(visit.offers, queue) or (base and visit.offers[base])) and true
    end
  end
  for _, queue in ipairs(visit.fresh_order) do
    local offer, group = claiming.offer_for(visit.offers, queue), visit.fresh[queue].group
    if offer and (offer.free < of_group[group] or count > visit.limit) then
      contended[group] = true
    end
  end
  return contended
end

local function claim_or_wait(visit, list, offer, enough)
  local claims = visit.claims
  for _, context in ipairs(list) do
    local id, counts, rest, options, member = unpack(context)
    local fits = enough and claiming.has_room(claims) and not expiring.is_late(visit.now, id, counts, options)
    local worker = fits and claiming.pick(offer, options)
    if worker then
      claiming.claim(claims, worker, id, counts, rest, options, member)
    else
      visits.make_ready(visit, id, counts, rest, options, member)
    end
  end
end

function fresh_claims.claim(visit)
  visits.place_ready(visit)
  if shares.groups and parking.resume(visit.now, visits.backlog(visit)) then
    visits.forget_backlog(visit)
  end
  local contended = contended_groups(visit)
  for _, queue in ipairs(visit.fresh_order) do
    local list, offer = visit.fresh[queue], claiming.offer_for(visit.offers, queue)
    local limited = shares.groups and shares.groups[list.group]
    claim_or_wait(visit, list, offer, offer and not contended[list.group] and not limited)
  end
  visits.place_ready(visit)
end

return fresh_claims
