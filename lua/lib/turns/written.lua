-- Module turns/written: the end of a turn, which writes what its phases collected, and tells of it.
-- @use claims/claiming
-- @use claims/routing
-- @use claims/turn_report
-- @use contexts/ending
-- @use fan_out/concluding
-- @use keys
-- @use limits/demand
-- @use limits/parking
-- @use limits/shares
-- @use lists
-- @use ready_sets
-- @use record
-- @use turns/visits
-- @use records/queue_name
-- @use replies
local written = {}
local int = record.int

local LISTED = 100 -- what subtasks in a list count as, for a limit that they wait for

-- What waits in the queues of a group, for what it asks of its limit: not what is to be split, nor what waits for the limit of its key.
local function waiting_of_group(visit, group)
  local count = 0
  for _, queue in ipairs(visits.backlog(visit)) do
    local apart = queue_name.is_to_split(queue) or queue_name.is_of_key(queue)
    if queue_name.group_of(queue) == group and not apart then
      local zset = ready_sets.key_of(queue)
      count = count + (zset and redis.call('ZCARD', zset) or LISTED)
    end
  end
  return count
end

-- The order matters: claims are held before their limits are counted, and what ended is written last, as it wakes the trackers.
function written.flush(visit)
  claiming.flush(visit.claims)
  visit.held = true
  lists.write_many('ZADD', keys.wheel, visit.again)
  visit.reported = {}
  if shares.groups then -- has limits looked at no later than `again` says
    parking.place()
    visit.reported = demand.flush(visit.now, function(group)
      return waiting_of_group(visit, group)
    end)
    visits.forget_backlog(visit)
  end
  routing.flush_routes()
  if next(visit.endings.ready) then
    visits.forget_backlog(visit)
  end
  if concluding.flush_claims(visit.endings, visit.now) then
    visits.forget_backlog(visit)
  end
  ending.flush(visit.endings, visit.now)
  visit.done = true
end

-- The reply of the turn, as the header of wheel/turn has it.
function written.reply(visit)
  local head = redis.call('ZRANGE', keys.wheel, 0, 0, 'WITHSCORES')
  local told = turn_report.new()
  local handlers = function()
    return visits.handlers(visit)
  end
  for _, queue in ipairs(turn_report.in_order(visit.now, visits.backlog(visit), visit.untold, handlers)) do
    if shares.groups and parking.holds(queue, visit.claimed) then
      turn_report.tell_placement(told, queue)
    elseif told.looked < turn_report.LOOKED_MOST then
      turn_report.tell(visit, told, visit.endings, queue)
    end
  end
  local reply = { 'TURNED', 'now_ms', visit.now }
  replies.tell(reply, 'next_ms', head[2] and int(tonumber(head[2])))
  replies.tell_number(reply, 'more', visit.more)
  replies.tell_list(reply, 'claims', visit.claims.told)
  replies.tell_list(reply, 'backlog', told.sizes)
  replies.tell_list(reply, 'plan', visit.plan)
  replies.tell_list(reply, 'outbox', visit.outbox)
  replies.tell_number(reply, 'scan', visit.scan)
  replies.tell_number(reply, 'fired', visit.fired)
  replies.tell_number(reply, 'skipped', visit.skipped)
  replies.tell_number(reply, 'missed', visit.missed)
  replies.tell_number(reply, 'aside', visit.aside)
  replies.tell_number(reply, 'unread', visit.unread + routing.unread)
  replies.tell_list(reply, 'opens', told.opens)
  replies.tell_list(reply, 'looks', visit.looks)
  replies.tell_list(reply, 'pinned', told.pinned)
  replies.tell_list(reply, 'reports', visit.reported)
  replies.tell_number(reply, 'limited', shares.groups and demand.limited() or 0)
  replies.tell_number(reply, 'untold', (visit.untold or turn_report.is_full(told)) and 1 or 0)
  return reply
end

return written
