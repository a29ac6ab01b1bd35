-- Module zsets: finds members of sorted sets by how they begin.
-- @use record
local zsets = {}
local int = record.int

local FEW = 4 -- members read at once where one is looked for

-- Redis is started with the host's collation, so Lua's `<` on strings is not the byte order of a sorted set.
function zsets.bytes_before(left, right)
  for i = 1, math.min(#left, #right) do
    local l, r = string.byte(left, i), string.byte(right, i)
    if l ~= r then
      return l < r
    end
  end
  return #left < #right
end

-- The member of `zset` at `score` that starts with `prefix`. Mostly it is the first of its score, or few share that; among many it is
-- found by halving, as members of one score lie in byte order. Each member that is read is hashed whole, so none is read for nothing.
-- Who takes out one after the other gives `ranks`, a table of its own: mostly the next one stands where the last one stood.
function zsets.find(zset, score, prefix, ranks)
  if score ~= score then
    return nil -- of a text that is not a number
  end
  local rank = ranks and ranks[zset]
  local next = rank and redis.call('ZRANGE', zset, rank, rank)[1]
  if next and string.sub(next, 1, #prefix) == prefix then
    return next
  end
  local first = 0
  for _, count in ipairs({ 1, FEW - 1 }) do
    local few = redis.call('ZRANGE', zset, int(score), int(score), 'BYSCORE', 'LIMIT', first, count)
    for _, member in ipairs(few) do
      if string.sub(member, 1, #prefix) == prefix then
        return member
      end
    end
    if #few < count then
      return nil
    end
    first = first + count
  end
  local low = redis.call('ZCOUNT', zset, '-inf', '(' .. int(score))
  local high = redis.call('ZCOUNT', zset, '-inf', int(score)) - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', zset, middle, middle)[1]
    if string.sub(member, 1, #prefix) == prefix then
      if ranks then
        ranks[zset] = middle
      end
      return member
    end
    if zsets.bytes_before(member, prefix) then
      low = middle + 1
    else
      high = middle - 1
    end
  end
  return nil
end

return zsets
