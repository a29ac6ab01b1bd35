-- Module turns/waiting_claims: claims of what waits, the most urgent of all queues for which permits are offered first.
-- @use claims/claiming
-- @use claims/sources
-- @use fan_out/fan_sources
-- @use turns/visits
-- @use records/queue_name
local waiting_claims = {}

-- The queues for which permits are offered, as what claims are taken from.
local function offered_sources(visit)
  local opened, split = {}, {}
  for _, queue in ipairs(visits.backlog(visit)) do
    local offer = claiming.offer_for(visit.offers, queue)
    if offer then
      opened[#opened + 1] = sources.of_queue(queue, offer)
    elseif queue_name.is_of_subtasks(queue) then
      split[#split + 1] = queue
    end
  end
  if split[1] then
    fan_sources.add(opened, visit.endings, split, visit.offers)
  end
  return opened
end

function waiting_claims.claim(visit)
  local may = visit.workers > 0 and claiming.has_room(visit.claims)
  if may and sources.claim_from(visit, offered_sources(visit)) then
    visits.forget_backlog(visit)
  end
end

return waiting_claims
