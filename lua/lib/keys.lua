-- Module keys: the names of all keys, built from the hash tag of KEYS[1], so that every key of a call shares it. docs/keyspace.md says what
-- each one holds. `keys.wheel` is the name of the one key of its kind in a partition; `keys.job(name)` of one of many.
-- @use records/redis_key
local keys = {}
keys.base = ''

local SINGLE = ' asides attempted audit backlog dead drained epoch events fair fans groups held jobs limit_contended limit_released'
  .. ' limit_shares limit_waiting limits meta pauses placements quarantine retry sessions stats tokens'
  .. ' tokens_used traces trackers untraced used_placements wake wheel zones '
local NAMED = ' active attempts awaited dedup fan job ledger limit log parts progress queue ready result results route runs spaces split'
  .. ' subtraced tags traced worker workers '
local made = {} -- single keys of the present base

-- From here on keys are those behind `base`: `{tw:7}:` of a partition, `{tw}:` of the cluster.
function keys.lie_in(base)
  if base ~= keys.base then
    for _, kind in ipairs(made) do
      keys[kind] = nil
    end
    made, keys.base = {}, base
  end
end

-- Those of the partition, or the cluster, that KEYS[1] belongs to.
function keys.begin()
  keys.lie_in(redis_key.base_of(KEYS[1] or ''))
end

setmetatable(keys, { __index = function(_, kind)
  if string.find(SINGLE, ' ' .. kind .. ' ', 1, true) then
    made[#made + 1] = kind
    keys[kind] = keys.base .. kind
  elseif string.find(NAMED, ' ' .. kind .. ' ', 1, true) then
    local mark = kind .. ':'
    keys[kind] = function(name)
      return keys.base .. mark .. name
    end
  else
    error('no such key: ' .. tostring(kind))
  end
  return keys[kind]
end })

return keys
