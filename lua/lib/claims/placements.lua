-- Module claims/placements: keeps the content of lanes, and takes back a pick that came to nothing.
-- @use args
-- @use keys
-- @use record
local placements = {}

local LANES_MAX = 1000 -- of a partition
local LANE_BYTES = 65536

-- The lanes in ARGV from `first` on, two values each: name and content.
function placements.read(first)
  local lanes = {}
  for at = first, #ARGV, 2 do
    if not string.find(ARGV[at], '^%x%x%x%x%x%x%x%x%x%x$') then
      args.bad('lane', 'must be 10 hexadecimal digits', ARGV[at])
    end
    lanes[#lanes + 1] = ARGV[at]
    lanes[#lanes + 1] = args.text(at + 1, 'content', LANE_BYTES)
  end
  return lanes
end

-- True when the partition has them all, or room for them. A lane never changes, so one that is there is left as it is.
function placements.has_room_for(lanes)
  local missing = 0
  for at = 1, #lanes, 2 do
    missing = missing + 1 - redis.call('HEXISTS', keys.lanes, lanes[at])
  end
  return missing == 0 or redis.call('HLEN', keys.lanes) + missing <= LANES_MAX
end

function placements.keep(lanes)
  if #lanes > 0 then
    redis.call('HSET', keys.lanes, unpack(lanes))
    local used = {}
    for at = 1, #lanes, 2 do
      used[at], used[at + 1] = lanes[at], '1'
    end
    redis.call('HSET', keys.used, unpack(used))
  end
end

-- The attempt did not begin: where its lane counts, it is as if the worker had not been picked.
local function uncount(rest, worker)
  local _, _, _, options = record.split_rest(rest)
  local lane = record.option(options, 'c')
  local route = lane and keys.route(lane)
  local kept = lane and redis.call('HGET', route, worker)
  local score, step = string.match(kept or '', '^([%d.]+):([%d.]+)$')
  if score then
    redis.call('HSET', route, worker, string.format('%.6f', math.max(score - step, 0)) .. ':' .. step)
  end
  return lane
end

-- What of a context waits again that was not delivered to `worker`.
function placements.uncounted(rest, worker)
  uncount(rest, worker)
  return rest
end

-- What of a context waits again after `worker` refused it: in a lane, the next one takes it.
function placements.passed_over(rest, worker)
  if not uncount(rest, worker) then
    return rest
  end
  local head, options, body = string.match(rest, '^(%S+ %S+ %d )(%S+)( .*)$')
  local kept = string.gsub(',' .. options, ',a=[^,]*', '')
  return head .. string.sub(kept, 2) .. ',a=' .. worker .. body
end

return placements
