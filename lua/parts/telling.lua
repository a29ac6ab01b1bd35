-- Part telling: what a turn tells its tracker of what waits, and the subtasks that come back in it. Needs the parts fans, ready,
-- queues and aside.

-- Queues, contexts to split and workers that one turn tells of, and queues that it looks at for them.
local telling = { MOST = 64, LOOKED_MOST = 256, SPLITS_MOST = 64 }

function telling.new()
  return { sizes = {}, places = {}, looked = 0, opens = {}, pinned = {} }
end

function telling.is_full(told)
  return #told.sizes >= 2 * telling.MOST or told.looked >= telling.LOOKED_MOST
end

-- The queues of `all` in the order in which they are told of. Where they are more than can be, those of `bases()` come first, and each turn
-- begins with another one; where `all` are not all, some of the others that have to be split come last.
function telling.in_order(now, all, untold, bases)
  return #all <= telling.MOST and not untold and all or telling.ordered(now, all, untold, bases)
end

on_demand(telling, function()
  function telling.ordered(now, all, untold, bases)
    local asked, ordered, others = {}, {}, untold and queues.of_splits(now, telling.SPLITS_MOST) or {}
    for _, base in ipairs(bases()) do
      asked[base] = true
    end
    local start = now % math.max(#all, 1)
    for i = 1, #all do
      local queue = all[(start + i) % #all + 1]
      local list = asked[string.match(queue, '^%S+ %S+')] and ordered or others
      list[#list + 1] = queue
    end
    for _, queue in ipairs(others) do
      ordered[#ordered + 1] = queue
    end
    return ordered
  end

  function telling.workers(root)
    local workers = {}
    for _, name in ipairs(redis.call('HKEYS', key('fan', root))) do
      workers[#workers + 1] = string.match(name, '^w:(.+)$')
    end
    return workers
  end

  -- So many more wait in a queue; each is told once, whatever its roots are.
  local function add(told, queue, count)
    local at = told.places[queue]
    if at then
      told.sizes[at] = told.sizes[at] + count
    elseif #told.sizes < 2 * telling.MOST then
      told.sizes[#told.sizes + 1], told.sizes[#told.sizes + 2] = queue, count
      told.places[queue] = #told.sizes
    end
  end

  -- A queue that nobody shall be visited for: its lane has to be offered all the same, for the turn in which it may go on.
  function telling.tell_lane(told, queue)
    local base = string.match(queue, '^%S+ %S+ c=%x+')
    if base then
      add(told, base, 0)
    end
  end

  -- What waits in a queue: how many anybody may claim, which contexts have to be split, or for which workers parts wait.
  function telling.tell(visit, told, endings, queue)
    local handler = string.match(queue, '^%S+ (%S+)')
    local base, root = string.match(queue, '^(.+) /(%S+)$')
    local count = 0
    told.looked = told.looked + 1
    if root then
      local fan = fans.of(endings, root)
      count = redis.call('LLEN', key('parts', handler .. ':' .. root))
      if fan and fan.model == 'indexed' then
        count = count + fan.total - fan.next_index
      end
      for _, worker in ipairs(fan and fan.pinned > 0 and telling.workers(root) or {}) do
        if #told.pinned < 2 * telling.MOST then
          told.pinned[#told.pinned + 1], told.pinned[#told.pinned + 2] = worker, base
        end
      end
    elseif handler == '!fan' then
      for _, member in ipairs(redis.call('ZRANGE', ready_key(queue), 0, telling.MOST - #told.opens - 1)) do
        local head = string.match(member, '^%d+%.%d+%.%S+ %d+:%d+ %S+ %S+ [0-4] %S+ ')
        if head then
          told.opens[#told.opens + 1] = head
        else
          visit.aside = visit.aside + 1
          put_aside(visit.now, string.sub(ready_key(queue), #BASE + 1), '', 'no context that can be split', member)
          remove_ready(queue, ready_key(queue), member)
        end
      end
    else
      count = redis.call('ZCARD', ready_key(queue))
    end
    if count > 0 then
      add(told, base or queue, count)
    else
      telling.tell_lane(told, queue) -- parts may wait for certain workers
    end
  end

  -- Parts wait for certain workers: `<root> <worker>...` for a tracker that looks whether these live; nil when none do.
  function telling.look(endings, root)
    local fan = fans.of(endings, root)
    return fan and fan.pinned > 0 and root .. ' ' .. table.concat(telling.workers(root), ' ')
  end

  -- A subtask whose next attempt is due: it waits again. One of a round that is over is forgotten.
  function telling.due_again(endings, id, counts, rest)
    local fan, n = fans.of_subtask(endings, id)
    if fan then
      fan.later = fan.later - 1
      if fan.state ~= 'dropping' then
        fans.wait_again(fan, n, counts, rest)
      end
    end
  end
end)
