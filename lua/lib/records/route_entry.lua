-- Module records/route_entry: what a placement counts of a worker in `route:<placement>`: `<score>:<step of its last pick>`.
-- @use record
local route_entry = {}
local match = string.match

local function number_text(number)
  return number == math.floor(number) and record.int(number) or string.format('%.6f', number)
end

function route_entry.text(score, step)
  return number_text(score) .. ':' .. number_text(step)
end

function route_entry.score_of(entry)
  return tonumber(match(entry, '^([%d.]+):'))
end

-- The entry as if the last pick had not been; nil for one that cannot be read.
function route_entry.before_pick(entry)
  local score, step = match(entry, '^([%d.]+):([%d.]+)$')
  return score and string.format('%.6f', math.max(score - step, 0)) .. ':' .. step or nil
end

return route_entry
