-- Module args: reads and refuses the arguments of a call. Refusing is the first thing a script does: nothing is written before.
-- @use bounds
-- @use record
local args = {}
local int = record.int

-- Ends the call: nothing was written.
function args.bad(name, rule, given)
  error({ err = 'BAD_ARG ' .. name .. ' ' .. rule .. ', given ' .. string.sub(tostring(given), 1, 80) })
end

function args.int(index, name, low, high)
  local value = tonumber(ARGV[index])
  if not value or value ~= math.floor(value) or value < low or value > high then
    args.bad(name, 'must be an integer from ' .. int(low) .. ' to ' .. int(high), ARGV[index])
  end
  return value
end

function args.text(index, name, most)
  local value = ARGV[index]
  if not value or #value == 0 or #value > most then
    args.bad(name, 'must have 1 to ' .. int(most) .. ' bytes', value)
  end
  return value
end

-- Redis' clock decides. Only tests pass a time of their own.
function args.now(index)
  if ARGV[index] and ARGV[index] ~= '' then
    return args.int(index, 'now_ms', 0, bounds.INSTANT_MAX)
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

return args
