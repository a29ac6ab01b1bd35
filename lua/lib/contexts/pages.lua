-- Module contexts/pages: a page of a list while it fills: what was looked at, what was chosen of it, and when a call has done enough. A
-- point says where a set goes on: empty at its beginning, `<score>:<n>` behind the n-th of that score, `=<score>` with all of that score,
-- `<<score>` behind all of it. In a hash it is `<score>:<id>`, or of a scan `<its cursor>:<n>`.
-- @use args
-- @use reading
-- @use record
-- @use args/forms
local pages = {}
local int = record.int

pages.LOOK_MAX = 6400 -- entries, some 20 ms of Redis' time: what one request of a caller may cost
local BYTES_MAX = 262144 -- looked at in one call
local BYTES_OF_ONE = 8192 -- cost as much as an entry
local CHEAP = 8 -- names that are only passed by cost as much as an entry
local CHUNK_FIRST, CHUNK_MAX = 8, 64 -- entries of one command: what lies behind a great body is not read for nothing
local SCAN_COUNT = 100 -- the same in every call, so that a position inside a scan step keeps its meaning
local SORTED_MAX = 4000 -- ids of a hash that are put in order

function pages.begin()
  pages.items, pages.points = {}, {}
  pages.looked, pages.cheap, pages.bytes, pages.extra = 0, 0, 0, 0
  pages.limit, pages.look, pages.heads, pages.many = 1, 1, false, false
end

-- At most `limit` are chosen, and about as many entries as `look` says are looked at; `heads`: bodies of the dead are left out.
function pages.open(limit, look, heads)
  pages.limit, pages.look, pages.heads = limit, look, heads
end

-- An entry of so many bytes is looked at.
function pages.see(bytes)
  pages.looked = pages.looked + 1
  pages.bytes = pages.bytes + bytes
end

-- Names are passed by.
function pages.pass(names)
  pages.cheap = pages.cheap + names
end

-- An entry takes as long as so many more.
function pages.spend(entries)
  pages.extra = pages.extra + entries
end

-- What the call cost so far, in entries.
function pages.cost()
  return pages.looked + pages.extra + math.floor(pages.cheap / CHEAP) + math.floor(pages.bytes / BYTES_OF_ONE)
end

function pages.is_full()
  return #pages.items >= pages.limit or pages.bytes >= BYTES_MAX or pages.cost() >= pages.look
end

-- Adds one that is chosen; `point` is where the list goes on behind it.
function pages.add(point, place, id, text, extra)
  pages.items[#pages.items + 1] = { place, id, text, extra or '' }
  pages.points[#pages.points + 1] = point
end

-- Adds one that does not follow its grammar: it is counted when the list comes to it.
function pages.add_unreadable(point)
  pages.add(point, 'unreadable', '', '')
end

-- What the first command for a point asks from: a border of a sorted set, the score that is counted in, how many of it are passed by.
local function border_of(point, first)
  if point == '' then
    return first, nil, 0
  end
  local mark, bound = forms.split_bound(point)
  if mark then
    return (mark == '<' and '(' or '') .. bound, nil, 0
  end
  local score, skip = reading.position(point, first)
  return score, score, skip
end

-- The members of a sorted set from a point on to `last`, `visit(member, score, point behind it)` for each; `direction` is nil or REV.
-- Answers with where it stopped; nil at the end.
function pages.of_zset(zset, point, first, last, direction, visit)
  local from, score, skip = border_of(point, first)
  local chunk = CHUNK_FIRST
  while true do
    local count = math.min(chunk, math.max(pages.look - pages.cost(), 1))
    local found
    if direction then
      found = reading.call({}, 'ZRANGE', zset, from, last, 'BYSCORE', direction, 'LIMIT', int(skip), int(count), 'WITHSCORES')
    else
      found = reading.call({}, 'ZRANGE', zset, from, last, 'BYSCORE', 'LIMIT', int(skip), int(count), 'WITHSCORES')
    end
    for i = 1, #found, 2 do
      if found[i + 1] ~= score then
        score, skip = found[i + 1], 0
      end
      skip = skip + 1
      local behind = score .. ':' .. int(skip)
      visit(found[i], score, behind)
      if pages.is_full() then
        return behind
      end
    end
    if #found < 2 * count then
      return nil
    end
    from, chunk = score, math.min(2 * chunk, CHUNK_MAX)
  end
end

-- Whether something of this score and id lies behind a point of a hash.
local function is_behind(score, id, from, from_id, is_beyond)
  if score ~= from then
    return score > from
  end
  return not is_beyond and (not from_id or from_id < id)
end

-- The ids of a hash that lie behind a point, by their scores, and these in order. `read` is the command: HKEYS, or HGETALL for values.
local function ids_by_score(hash, point, read, score_of)
  local mark, bound = forms.split_bound(point)
  local from, from_id = forms.split_id_position(point)
  if point ~= '' and not mark and not from then
    args.bad('position', 'must be of an earlier page', point)
  end
  from = tonumber(bound or from) or -1
  local found, step = reading.call({}, read, hash), read == 'HKEYS' and 1 or 2
  local scores, ids = {}, {}
  for i = 1, #found, step do
    local id, score = found[i], score_of(found[i], found[i + 1])
    if not score or not forms.is_plain(id) then
      if point == '' then
        reading.skip()
      end
    elseif is_behind(score, id, from, from_id, mark == '<') then
      if not ids[score] then
        scores[#scores + 1] = score
        ids[score] = {}
      end
      table.insert(ids[score], id)
    end
  end
  table.sort(scores)
  return scores, ids
end

-- The ids of a hash in the order of `score_of(id, value)`, and of one score in their own, `visit(id, nil, point behind it)` for each. Of
-- too many nothing is read: `pages.many` says so.
local function in_order(hash, point, read, score_of, visit)
  local size = reading.call(0, 'HLEN', hash)
  pages.pass(size)
  if size > SORTED_MAX then
    pages.many = true
    return nil
  end
  local scores, ids = ids_by_score(hash, point, read, score_of)
  for _, score in ipairs(scores) do
    table.sort(ids[score])
    for _, id in ipairs(ids[score]) do
      local behind = int(score) .. ':' .. id
      visit(id, nil, behind)
      if pages.is_full() then
        return behind
      end
    end
  end
  return nil
end

-- The fields of a hash as a scan finds them, however many there are.
local function in_no_order(hash, position, visit)
  local cursor, skip = forms.split_position(position)
  if position ~= '' and not cursor then
    args.bad('position', 'must be of an earlier page', position)
  end
  cursor, skip = cursor or '0', tonumber(skip) or 0
  while true do
    local scanned = reading.call({ '0', {} }, 'HSCAN', hash, cursor, 'COUNT', SCAN_COUNT)
    local found = scanned[2]
    for i = skip + 1, #found / 2 do
      local behind = cursor .. ':' .. int(i)
      visit(found[2 * i - 1], found[2 * i], behind)
      if pages.is_full() then
        return behind
      end
    end
    pages.pass(1)
    cursor, skip = scanned[1], 0
    if cursor == '0' then
      return nil
    elseif pages.is_full() then
      return cursor .. ':0'
    end
  end
end

-- The ids of a hash, `visit(id, value, point behind it)` for each: in order, where who needs values reads them, or with `scan` in none.
function pages.of_hash(hash, point, how, visit)
  if how.scan then
    return in_no_order(hash, point, visit)
  end
  return in_order(hash, point, how.read, how.score_of, visit)
end

return pages
