-- Part telling: what a turn tells its tracker of what waits, and the subtasks that come back in it. Needs the part fans.

local telling = { MOST = 64 } -- queues, contexts to split and workers that one turn tells of

function telling.new()
  return { sizes = {}, opens = {}, pinned = {} }
end

on_demand(telling, function()
  function telling.workers(root)
    local workers = {}
    for _, name in ipairs(redis.call('HKEYS', key('fan', root))) do
      workers[#workers + 1] = string.match(name, '^w:(.+)$')
    end
    return workers
  end

  -- What waits in a queue: how many anybody may claim, which contexts have to be split, or for which workers parts wait.
  function telling.tell(told, endings, queue)
    local handler = string.match(queue, '^%S+ (%S+)')
    local base, root = string.match(queue, '^(.+) /(%S+)$')
    local count, is_told = 0, false
    if root then
      local fan = fans.of(endings, root)
      count = redis.call('LLEN', key('parts', handler .. ':' .. root))
      if fan and fan.model == 'indexed' then
        count = count + fan.total - fan.next_index
      end
      is_told = fan and fan.pinned > 0 and fan.lane ~= '' -- its lane has to be offered
      for _, worker in ipairs(fan and fan.pinned > 0 and telling.workers(root) or {}) do
        if #told.pinned < telling.MOST then
          told.pinned[#told.pinned + 1] = worker
        end
      end
    elseif handler == '!fan' then
      for _, member in ipairs(redis.call('ZRANGE', ready_key(queue), 0, telling.MOST - #told.opens - 1)) do
        told.opens[#told.opens + 1] = string.match(member, '^%S+ %S+ %S+ %S+ %d %S+ ')
      end
    else
      count = redis.call('ZCARD', ready_key(queue))
    end
    if count > 0 or is_told then
      told.sizes[#told.sizes + 1] = base or queue
      told.sizes[#told.sizes + 1] = count
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
