-- Module partition: what a call knows of its partition as a whole.
-- @use keys
-- @use records/redis_key
local partition = {}
local plain

function partition.begin()
  plain = nil
end

-- Its number, as a text; nil for keys that belong to none.
function partition.number()
  return redis_key.partition_of(keys.base)
end

-- True when the partition had neither split contexts nor contexts that run under limits: most have none, and are asked once in a call.
function partition.is_plain()
  if plain == nil then
    plain = redis.call('EXISTS', keys.fans, keys.limit_shares) == 0
  end
  return plain
end

return partition
