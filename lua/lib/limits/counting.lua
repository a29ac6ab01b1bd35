-- Module limits/counting: what the limits of a partition count beside what runs under them (W6), for a check and its repair.
-- @use bounds
-- @use keys
-- @use record
-- @use records/context_options
-- @use records/held_value
-- @use records/limit_name
-- @use records/limit_share
local counting = {}

-- Of what runs, looked at in one call: bodies may have 256 KiB each.
local CONTEXTS_MAX = 4000
local BYTES_MAX = 4194304

-- What a running context counts under, as lines of limits.
local function count(running, value)
  local under, group, options = held_value.limits_of(value)
  if held_value.is_under_group(under) then
    running[group] = (running[group] or 0) + 1
  end
  if held_value.is_under_key(under) then
    local name = limit_name.of_key(group, context_options.value(options, 'k') or '')
    running[name] = (running[name] or 0) + 1
  end
end

-- How many contexts run under each limit; nil when too much runs to be looked at in one call.
function counting.running()
  if redis.call('HLEN', keys.held) > CONTEXTS_MAX then
    return nil
  end
  local bytes, running = 0, {}
  for _, id in ipairs(redis.call('HKEYS', keys.held)) do
    local value = redis.call('HGET', keys.held, id)
    bytes = bytes + #value
    if bytes > BYTES_MAX then
      return nil
    end
    count(running, value)
  end
  return running
end

-- What ended under each limit since the last turn.
function counting.left()
  local left = {}
  for _, entry in ipairs(redis.call('LRANGE', keys.limit_released, 0, -1)) do
    for number, name in limit_share.each_released(entry) do
      left[name] = math.min((left[name] or 0) + tonumber(number), bounds.INSTANT_MAX)
    end
  end
  return left
end

-- Calls `visit` with each limit, what `shares` counts of it, what left it since, what runs under it, and what else `shares` says; true
-- when so much runs that nothing was looked at. What `shares` says and nobody can read is too much by one, so that it is found.
function counting.each(visit)
  local running = counting.running()
  if not running then
    return true
  end
  local left, fields = counting.left(), redis.call('HGETALL', keys.limit_shares)
  local seen = {}
  for i = 1, #fields, 2 do
    local name = fields[i]
    local using, rest = limit_share.split_whole(fields[i + 1])
    if using and record.is_instant(using) then -- else it is counted anew
      seen[name] = true
      visit(name, tonumber(using), left[name] or 0, running[name] or 0, rest)
    elseif name ~= '#' then
      local gone, runs = left[name] or 0, running[name] or 0
      seen[name] = true
      visit(name, gone + runs + 1, gone, runs)
    end
  end
  for _, counted in ipairs({ running, left }) do
    for name in pairs(counted) do
      if not seen[name] then
        seen[name] = true
        visit(name, 0, left[name] or 0, running[name] or 0)
      end
    end
  end
  return false
end

return counting
