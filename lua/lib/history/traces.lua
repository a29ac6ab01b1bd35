-- Module history/traces: logs with progress (`l`), and results (`r`), each kind within a budget of bytes of its partition (W9). Where a
-- budget is spent, the namespace that keeps most of the kind lets its oldest go: who writes much loses its own. What is kept of a context
-- goes with the record of its end. The figures are those of history/budgets; who changed something closes them.
-- @use args
-- @use history/budgets
-- @use keys
-- @use record
-- @use records/context_id
-- @use records/trace_field
local traces = {}
local int = record.int

local KEYS_OF = { l = { 'log', 'progress' }, r = { 'result', 'split' } }
local PAGE = 100
local OLD_PAGE = 400 -- of a namespace, that are older than their time, in one call; there is one in half a minute
local EVICTED_MAX = 1000 -- contexts that make room in one call
local SUBTASKS_MAX = 200 -- of roots, forgotten in one call
local OVERHEAD = { l = 700, r = 400 } -- what Redis needs for keys and index of a context besides content and ids

-- Takes the traces of one kind away that contexts of one namespace left.
local function drop(kind, space, ids)
  if #ids == 0 then
    return
  end
  local names, bytes = {}, 0
  for _, id in ipairs(ids) do
    local field = kind .. ' ' .. id
    bytes = bytes + budgets.number(field)
    budgets.put(field, false)
    for _, name in ipairs(KEYS_OF[kind]) do
      names[#names + 1] = keys[name](id)
    end
  end
  redis.call('UNLINK', unpack(names))
  redis.call('ZREM', keys.traced(kind .. ':' .. space), unpack(ids))
  budgets.add(kind, space, -bytes)
end

-- Lets the oldest of the greatest namespaces go, but not those of `own`. True when `needed` bytes are free.
local function make_room(kind, needed, own)
  local left = EVICTED_MAX
  while needed > 0 and left > 0 do
    budgets.write_ranks()
    local space = redis.call('ZRANGE', keys.spaces(kind), 0, 0, 'REV')[1]
    local ids = space and redis.call('ZRANGE', keys.traced(kind .. ':' .. space), 0, PAGE - 1) or {}
    local fields, gone = {}, {}
    for i, id in ipairs(ids) do
      fields[i] = kind .. ' ' .. id
    end
    budgets.read(fields)
    for i, id in ipairs(ids) do
      if id ~= own and needed > 0 then
        needed = needed - budgets.number(fields[i])
        gone[#gone + 1] = id
      end
    end
    if not space then
      break
    elseif #gone == 0 then
      if #ids > 0 then
        break -- nobody else has anything there
      end
      budgets.read({ '!' .. kind .. ' ' .. space }) -- a sum of nothing
      budgets.add(kind, space, -budgets.number('!' .. kind .. ' ' .. space))
      redis.call('ZREM', keys.spaces(kind), space)
    end
    drop(kind, space, gone)
    budgets.count_dropped(kind, #gone)
    left = left - math.max(#gone, 1)
  end
  return needed <= 0
end

-- A subtask's traces go with its root's.
local function remember_subtask(id)
  local root = context_id.split_subtask(id)
  if root then
    local field = 's ' .. root
    budgets.read({ field })
    budgets.put(field, int(budgets.number(field) + 1))
    redis.call('RPUSH', keys.subtraced(root), id)
  end
end

local function first_of(kind, id, now)
  redis.call('ZADD', keys.traced(kind .. ':' .. context_id.namespace_of(id)), int(now or args.now()), id)
  remember_subtask(id)
  local job = context_id.job_of(id)
  if job then
    local of_job = redis.call('HMGET', keys.job(job), 'kind', 'traced')
    if of_job[1] and not of_job[2] then
      redis.call('HSET', keys.job(job), 'traced', '1')
    end
  end
end

-- Reads what is known of the traces of some contexts.
function traces.read(kind, ids)
  local fields = { '!budget', '!' .. kind }
  for _, id in ipairs(ids) do
    fields[#fields + 1] = kind .. ' ' .. id
    fields[#fields + 1] = '!' .. kind .. ' ' .. context_id.namespace_of(id)
  end
  budgets.read(fields)
end

-- What the ledger says of a context: bytes, lines that its log lost, when the lifetime of its log was last set,
-- and entries that its log let go.
function traces.of(kind, id)
  return trace_field.split(budgets.text(kind .. ' ' .. id) or '')
end

-- Makes room for `more` bytes of a context. False when there is none, whatever else goes. Without `now` the clock is asked when it
-- matters.
function traces.admit(kind, id, more, now)
  local total, budget = budgets.number('!' .. kind), budgets.of(kind)
  local first = not budgets.text(kind .. ' ' .. id)
  if first then
    more = more + OVERHEAD[kind] + 4 * #id
  end
  if total + more > budget and not make_room(kind, total + more - budget, id) then
    budgets.count_dropped(kind, 1)
    return false
  end
  if first then
    first_of(kind, id, now)
  end
  local bytes, lost, renewed, gone = traces.of(kind, id)
  traces.put(kind, id, bytes + more, lost, renewed, gone)
  budgets.add(kind, context_id.namespace_of(id), more)
  return true
end

function traces.put(kind, id, bytes, lost, renewed, gone)
  budgets.put(kind .. ' ' .. id, trace_field.text(kind, bytes, lost, renewed, gone))
end

-- Gives back bytes of a context that left its log, with so many lines and entries.
function traces.shrink(id, less, lines, entries)
  local bytes, lost, renewed, gone = traces.of('l', id)
  traces.put('l', id, math.max(bytes - less, 0), lost + lines, renewed, gone + entries)
  budgets.add('l', context_id.namespace_of(id), -less)
end

-- Forgets the traces of contexts of which nothing else is known any more.
function traces.forget(ids)
  local fields = {}
  for _, id in ipairs(ids) do
    fields[#fields + 1], fields[#fields + 2], fields[#fields + 3] = 'l ' .. id, 'r ' .. id, 's ' .. id
  end
  budgets.read(fields)
  for _, kind in ipairs({ 'l', 'r' }) do
    local spaces = {}
    for _, id in ipairs(ids) do
      if budgets.text(kind .. ' ' .. id) then
        local space = context_id.namespace_of(id)
        spaces[space] = spaces[space] or {}
        table.insert(spaces[space], id)
      end
    end
    for space, gone in pairs(spaces) do
      drop(kind, space, gone)
    end
  end
  for _, id in ipairs(ids) do
    if budgets.text('s ' .. id) then
      budgets.put('s ' .. id, false)
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
      redis.call('SET', keys.result(id), text, 'PX', budgets.kept_ms())
    end
    if fits and parts then
      redis.call('PEXPIRE', keys.split(id), budgets.kept_ms())
    elseif parts then
      redis.call('UNLINK', keys.split(id))
    end
  end
end

-- Forgets what was first written before `until_ms` and is not written any more: a page of each of the greatest namespaces.
function traces.forget_old(until_ms)
  for _, kind in ipairs({ 'l', 'r' }) do
    budgets.write_ranks()
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
    make_room(kind, budgets.number('!' .. kind) - budgets.of(kind), nil)
  end
end

return traces
