-- Part restoring: a turn that fails half way, because a key has another type than it should, loses nothing (W1): what it took out and did
-- not bring elsewhere goes back into the wheel, or to the other subtasks. Scripts do not undo what they wrote before an error.
-- Needs the parts ready, ending, set_aside, fans, fanning, locate and sources.

local restoring = {}
on_demand(restoring, function()
  -- The answer of a command, nil when it cannot be given.
  local function ask(...)
    local done, answer = pcall(redis.call, ...)
    return done and answer or nil
  end

  -- Whether it waits in the ready set of a queue, where it is found: one that the backlog cannot name is taken out.
  local function waits_in(queue, id, priority)
    local score = is_fair(queue) and tonumber(ask('HGET', BASE .. 'fair', id) or nil) or ready_score(priority, due_of(id))
    local done, member = pcall(find_member, ready_key(queue), score, id .. ' ')
    if not done or not member then
      return false
    end
    if ask('ZADD', BASE .. 'backlog', 0, queue) then
      return true
    end
    ask('ZREM', ready_key(queue), member)
    ask('HDEL', BASE .. 'fair', id)
    return false
  end

  local function is_somewhere(id, member, queue, options, priority)
    if ask('HEXISTS', BASE .. 'held', id) == 1 or ask('ZSCORE', BASE .. 'wheel', member) then
      return true
    end
    if string.find(id, '~', 1, true) then
      local done, place = pcall(locate, id)
      return done and place ~= nil
    end
    local key = is_fair(queue) and option(options, 'k')
    return waits_in(queue, id, priority) or key and waits_in(queue .. key, id, priority)
  end

  -- A subtask that was claimed from its list and is not held waits again.
  local function wait_again(endings, id, counts, rest)
    local fan, n = fans.of_subtask(endings, id)
    if fan and fan.state ~= 'dropping' then
      fans.wait_again(fan, n, counts, rest)
    end
  end

  -- `listed`: endings for a subtask that goes back to its list, nil for what goes into the wheel.
  local function put_back(now, member, listed)
    local queue, id, counts, rest, options = open_member(member)
    if not queue then
      return ask('ZADD', BASE .. 'wheel', 'NX', int(now), member)
    end
    if is_somewhere(id, member, queue, options, tonumber(string.match(rest, '^%S+ %S+ (%d)'))) then
      return
    end
    if listed and string.find(id, '~', 1, true) then
      return pcall(wait_again, listed, id, counts, rest)
    end
    local at = due_of(id)
    if string.byte(counts) ~= 48 then
      at = now
      ask('HSET', BASE .. 'retry', id, int(at))
    end
    ask('ZADD', BASE .. 'wheel', int(at), member)
    use_lane(options)
  end

  -- `taken` are the entries that the turn took from the wheel.
  function restoring.restore(visit, taken)
    local now, endings, known = visit.now, new_endings(), {}
    for _, entry in ipairs(taken) do
      known[entry] = true
      local kind = string.byte(entry) or 0
      if kind >= 48 and kind <= 57 and not visit.gone[entry] then
        put_back(now, entry)
      elseif not visit.gone[entry] then
        ask('ZADD', BASE .. 'wheel', 'NX', int(now), entry)
      end
    end
    for _, member in ipairs(visit.out) do
      put_back(now, member)
    end
    for _, member in ipairs(shares.groups and set_aside.moved() or {}) do
      put_back(now, member)
    end
    for i = 2, #visit.claims.told, 2 do
      local member = visit.claims.told[i]
      if not known[member] then
        put_back(now, member, endings)
      end
    end
    pcall(flush_lanes)
    for _, fan in ipairs(endings.fans.order) do
      pcall(fans.flush_waiting, fan, now)
    end
    if visit.held then -- the subtasks among them are counted as running
      pcall(fanned.flush_claims, visit.endings, now)
    end
  end
end)
