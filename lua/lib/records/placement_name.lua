-- Module records/placement_name: what a placement is called: ten hexadecimal digits, in options and in names of queues behind `c=`.
local placement_name = {}
local find, match = string.find, string.match

function placement_name.is_one(text)
  return find(text, '^%x%x%x%x%x%x%x%x%x%x$') ~= nil
end

-- That which options, or the name of a queue, say; nil where they say none.
function placement_name.in_text(text)
  local at = find(text, 'c=', 1, true)
  return at and match(text, '^c=(%x%x%x%x%x%x%x%x%x%x)', at)
end

return placement_name
