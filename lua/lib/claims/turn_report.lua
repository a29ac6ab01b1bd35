-- Module claims/turn_report: what a turn tells its tracker of what waits, and the subtasks that come back in it.
-- @use fan_out/fan_changes
-- @use fan_out/fans
-- @use keys
-- @use quarantine
-- @use claims/queues
-- @use contexts/ready
-- @use ready_sets
-- @use records/context_record
-- @use records/queue_name
-- @use records/fan_record
local turn_report = {}

turn_report.MOST = 64 -- queues, contexts to split and workers that one turn tells of
turn_report.LOOKED_MOST = 256 -- queues that it looks at for them
turn_report.SPLITS_MOST = 64

function turn_report.new()
  return { sizes = {}, places = {}, looked = 0, opens = {}, pinned = {} }
end

function turn_report.is_full(told)
  return #told.sizes >= 2 * turn_report.MOST or told.looked >= turn_report.LOOKED_MOST
end

-- The queues of `all` in the order in which they are told of. Where they are more than can be, those of `bases()` come first, and each turn
-- begins with another one; where `all` are not all, some of the others that have to be split come last.
function turn_report.in_order(now, all, untold, bases)
  return #all <= turn_report.MOST and not untold and all or turn_report.ordered(now, all, untold, bases)
end

function turn_report.ordered(now, all, untold, bases)
  local asked, ordered, others = {}, {}, untold and queues.of_splits(now, turn_report.SPLITS_MOST) or {}
  for _, base in ipairs(bases()) do
    asked[base] = true
  end
  local start = now % math.max(#all, 1)
  for i = 1, #all do
    local queue = all[(start + i) % #all + 1]
    local list = asked[queue_name.base_of(queue)] and ordered or others
    list[#list + 1] = queue
  end
  for _, queue in ipairs(others) do
    ordered[#ordered + 1] = queue
  end
  return ordered
end

function turn_report.workers(root)
  local workers = {}
  for _, name in ipairs(redis.call('HKEYS', keys.fan(root))) do
    workers[#workers + 1] = fan_record.worker_of(name)
  end
  return workers
end

-- So many more wait in a queue; each is told once, whatever its roots are.
local function add(told, queue, count)
  local at = told.places[queue]
  if at then
    told.sizes[at] = told.sizes[at] + count
  elseif #told.sizes < 2 * turn_report.MOST then
    told.sizes[#told.sizes + 1], told.sizes[#told.sizes + 2] = queue, count
    told.places[queue] = #told.sizes
  end
end

-- A queue that nobody shall be visited for: its placement has to be offered all the same, for the turn in which it may go on.
function turn_report.tell_placement(told, queue)
  local base = queue_name.placed_base(queue)
  if base then
    add(told, base, 0)
  end
end

-- What waits in a queue: how many anybody may claim, which contexts have to be split, or for which workers parts wait.
function turn_report.tell(visit, told, endings, queue)
  local handler = queue_name.handler_of(queue)
  local base, root = queue_name.split_root(queue)
  local count = 0
  told.looked = told.looked + 1
  if root then
    local fan = fans.of(endings, root)
    count = redis.call('LLEN', keys.parts(handler .. ':' .. root))
    if fan and fan.model == 'indexed' then
      count = count + fan.total - fan.next_index
    end
    for _, worker in ipairs(fan and fan.pinned > 0 and turn_report.workers(root) or {}) do
      if #told.pinned < 2 * turn_report.MOST then
        told.pinned[#told.pinned + 1], told.pinned[#told.pinned + 2] = worker, base
      end
    end
  elseif handler == '!fan' then
    for _, member in ipairs(redis.call('ZRANGE', ready_sets.key_of(queue), 0, turn_report.MOST - #told.opens - 1)) do
      local head = context_record.usable_head(member)
      if head then
        told.opens[#told.opens + 1] = head
      else
        visit.aside = visit.aside + 1
        quarantine.put(visit.now, string.sub(ready_sets.key_of(queue), #keys.base + 1), '', 'no context that can be split', member)
        ready.remove(queue, ready_sets.key_of(queue), member)
      end
    end
  else
    count = redis.call('ZCARD', ready_sets.key_of(queue))
  end
  if count > 0 then
    add(told, base or queue, count)
  else
    turn_report.tell_placement(told, queue) -- parts may wait for certain workers
  end
end

-- Parts wait for certain workers: `<root> <worker>...` for a tracker that looks whether these live; nil when none do.
function turn_report.look(endings, root)
  local fan = fans.of(endings, root)
  return fan and fan.pinned > 0 and root .. ' ' .. table.concat(turn_report.workers(root), ' ')
end

-- A subtask whose next attempt is due: it waits again. One of a round that is over is forgotten.
function turn_report.due_again(endings, id, counts, rest)
  local fan, n = fans.of_subtask(endings, id)
  if fan then
    fan.later = fan.later - 1
    if fan.state ~= 'dropping' then
      fan_changes.wait_again(fan, n, counts, rest)
    end
  end
end

return turn_report
