-- Module claims/placements: keeps the content of placements, and takes back a pick that came to nothing.
-- @use args
-- @use keys
-- @use records/context_options
-- @use records/context_record
-- @use records/placement_name
-- @use records/route_entry
local placements = {}

local PLACEMENTS_MAX = 1000 -- of a partition
local PLACEMENT_BYTES = 65536

-- The placements in ARGV from `first` on, two values each: name and content.
function placements.read(first)
  local named = {}
  for at = first, #ARGV, 2 do
    if not placement_name.is_one(ARGV[at]) then
      args.bad('placement', 'must be 10 hexadecimal digits', ARGV[at])
    end
    named[#named + 1] = ARGV[at]
    named[#named + 1] = args.text(at + 1, 'content', PLACEMENT_BYTES)
  end
  return named
end

-- True when the partition has them all, or room for them. A placement never changes, so one that is there is left as it is.
function placements.has_room_for(named)
  local missing = 0
  for at = 1, #named, 2 do
    missing = missing + 1 - redis.call('HEXISTS', keys.placements, named[at])
  end
  return missing == 0 or redis.call('HLEN', keys.placements) + missing <= PLACEMENTS_MAX
end

function placements.keep(named)
  if #named > 0 then
    redis.call('HSET', keys.placements, unpack(named))
    local used = {}
    for at = 1, #named, 2 do
      used[at], used[at + 1] = named[at], '1'
    end
    redis.call('HSET', keys.used_placements, unpack(used))
  end
end

-- The attempt did not begin: where its placement counts, it is as if the worker had not been picked.
local function uncount(rest, worker)
  local _, _, _, options = context_record.split_rest(rest)
  local placement = context_options.value(options, 'c')
  local route = placement and keys.route(placement)
  local kept = placement and redis.call('HGET', route, worker)
  local before = route_entry.before_pick(kept or '')
  if before then
    redis.call('HSET', route, worker, before)
  end
  return placement
end

-- What of a context waits again that was not delivered to `worker`.
function placements.uncounted(rest, worker)
  uncount(rest, worker)
  return rest
end

-- What of a context waits again after `worker` refused it: in a placement, the next one takes it.
function placements.passed_over(rest, worker)
  if not uncount(rest, worker) then
    return rest
  end
  local head, options, tail = context_record.around_options(rest)
  return head .. context_options.passed_over(options, worker) .. tail
end

return placements
