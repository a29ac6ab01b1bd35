-- Module history/traces: logs with progress (`l`), and results (`r`), each kind within a budget of bytes of its partition (W9). Where a
-- budget is spent, the namespace that keeps most of the kind lets its oldest go: who writes much loses its own. What is kept of a context
-- goes with the record of its end.
--
-- The hash `traces` is the ledger of bytes: `l <context>` -> `<bytes> <lines that its log lost> <ms when its lifetime was last set>
-- <entries that its log let go>`, `r <context>` -> `<bytes>`, `s <root>` -> how many of its subtasks left something, `!l` and `!r` sums,
-- `!l <namespace>` of one, `!d` that of the dead, and `!budget` -> `<logs> <results> <dead> <ms that they are kept>`.
-- @use args
-- @use counters
-- @use keys
-- @use record
local traces = {}
local int = record.int

local BUDGETS = { l = 16777216, r = 8388608, d = 16777216 } -- bytes, until a tracker says otherwise
local KEPT_MS = 86400000
local PLACES = { l = 1, r = 2, d = 3 }
local KEYS_OF = { l = { 'log', 'progress' }, r = { 'result', 'split' } }
local STATS = { l = 'logs_dropped', r = 'results_dropped' }
local BYTES_MAX = 9007199254740991 -- nobody has so many
local STEP = 4096 -- bytes of a namespace in one step of its rank
local PAGE = 100
local OLD_PAGE = 400 -- of a namespace, that are older than their time, in one call; there is one in half a minute
local EVICTED_MAX = 1000 -- contexts that make room in one call
local SUBTASKS_MAX = 200 -- of roots, forgotten in one call
local OVERHEAD = { l = 700, r = 400 } -- what Redis needs for keys and index of a context besides content and ids

local known, changed, ranks, dropped

function traces.begin()
  known, changed, ranks, dropped = {}, {}, {}, { l = 0, r = 0 }
end

local function read(fields)
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

local function number(field)
  local bytes = tonumber(string.match(known[field] or '', '^%d+')) or 0
  return bytes <= BYTES_MAX and bytes or 0 -- what cannot be read counts from 0 on
end

local function put(field, value)
  known[field], changed[field] = value, true
end

local function setting(place)
  read({ '!budget' })
  local at = 0
  for word in string.gmatch(known['!budget'] or '', '%d+') do
    at = at + 1
    if at == place then
      return tonumber(word)
    end
  end
  return nil
end

local function budget_of(kind)
  return setting(PLACES[kind]) or BUDGETS[kind]
end

-- Whose budget a context is on: its job's namespace.
local function space_of(id)
  return string.match(record.job_of(id) or '', '^([^/]*)/') or 'default'
end

local function add(kind, space, bytes)
  local all, of_space = '!' .. kind, '!' .. kind .. ' ' .. space
  read({ all, of_space })
  local before = number(of_space)
  local after = math.max(before + bytes, 0)
  local sum = math.max(number(all) + bytes, 0)
  put(all, sum > 0 and int(sum))
  put(of_space, after > 0 and int(after))
  local rank = math.ceil(after / STEP)
  if rank ~= math.ceil(before / STEP) then
    ranks[kind .. ' ' .. space] = rank
  end
end

local function write_ranks()
  for name, rank in pairs(ranks) do
    local kind, space = string.match(name, '^(%l) (.*)$')
    if rank > 0 then
      redis.call('ZADD', keys.spaces(kind), rank, space)
    else
      redis.call('ZREM', keys.spaces(kind), space)
    end
  end
  ranks = {}
end

