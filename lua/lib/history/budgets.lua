-- Module history/budgets: what logs with progress (`l`), results (`r`) and the dead (`d`) of a partition take, counted for each namespace,
-- and how much they may (W9).
--
-- The hash `traces` has the figures: `l <context>` -> `<bytes> <lines that its log lost> <ms when its lifetime was last set>
-- <entries that its log let go>`, `r <context>` -> `<bytes>`, `s <root>` -> how many of its subtasks left something, `!l` and `!r` sums,
-- `!l <namespace>` of one, `!d` that of the dead, and `!budget` -> `<logs> <results> <dead> <ms that they are kept>`. It is read once in a
-- call, and `close` writes what changed.
-- @use counters
-- @use keys
-- @use record
-- @use records/trace_field
local budgets = {}
local int = record.int

local BYTES = { l = 16777216, r = 8388608, d = 16777216 } -- until a tracker says otherwise
local KEPT_MS = 86400000
local PLACES = { l = 1, r = 2, d = 3 }
local STATS = { l = 'logs_dropped', r = 'results_dropped' }
local BYTES_MAX = 9007199254740991 -- nobody has so many
local STEP = 4096 -- bytes of a namespace in one step of its rank

local known, changed, ranks, dropped

function budgets.begin()
  known, changed, ranks, dropped = {}, {}, {}, { l = 0, r = 0 }
end

-- Reads fields of the hash that are not known yet.
function budgets.read(fields)
  local missing = {}
  for _, field in ipairs(fields) do
    if known[field] == nil then
      known[field] = false
      missing[#missing + 1] = field
    end
  end
  for first = 1, #missing, 2000 do
    local last = math.min(first + 1999, #missing)
    for i, value in ipairs(redis.call('HMGET', keys.traces, unpack(missing, first, last))) do
      known[missing[first + i - 1]] = value
    end
  end
end

-- The bytes that a field tells of; 0 when it is not there.
function budgets.number(field)
  local bytes = trace_field.bytes_of(known[field] or '')
  return bytes <= BYTES_MAX and bytes or 0 -- what cannot be read counts from 0 on
end

-- False takes the field away.
function budgets.put(field, value)
  known[field], changed[field] = value, true
end

local function setting(place)
  budgets.read({ '!budget' })
  return trace_field.setting(known['!budget'] or '', place)
end

-- The bytes that all of a kind may take.
function budgets.of(kind)
  return setting(PLACES[kind]) or BYTES[kind]
end

-- Counts bytes that came, or went.
function budgets.add(kind, space, bytes)
  local all, of_space = '!' .. kind, '!' .. kind .. ' ' .. space
  budgets.read({ all, of_space })
  local before = budgets.number(of_space)
  local after = math.max(before + bytes, 0)
  local sum = math.max(budgets.number(all) + bytes, 0)
  budgets.put(all, sum > 0 and int(sum))
  budgets.put(of_space, after > 0 and int(after))
  local rank = math.ceil(after / STEP)
  if rank ~= math.ceil(before / STEP) then
    ranks[kind .. ' ' .. space] = rank
  end
end

-- Brings the order of the namespaces up to date: `spaces` has the greatest last.
function budgets.write_ranks()
  for name, rank in pairs(ranks) do
    local kind, space = trace_field.split_name(name)
    if rank > 0 then
      redis.call('ZADD', keys.spaces(kind), rank, space)
    else
      redis.call('ZREM', keys.spaces(kind), space)
    end
  end
  ranks = {}
end

-- The text of a field, false when it is not there.
function budgets.text(field)
  return known[field]
end

-- How long what was kept stays, ms.
function budgets.kept_ms()
  return setting(4) or KEPT_MS
end

-- Counts what found no room, or had to make it.
function budgets.count_dropped(kind, count)
  dropped[kind] = dropped[kind] + count
end

-- Bytes of logs with progress, of results, and of the dead.
function budgets.sums()
  budgets.read({ '!l', '!r', '!d' })
  return budgets.number('!l'), budgets.number('!r'), budgets.number('!d')
end

function budgets.set(text)
  budgets.put('!budget', text)
end

-- Writes what changed of the figures. Last of all in a call.
function budgets.close()
  budgets.write_ranks()
  local written, removed = {}, {}
  for field in pairs(changed) do
    if known[field] then
      written[#written + 1], written[#written + 2] = field, known[field]
    else
      removed[#removed + 1] = field
    end
  end
  changed = {}
  for first = 1, #written, 2000 do
    redis.call('HSET', keys.traces, unpack(written, first, math.min(first + 1999, #written)))
  end
  for first = 1, #removed, 2000 do
    redis.call('HDEL', keys.traces, unpack(removed, first, math.min(first + 1999, #removed)))
  end
  for kind, count in pairs(dropped) do
    if count > 0 then
      counters.add(STATS[kind], count)
      dropped[kind] = 0
    end
  end
end

return budgets
