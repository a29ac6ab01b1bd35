-- Module lists: lists that keep the newest, and writes of more values than one command takes.

local lists = {}

lists.TRIM_EVERY = 16 -- a bounded list is at most this much longer than its bound
local VALUES_MAX = 2000 -- of one command; unpack fails at 8,000

-- Appends to a list that keeps the newest; `kept` tells how many, and is asked at every sixteenth entry only.
function lists.push(list, values, kept)
  local length = redis.call('RPUSH', list, unpack(values))
  if length % lists.TRIM_EVERY < #values then
    local most = kept()
    if length > most then
      redis.call('LTRIM', list, -most, -1)
    end
  end
end

-- Runs `command` on `target` with all values of `list`, an even number of them.
function lists.write_many(command, target, list)
  for first = 1, #list, VALUES_MAX do
    redis.call(command, target, unpack(list, first, math.min(first + VALUES_MAX - 1, #list)))
  end
end

return lists
