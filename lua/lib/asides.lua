-- Module asides: what has the place of a key of ours with another type makes room for it. The newest are kept for a person to look at.
-- @use counters
-- @use keys
-- @use records/aside_entry
local asides = {}

local KEPT = 100
local BYTES = 67108864 -- of all of them; the newest stays, whatever it takes

-- Bytes of a key by a sample of what it holds; 0 where nobody may ask.
local function weight(key)
  local done, bytes = pcall(redis.call, 'MEMORY', 'USAGE', key)
  return done and tonumber(bytes) or 0
end

-- The oldest go, until number and bytes are within their bounds; answers with how many.
function asides.bound()
  local all, bytes, dropped = redis.call('LRANGE', keys.asides, 0, -1), 0, 0
  for i = 1, #all do
    bytes = bytes + aside_entry.bytes_of(all[i])
  end
  while dropped < #all - 1 and (#all - dropped > KEPT or bytes > BYTES) do
    dropped = dropped + 1
    local size, name = aside_entry.split(all[dropped])
    bytes = bytes - size
    if name then
      redis.call('UNLINK', keys.base .. name)
    end
  end
  if dropped > 0 then
    redis.call('LTRIM', keys.asides, dropped, -1)
    counters.add('asides_dropped', dropped)
  end
  return dropped
end

-- The new name of a key that is there. What was moved in the same millisecond keeps its own: there are as many as are kept, and few more.
local function out_of_the_way(now, name)
  for at = now, now + 2 * KEPT do
    local moved = aside_entry.name(name, at)
    if redis.call('RENAMENX', keys.base .. name, keys.base .. moved) == 1 then
      return moved
    end
  end
  local moved = aside_entry.name(name, now)
  redis.call('RENAME', keys.base .. name, keys.base .. moved)
  return moved
end

-- Moves the key `name`, which is there, out of the way; answers with its new name. Both are without their partition.
function asides.move(now, name)
  local moved = out_of_the_way(now, name)
  local entry = aside_entry.text(weight(keys.base .. moved), moved)
  if not pcall(redis.call, 'RPUSH', keys.asides, entry) then
    local list = out_of_the_way(now, 'asides')
    redis.call('RPUSH', keys.asides, aside_entry.text(weight(keys.base .. list), list), entry)
  end
  asides.bound()
  return moved
end

return asides
