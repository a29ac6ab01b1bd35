-- Module limits/idle_shares: finds the shares of limits that nothing uses any more, so that limits/demand reports them.
-- @use keys
-- @use limits/admission
-- @use limits/demand
-- @use limits/shares
-- @use limits/usage
-- @use records/limit_share
local idle_shares = {}

local SCANNED = 256 -- shares that are looked at in one turn

-- What was granted a while ago and is not used goes back: looks at the page of shares behind `cursor`. Returns when to look again, nil
-- for never, and behind which cursor.
function idle_shares.look(now, cursor)
  if not shares.groups then
    shares.read('limits', now)
    admission.open()
  end
  local found = redis.call('HSCAN', keys.limit_shares, cursor, 'COUNT', SCANNED)
  local soonest = nil
  for i = 1, #found[2], 2 do
    local name = found[2][i]
    local using, allowed, starts, last, mode = limit_share.open(found[2][i + 1])
    local empty = using == '0' and allowed == '0' and not demand.asked_at(name)
    if using and (empty or allowed ~= using or tonumber(starts) > 0) then
      local at = tonumber(last) + (mode == limit_share.USED and starts == '0' and shares.USED_KEPT_MS or usage.SHARE_KEPT_MS)
      if tonumber(allowed) < tonumber(using) then -- counted anew
        at = now
      end
      if at <= now or tonumber(last) > now then
        if #shares.order >= demand.REPORTS_MOST then
          return now, cursor
        end
        admission.limit_of(name)
      else
        soonest = math.min(soonest or at, at)
      end
    end
  end
  return found[1] ~= '0' and now or soonest, found[1]
end

return idle_shares
