-- Module reading: what lists do with what they cannot read: it is counted, and the rest is shown.
-- @use args
-- @use args/forms
-- @use replies
local reading = {}

-- `unreadable`: how many were skipped in this call.
function reading.begin()
  reading.unreadable = 0
end

-- One record that does not follow its grammar.
function reading.skip()
  reading.unreadable = reading.unreadable + 1
end

-- A command that reads. A key of another type than it should have counts as one record that cannot be read, and reads as `nothing`.
function reading.call(nothing, ...)
  local done, found = pcall(redis.call, ...)
  if done then
    return found
  end
  local words = type(found) == 'table' and found.err or tostring(found)
  if not string.find(words, 'WRONGTYPE', 1, true) then
    error(found, 0)
  end
  reading.skip()
  return nothing
end

-- Score and number of a position `<score>:<n>` in a sorted set, the n-th member of that score being the next; `first` where there is none.
-- A score is whatever Redis prints.
function reading.position(from, first)
  local score, skip = forms.split_score_position(from)
  if from ~= '' and not score then
    args.bad('position', 'must be of an earlier page', from)
  end
  return score or first, tonumber(skip) or 0
end

-- Ends the reply of a page: where the next one begins, and how many records were skipped, each if there is any.
function reading.page(reply, position)
  replies.tell(reply, 'position', position ~= '' and position)
  replies.tell_number(reply, 'unreadable', reading.unreadable)
  return reply
end

return reading
