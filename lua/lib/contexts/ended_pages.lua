-- Module contexts/ended_pages: pages of contexts that have ended, the newest first, for context/list. `page` has `position`,
-- `limit`, `job`, `state` and what takes a record: `settled(record)`, `dead(id, member, rest)`.
-- @use bounds
-- @use keys
-- @use reading
-- @use record
local ended_pages = {}
local int = record.int

-- A job's runs from the newest on; a position is `<ended ms>:<n>`, the n-th record of that end being the next.
function ended_pages.runs(page)
  local before, skip = string.match(page.position, '^(%d+):(%d+)$')
  before, skip = tonumber(before) or math.huge, tonumber(skip) or 0
  local runs, seen, looked = keys.runs(page.job), 0, 0
  local at, n = before, skip
  local is_behind = page.position == '' -- whether the last one that was passed is of an earlier page, or there is none
  for last = reading.call(0, 'LLEN', runs) - 1, 0, -1000 do
    local lines = redis.call('LRANGE', runs, math.max(last - 999, 0), last)
    for i = #lines, 1, -1 do
      local ended = tonumber(string.match(lines[i], '^[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t(%d+)'))
      seen = ended == before and seen + 1 or seen
      if not ended or ended > bounds.INSTANT_MAX then
        if is_behind then
          reading.skip()
        end
      elseif ended < before or (ended == before and seen > skip) then
        n = (ended == at and n or 0) + 1
        at = ended
        page.settled(lines[i])
        looked = looked + 1
        if looked == page.limit then
          return int(at) .. ':' .. int(n)
        end
      end
      is_behind = is_behind or ended and (ended < before or (ended == before and seen >= skip))
    end
  end
  return ''
end

-- The events from the newest on; a position is `<entry>:<n>`, the n-th record of that entry being the next.
function ended_pages.events(page)
  local entry, skip = string.match(page.position, '^(%d+%-%d+):(%d+)$')
  skip = tonumber(skip) or 0
  local found = reading.call({}, 'XREVRANGE', keys.events, entry or '+', '-', 'COUNT', 1)[1]
  if not found then
    return ''
  end
  if found[1] ~= entry then
    skip = 0
  end
  local n = 0
  for line in string.gmatch(found[2][2], '[^\n]+') do
    n = n + 1
    if n > skip then
      page.settled(line)
      if n == skip + page.limit then
        return found[1] .. ':' .. int(n)
      end
    end
  end
  local older = redis.call('XREVRANGE', keys.events, '(' .. found[1], '-', 'COUNT', 1)[1]
  return older and older[1] .. ':0' or ''
end

-- The dead from the newest on; a position is `<ended ms>:<n>`.
function ended_pages.dead(page)
  local score, skip = reading.position(page.position, '+inf')
  local found = reading.call({}, 'ZRANGE', keys.dead, score, '-inf', 'BYSCORE', 'REV', 'LIMIT', skip, page.limit, 'WITHSCORES')
  for i = 1, #found, 2 do
    local member, ended = found[i], found[i + 1]
    if ended ~= score then
      score, skip = ended, 0
    end
    skip = skip + 1
    local id, state, rest = string.match(member, '^([^\t]*)\t([^\t]*)[^\n]*\n%d+ (.*)$')
    if not id and not string.find(member, '^[^\t]+\t[^\n]*$') then -- older ones say only how they ended
      reading.skip()
    elseif id and (page.state == '' or state == page.state) then
      page.dead(id, member, rest)
    end
  end
  return #found == 2 * page.limit and score .. ':' .. int(skip) or ''
end

return ended_pages
