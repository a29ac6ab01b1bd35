-- Module record: what the texts of all records are made of: numbers, and messages. Each kind of record has a module of its own in records/.
-- @use bounds
local record = {}

-- Integers above 2^53 are not expected; tostring() would print those above 1e14 with an exponent. Printing one costs as much as a small
-- command and most are the same few times, so each is printed once in a call.
local printed = {}

function record.begin()
  printed = {}
end

function record.int(number)
  local text = printed[number]
  if not text then
    text = string.format('%.0f', number)
    printed[number] = text
  end
  return text
end

-- Whether digits are a number of attempts, and whether they are an instant; mostly their length tells.
function record.is_count(digits)
  return #digits < 10 or tonumber(digits) <= bounds.ATTEMPT_MAX
end

function record.is_instant(digits)
  return #digits < 16 or tonumber(digits) <= bounds.INSTANT_MAX
end

return record
