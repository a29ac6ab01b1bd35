-- Part lanes: keeps the content of lanes, and takes back a pick that came to nothing.

local LANES_MAX = 1000 -- of a partition
local LANE_BYTES = 65536

-- The lanes in ARGV from `first` on, two values each: name and content.
local function new_lanes(first)
  local lanes = {}
  for at = first, #ARGV, 2 do
    if not string.find(ARGV[at], '^%x%x%x%x%x%x%x%x%x%x$') then
      bad_arg('lane', 'must be 10 hexadecimal digits', ARGV[at])
    end
    lanes[#lanes + 1] = ARGV[at]
    lanes[#lanes + 1] = arg_text(at + 1, 'content', LANE_BYTES)
  end
  return lanes
end

-- True when the partition has them all, or room for them. A lane never changes, so one that is there is left as it is.
local function has_room_for(lanes)
  local missing = 0
  for at = 1, #lanes, 2 do
    missing = missing + 1 - redis.call('HEXISTS', BASE .. 'lanes', lanes[at])
  end
  return missing == 0 or redis.call('HLEN', BASE .. 'lanes') + missing <= LANES_MAX
end

local function keep_lanes(lanes)
  if #lanes > 0 then
    redis.call('HSET', BASE .. 'lanes', unpack(lanes))
    local used = {}
    for at = 1, #lanes, 2 do
      used[at], used[at + 1] = lanes[at], '1'
    end
    redis.call('HSET', BASE .. 'used', unpack(used))
  end
end

-- The attempt did not begin: where its lane counts, it is as if the worker had not been picked.
local function uncount(rest, worker)
  local _, _, _, options = split_rest(rest)
  local lane = option(options, 'c')
  local route = lane and key('route', lane)
  local kept = lane and redis.call('HGET', route, worker)
  local score, step = string.match(kept or '', '^([%d.]+):([%d.]+)$')
  if score then
    redis.call('HSET', route, worker, string.format('%.6f', math.max(score - step, 0)) .. ':' .. step)
  end
  return lane
end

-- What of a context waits again that was not delivered to `worker`.
local function uncounted(rest, worker)
  uncount(rest, worker)
  return rest
end

-- What of a context waits again after `worker` refused it: in a lane, the next one takes it.
local function passed_over(rest, worker)
  if not uncount(rest, worker) then
    return rest
  end
  local head, options, body = string.match(rest, '^(%S+ %S+ %d )(%S+)( .*)$')
  local kept = string.gsub(',' .. options, ',a=[^,]*', '')
  return head .. string.sub(kept, 2) .. ',a=' .. worker .. body
end
