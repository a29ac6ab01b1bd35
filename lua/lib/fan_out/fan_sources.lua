-- Module fan_out/fan_sources: what a turn claims from the subtasks that wait, straight from their lists (W1, W8). The n-th subtask of a
-- root counts as due n ms after the root, so that a root with a million of them does not hold up what becomes due later.
-- @use limits/admission
-- @use claims/claiming
-- @use fan_out/fan_changes
-- @use fan_out/fans
-- @use keys
-- @use ready_sets
-- @use record
-- @use claims/routing
-- @use limits/shares
-- @use claims/sources
-- @use records/context_id
-- @use records/context_record
-- @use records/queue_name
-- @use records/fan_record
-- @use records/waiting_part
local fan_sources = {}
local int = record.int

local FAN_SOURCES = 64 -- roots that one turn claims from, the earliest

-- What every subtask of a handler has: its text before the body, its options, its place among the priorities.
function fan_sources.template(fan, name)
  local text = redis.call('HGET', keys.fan(fan.id), name) or ''
  local head, priority, options = fan_record.split_template(text)
  return { head = head, options = options or '-', score = ready_sets.score(priority or 0, context_id.due_of(fan.id)) }
end

-- Reads the next entries; false when nothing more may be claimed.
function fan_sources.read(visit, source)
  local fan = source.fan
  local room = math.min(visit.limit - visit.claims.count, source.size)
  if fan.parallelism > 0 then
    room = math.min(room, fan.parallelism - fan.out)
  end
  if room <= 0 then
    return false
  end
  local found = {}
  if not source.made then
    found = redis.call('LRANGE', source.list, source.read, source.read + room - 1)
    source.read = source.read + #found
  end
  if #found == 0 and fan.model == 'indexed' and not source.only then
    source.made = true
    for n = fan.next_index, math.min(fan.next_index + room, fan.total) - 1 do
      found[#found + 1] = waiting_part.new(int(n), '')
    end
  end
  local bytes = 1
  for _, entry in ipairs(found) do
    bytes = bytes + #entry
  end
  source.page, source.at = found, 1
  local fit = math.floor(claiming.TURN_BYTES * #found / bytes)
  source.size = math.max(1, math.min(source.size * 2, fit, claiming.free_permits(source.offer)))
  return #found > 0
end

-- The workers for which parts wait.
function fan_sources.pinned(fan)
  local wanted = {}
  for _, name in ipairs(redis.call('HKEYS', keys.fan(fan.id))) do
    local worker = fan_record.worker_of(name)
    if worker then
      wanted[worker] = true
    end
  end
  return wanted
end

-- Where the head stands among all that waits.
function fan_sources.score(source)
  source.score = source.template.score + (tonumber(waiting_part.number_of(source.page[source.at])) or source.fan.total)
end

-- The next one is at the head; false when there is none.
function fan_sources.go_on(visit, source)
  source.at = source.at + 1
  if source.at > #source.page and not fan_sources.read(visit, source) then
    return false
  end
  fan_sources.score(source)
  return true
end

function fan_sources.open(visit, source)
  source.template = fan_sources.template(source.fan, fan_record.template_field(source.handler))
  if not fan_sources.read(visit, source) then
    return false
  end
  fan_sources.score(source)
  return true
end

function fan_sources.take(visit, source)
  local fan, template = source.fan, source.template
  if fan.parallelism > 0 and fan.out >= fan.parallelism then -- another source of the root has claimed
    return false
  end
  local n, counts, extra, body = waiting_part.split(source.page[source.at])
  if not n or (#counts > 9 and not context_record.are_counts(counts)) then
    sources.leave_aside(visit, string.sub(source.list, #keys.base + 1), source.page[source.at])
    source.taken = source.taken + 1
    return fan_sources.go_on(visit, source)
  end
  if n == context_id.REDUCE then
    template = fan_sources.template(fan, context_id.REDUCE)
  end
  if fan.model ~= 'map' or n == context_id.REDUCE then
    fan.body = fan.body or fans.body(fan)
    body = body .. fan.body
  end
  if source.only then -- should it come back, it is for the same worker
    extra = waiting_part.only_for(extra, source.only)
  end
  local options = template.options .. extra
  if source.rules and admission.stops(source.rules, options) then
    return false
  end
  local worker = claiming.pick(source.offer, options)
  if not worker then
    return false
  end
  local rest = template.head .. extra .. ' ' .. body
  local id = fan.head .. n .. fan.tail
  local under = source.rules and admission.count()
  claiming.claim(visit.claims, worker, id, counts, rest, options, id .. ' ' .. counts .. ' ' .. rest, under)
  fan.out = fan.out + 1
  if source.made then
    fan.next_index = fan.next_index + 1
  else
    source.taken = source.taken + 1
  end
  return fan_sources.go_on(visit, source)
end

-- Whether nobody may claim from the queue any more: nothing waits, or as many run as may.
function fan_sources.close(_, source)
  local fan = source.fan
  if source.taken > 0 then
    redis.call('LTRIM', source.list, source.taken, -1)
    if source.only then
      fan_changes.count_pinned(fan, source.only, -source.taken)
    end
  end
  if fan.parallelism > 0 and fan.out >= fan.parallelism then
    fan.blocked = true
    for handler in fan_record.each_handler(fan.handlers) do
      redis.call('ZREM', keys.backlog, fans.queue(fan, handler))
    end
    return true
  end
  return fans.is_drained(fan, source.handler)
end

function fan_sources.of(fan, handler, offer, only)
  return { queue = fans.queue(fan, handler), fan = fan, handler = handler, offer = offer, only = only, read = 0, taken = 0,
    rules = shares.groups and shares.groups[fan.group],
    list = keys.parts(handler .. ':' .. fan.id .. (only and ':' .. only or '')),
    open = fan_sources.open, take = fan_sources.take, close = fan_sources.close }
end

-- Adds the sources of the roots in `queues`, each `<group> <handler>[ c=<placement>] /<root>`, for which `offers` has workers. What is
-- meant for certain workers asks for no other: its tracker chose those that fit.
function fan_sources.add(sources, endings, queues, offers)
  local found = {}
  for _, queue in ipairs(queues) do
    local handler, root, base = queue_name.split_subtasks(queue)
    if base and offers[base] then
      local anybody = offers[queue_name.base_of(base)]
      found[#found + 1] = { due = context_id.due_of(root), handler = handler, root = root, offer = offers[base], anybody = anybody }
    end
  end
  if #found > FAN_SOURCES then
    table.sort(found, function(left, right) return left.due < right.due end)
  end
  for i = 1, math.min(#found, FAN_SOURCES) do
    local handler, offer, fan = found[i].handler, found[i].offer, fans.of(endings, found[i].root)
    if fan and fan.state ~= 'dropping' then
      sources[#sources + 1] = fan_sources.of(fan, handler, offer)
      local wanted = fan.pinned > 0 and fan_sources.pinned(fan) or {}
      for _, worker in ipairs(fan.pinned > 0 and found[i].anybody or {}) do
        if worker.free > 0 and wanted[worker.id] then
          sources[#sources + 1] = fan_sources.of(fan, handler, routing.only(offer, worker), worker.id)
        end
      end
    end
  end
end

return fan_sources