-- Takes the traces of one kind away that contexts of one namespace left.
local function drop(kind, space, ids)
  if #ids == 0 then
    return
  end
  local names, bytes = {}, 0
  for _, id in ipairs(ids) do
    local field = kind .. ' ' .. id
    bytes = bytes + number(field)
    put(field, false)
    for _, name in ipairs(KEYS_OF[kind]) do
      names[#names + 1] = keys[name](id)
    end
  end
  redis.call('UNLINK', unpack(names))
  redis.call('ZREM', keys.traced(kind .. ':' .. space), unpack(ids))
  add(kind, space, -bytes)
end

-- Lets the oldest of the greatest namespaces go, but not those of `own`. True when `needed` bytes are free.
local function make_room(kind, needed, own)
  local left = EVICTED_MAX
  while needed > 0 and left > 0 do
    write_ranks()
    local space = redis.call('ZRANGE', keys.spaces(kind), 0, 0, 'REV')[1]
    local ids = space and redis.call('ZRANGE', keys.traced(kind .. ':' .. space), 0, PAGE - 1) or {}
    local fields, gone = {}, {}
    for i, id in ipairs(ids) do
      fields[i] = kind .. ' ' .. id
    end
    read(fields)
    for i, id in ipairs(ids) do
      if id ~= own and needed > 0 then
        needed = needed - number(fields[i])
        gone[#gone + 1] = id
      end
    end
    if not space then
      break
    elseif #gone == 0 then
      if #ids > 0 then
        break -- nobody else has anything there
      end
      read({ '!' .. kind .. ' ' .. space }) -- a sum of nothing
      add(kind, space, -number('!' .. kind .. ' ' .. space))
      redis.call('ZREM', keys.spaces(kind), space)
    end
    drop(kind, space, gone)
    dropped[kind] = dropped[kind] + #gone
    left = left - math.max(#gone, 1)
  end
  return needed <= 0
end

-- A subtask's traces go with its root's.
local function remember_subtask(id)
  local head, tail = string.match(id, '^([^~]+)~[%d%.r]+(.*)$')
  if head then
    local root = 's ' .. head .. tail
    read({ root })
    put(root, int(number(root) + 1))
    redis.call('RPUSH', keys.subtraced(head .. tail), id)
  end
end

local function first_of(kind, id, now)
  redis.call('ZADD', keys.traced(kind .. ':' .. space_of(id)), int(now or args.now()), id)
  remember_subtask(id)
  local job = record.job_of(id)
  if job then
    local of_job = redis.call('HMGET', keys.job(job), 'kind', 'traced')
    if of_job[1] and not of_job[2] then
      redis.call('HSET', keys.job(job), 'traced', '1')
    end
  end
end

-- How long traces are kept, ms.
function traces.kept_ms()
  return setting(4) or KEPT_MS
end

-- Reads what is known of the traces of some contexts.
function traces.read(kind, ids)
  local fields = { '!budget', '!' .. kind }
  for _, id in ipairs(ids) do
    fields[#fields + 1] = kind .. ' ' .. id
    fields[#fields + 1] = '!' .. kind .. ' ' .. space_of(id)
  end
  read(fields)
end

-- What the ledger says of a context: bytes, lines that its log lost, when the lifetime of its log was last set,
-- and entries that its log let go.
function traces.of(kind, id)
  local bytes, lost, renewed, gone = string.match(known[kind .. ' ' .. id] or '', '^(%d+) ?(%d*) ?(%d*) ?(%d*)$')
  return tonumber(bytes) or 0, tonumber(lost) or 0, tonumber(renewed) or 0, tonumber(gone) or 0
end

-- Makes room for `more` bytes of a context. False when there is none, whatever else goes. Without `now` the clock is asked when it
-- matters.
function traces.admit(kind, id, more, now)
  local total, budget = number('!' .. kind), budget_of(kind)
  local first = not known[kind .. ' ' .. id]
  if first then
    more = more + OVERHEAD[kind] + 4 * #id
  end
  if total + more > budget and not make_room(kind, total + more - budget, id) then
    dropped[kind] = dropped[kind] + 1
    return false
  end
  if first then
    first_of(kind, id, now)
  end
  local bytes, lost, renewed, gone = traces.of(kind, id)
  traces.put(kind, id, bytes + more, lost, renewed, gone)
  add(kind, space_of(id), more)
  return true
end

function traces.put(kind, id, bytes, lost, renewed, gone)
  put(kind .. ' ' .. id, int(bytes) .. (kind == 'l' and ' ' .. int(lost) .. ' ' .. int(renewed) .. ' ' .. int(gone) or ''))
end

-- Gives back bytes of a context that left its log, with so many lines and entries.
function traces.shrink(id, less, lines, entries)
  local bytes, lost, renewed, gone = traces.of('l', id)
  traces.put('l', id, math.max(bytes - less, 0), lost + lines, renewed, gone + entries)
  add('l', space_of(id), -less)
end

-- Forgets the traces of contexts of which nothing else is known any more.
function traces.forget(ids)
  local fields = {}
  for _, id in ipairs(ids) do
    fields[#fields + 1], fields[#fields + 2], fields[#fields + 3] = 'l ' .. id, 'r ' .. id, 's ' .. id
  end
  read(fields)
  for _, kind in ipairs({ 'l', 'r' }) do
    local spaces = {}
    for _, id in ipairs(ids) do
      if known[kind .. ' ' .. id] then
        local space = space_of(id)
        spaces[space] = spaces[space] or {}
        table.insert(spaces[space], id)
      end
    end
    for space, gone in pairs(spaces) do
      drop(kind, space, gone)
    end
  end
  for _, id in ipairs(ids) do
    if known['s ' .. id] then
      put('s ' .. id, false)
      redis.call('RPUSH', keys.untraced, id)
    end
  end
end

-- Forgets a page of what subtasks of forgotten roots left.
function traces.forget_subtasks()
  local left = SUBTASKS_MAX
  while left > 0 do
    local root = redis.call('LINDEX', keys.untraced, 0)
    if not root then
      return
    end
    local ids = redis.call('LPOP', keys.subtraced(root), left) or {}
    if #ids < left then
      redis.call('LPOP', keys.untraced, 1)
    end
    traces.forget(ids)
    left = left - math.max(#ids, 1)
  end
end

-- Keeps the results of a call, `{ id, text }` each. Of a root that was split there are bytes behind them: those of how its parts ended.
function traces.keep_results(results, now)
  local ids = {}
  for i, result in ipairs(results) do
    ids[i] = result[1]
  end
  traces.read('r', ids)
  for _, result in ipairs(results) do
    local id, text, parts = unpack(result)
    local fits = traces.admit('r', id, #text + (parts or 0), now)
    if fits and text ~= '' then
      redis.call('SET', keys.result(id), text, 'PX', traces.kept_ms())
    end
    if fits and parts then
      redis.call('PEXPIRE', keys.split(id), traces.kept_ms())
    elseif parts then
      redis.call('UNLINK', keys.split(id))
    end
  end
end

-- Counts bytes of the dead that came or went.
function traces.count_dead(bytes)
  read({ '!d' })
  local sum = math.max(number('!d') + bytes, 0)
  put('!d', sum > 0 and int(sum))
end

function traces.weight_of_dead(member)
  return #member + 100
end

-- Lets the oldest dead go beyond `most` of them, and beyond their budget.
function traces.bound_dead(most)
  local budget = budget_of('d')
  local excess = redis.call('ZCARD', keys.dead) - most
  local left = EVICTED_MAX
  while left > 0 and (excess > 0 or number('!d') > budget) do
    local members = redis.call('ZRANGE', keys.dead, 0, PAGE - 1)
    local gone, bytes = {}, 0
    for _, member in ipairs(members) do
      if #gone < excess or number('!d') - bytes > budget then
        bytes = bytes + traces.weight_of_dead(member)
        gone[#gone + 1] = string.match(member, '^[^\t]*')
      end
    end
    if #members == 0 then
      put('!d', false)
      return
    end
    redis.call('ZREMRANGEBYRANK', keys.dead, 0, #gone - 1)
    counters.add('dead_dropped', #gone)
    traces.count_dead(-bytes)
    traces.forget(gone)
    excess, left = excess - #gone, left - #gone
  end
end

-- Forgets what was first written before `until_ms` and is not written any more: a page of each of the greatest namespaces.
function traces.forget_old(until_ms)
  for _, kind in ipairs({ 'l', 'r' }) do
    write_ranks()
    for _, space in ipairs(redis.call('ZRANGE', keys.spaces(kind), 0, 15, 'REV')) do
      local set = keys.traced(kind .. ':' .. space)
      local ids = redis.call('ZRANGE', set, '-inf', int(until_ms), 'BYSCORE', 'LIMIT', 0, OLD_PAGE)
      traces.read(kind, ids)
      local gone = {}
      for _, id in ipairs(ids) do
        local _, _, renewed = traces.of(kind, id)
        if renewed > until_ms then
          redis.call('ZADD', set, int(renewed), id)
        else
          gone[#gone + 1] = id
        end
      end
      drop(kind, space, gone)
    end
  end
end

-- Lets the oldest go where a budget became smaller.
function traces.make_fit()
  for kind in pairs(KEYS_OF) do
    make_room(kind, number('!' .. kind) - budget_of(kind), nil)
  end
end

-- Bytes of logs with progress, of results, and of the dead.
function traces.sums()
  read({ '!l', '!r', '!d' })
  return number('!l'), number('!r'), number('!d')
end

function traces.set_budget(text)
  put('!budget', text)
end

-- Writes what changed of the ledger. Last of all in a call.
function traces.close()
  write_ranks()
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

return traces
