-- Module records/roster_record: what trackers tell of workers and groups. `handlers` of a worker are separated by commas; among the groups
-- `!` says where forgetting goes on.
local roster_record = {}

function roster_record.has_handler(handlers, handler)
  return string.find(',' .. handlers .. ',', ',' .. handler .. ',', 1, true) ~= nil
end

function roster_record.cursor_of(text)
  return string.match(text, '^%d+$') or '0'
end

-- A count of changes, as a text; nil for what is none.
function roster_record.count_of(text)
  return #text <= 15 and string.match(text, '^%d+$') or nil
end

return roster_record
