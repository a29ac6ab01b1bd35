-- Module args: reads and refuses the arguments of a call. Refusing is the first thing a script does: nothing is written before. Up to four
-- stand at places that the script counts; of more than four each has a name (docs/decisions/0038).
-- @use bounds
-- @use record
-- @use args/forms
local args = {}
local int = record.int

-- Ends the call: nothing was written.
function args.bad(name, rule, given)
  error({ err = 'BAD_ARG ' .. name .. ' ' .. rule .. ', given ' .. string.sub(tostring(given), 1, 80) })
end

local function check_int(text, name, low, high)
  local value = tonumber(text)
  if not value or value ~= math.floor(value) or value < low or value > high then
    args.bad(name, 'must be an integer from ' .. int(low) .. ' to ' .. int(high), text)
  end
  return value
end

local function check_text(text, name, most)
  if not text or #text == 0 or #text > most then
    args.bad(name, 'must have 1 to ' .. int(most) .. ' bytes', text)
  end
  return text
end

-- Redis' clock decides. Only tests pass a time of their own.
local function check_now(text)
  if text and text ~= '' then
    return check_int(text, 'now_ms', 0, bounds.INSTANT_MAX)
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

function args.int(index, name, low, high)
  return check_int(ARGV[index], name, low, high)
end

function args.text(index, name, most)
  return check_text(ARGV[index], name, most)
end

function args.now(index)
  return check_now(ARGV[index])
end

-- Arguments by their names: ARGV[1] has the names of those behind it, in their order, with a space between them. `known`: those that there
-- are. Answers name -> text, and where in ARGV what has no name begins, the items of a list.
function args.named(known)
  local given, last = {}, 1
  known = ' ' .. known .. ' '
  for name in forms.each_word(ARGV[1] or '') do
    last = last + 1
    if not string.find(known, ' ' .. name .. ' ', 1, true) then
      args.bad('names', 'must be known', name)
    elseif given[name] then
      args.bad('names', 'must be different', name)
    elseif not ARGV[last] then
      args.bad('names', 'must have a value each', name)
    end
    given[name] = ARGV[last]
  end
  if last == 1 then
    args.bad('names', 'must come first', ARGV[1])
  end
  return given, last + 1
end

-- The same of a script that takes no list.
function args.only_named(known)
  local given, first = args.named(known)
  if ARGV[first] then
    args.bad('arguments', 'must have names', ARGV[first])
  end
  return given
end

function args.int_of(given, name, low, high)
  return check_int(given[name], name, low, high)
end

-- Nil where it is absent or empty.
function args.int_or_nil(given, name, low, high)
  return given[name] and given[name] ~= '' and check_int(given[name], name, low, high) or nil
end

function args.text_of(given, name, most)
  return check_text(given[name], name, most)
end

function args.now_of(given)
  return check_now(given.now_ms)
end

return args
