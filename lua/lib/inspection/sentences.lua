-- Module inspection/sentences: what is said to a person, one sentence after the other.
-- @use inspection/subject
local sentences = {}
local said, now

function sentences.begin()
  said, now = {}, subject.now()
end

function sentences.now()
  return now
end

function sentences.all()
  return said
end

function sentences.say(text, ...)
  said[#said + 1] = string.format(text, ...)
end

local function utc(ms)
  local days = math.floor(ms / 86400000)
  local year, month = 1970, 1
  local function leap()
    return (year % 4 == 0 and year % 100 ~= 0) or year % 400 == 0
  end
  while days >= (leap() and 366 or 365) do
    days = days - (leap() and 366 or 365)
    year = year + 1
  end
  local lengths = { 31, leap() and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
  while days >= lengths[month] do
    days = days - lengths[month]
    month = month + 1
  end
  local rest = ms % 86400000
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, days + 1, math.floor(rest / 3600000),
    math.floor(rest / 60000) % 60, math.floor(rest / 1000) % 60, rest % 1000)
end

local function span(ms)
  return ms < 10000 and string.format('%d ms', ms) or string.format('%d s', math.floor(ms / 1000))
end

-- An instant, and how far it is.
function sentences.when(ms)
  ms = tonumber(ms)
  return utc(ms) .. (ms > now and ' (in ' .. span(ms - now) .. ')' or ' (' .. span(now - ms) .. ' ago)')
end

return sentences
