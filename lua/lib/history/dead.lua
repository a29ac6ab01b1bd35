-- Module history/dead: the contexts that ended without success, within a number and a budget of bytes of their partition (W9). The oldest
-- go, and with them what they left.
-- @use counters
-- @use history/budgets
-- @use history/traces
-- @use keys
-- @use lists
-- @use record
-- @use records/dead_record
local dead = {}
local int = record.int

dead.KEPT = 10000 -- of a partition
local PAGE = 100
local GONE_MAX = 1000 -- in one call

-- Counts bytes of the dead that came or went.
function dead.count(bytes)
  budgets.read({ '!d' })
  local sum = math.max(budgets.number('!d') + bytes, 0)
  budgets.put('!d', sum > 0 and int(sum))
end

-- The bytes that one counts for.
function dead.weight(member)
  return #member + 100
end

-- Lets the oldest dead go beyond `most` of them, and beyond their budget.
function dead.bound(most)
  local budget = budgets.of('d')
  local excess = redis.call('ZCARD', keys.dead) - most
  local left = GONE_MAX
  while left > 0 and (excess > 0 or budgets.number('!d') > budget) do
    local members = redis.call('ZRANGE', keys.dead, 0, PAGE - 1)
    local gone, bytes = {}, 0
    for _, member in ipairs(members) do
      if #gone < excess or budgets.number('!d') - bytes > budget then
        bytes = bytes + dead.weight(member)
        gone[#gone + 1] = dead_record.id_of(member)
      end
    end
    if #members == 0 then
      budgets.put('!d', false)
      return
    end
    redis.call('ZREMRANGEBYRANK', keys.dead, 0, #gone - 1)
    counters.add('dead_dropped', #gone)
    dead.count(-bytes)
    traces.forget(gone)
    excess, left = excess - #gone, left - #gone
  end
end

-- Adds some, `{ ms, member }` one behind the other, and lets the oldest go.
function dead.write(members)
  local bytes = 0
  for i = 2, #members, 2 do
    bytes = bytes + dead.weight(members[i])
  end
  lists.write_many('ZADD', keys.dead, members)
  dead.count(bytes)
  dead.bound(dead.KEPT)
end

return dead
