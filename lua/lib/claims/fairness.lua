-- Module claims/fairness: contexts with a key share the permits of their group by the weights of their keys (W9), whatever each key has
-- waiting. Start-time fair queueing: each context gets a tag, its key's last one and a step, or the group's clock where that is later; the
-- least tag goes first, and the clock is the tag of what was claimed last. So a key that just came stands behind one context of each other
-- key, not behind all of them. Tags take the place of due times in the scores of a queue with keys (`<group> <handler>[ c=<placement>]
-- k=`).
-- @use keys
-- @use ready_sets
-- @use record
-- @use records/context_id
-- @use records/context_options
-- @use records/queue_name
local fairness = {}
local int = record.int

local STEP = 64 -- between two tags of a key of weight 1; the greatest weight takes steps of 1
local CLOCK = '!' -- no key has this character

-- Collects what waits in the queue of `list`; `score` is what it would have without a key.
function fairness.put(list, score, member, id, options)
  list.waiting[#list.waiting + 1] = {
    band = score - score % ready_sets.PRIORITY_SPAN, member = member, id = id, key = context_options.value(options, 'k'),
    step = math.max(math.floor(STEP / context_options.number(options, 'v', 1)), 1),
  }
end

-- Gives what was collected its scores, and has them found by id.
function fairness.stamp(queue, list)
  local tags = keys.tags(queue_name.group_of(queue))
  local clock, last, index = tonumber(redis.call('ZSCORE', tags, CLOCK) or 0), {}, {}
  for i, one in ipairs(list.waiting) do
    local tag = last[one.key] or math.max(clock, tonumber(redis.call('ZSCORE', tags, one.key) or 0))
    last[one.key] = tag + one.step
    local score = int(one.band + math.min(tag, ready_sets.PRIORITY_SPAN - 1))
    list[2 * i - 1], list[2 * i] = score, one.member
    index[2 * i - 1], index[2 * i] = one.id, score
  end
  local written = {}
  for name, tag in pairs(last) do
    written[#written + 1], written[#written + 2] = int(tag), name
  end
  for first = 1, #written, 2000 do
    redis.call('ZADD', tags, unpack(written, first, math.min(first + 1999, #written)))
  end
  for first = 1, #index, 2000 do
    redis.call('HSET', keys.fair, unpack(index, first, math.min(first + 1999, #index)))
  end
  list.waiting = {}
end

-- What was claimed, or ended, waits no longer; `tag` is the last one claimed. Keys that are not ahead of the clock are forgotten.
function fairness.left(queue, ids, tag)
  for first = 1, #ids, 2000 do
    redis.call('HDEL', keys.fair, unpack(ids, first, math.min(first + 1999, #ids)))
  end
  local tags = keys.tags(queue_name.group_of(queue))
  if tag and tag > tonumber(redis.call('ZSCORE', tags, CLOCK) or -1) then
    redis.call('ZREMRANGEBYSCORE', tags, '-inf', int(tag))
    redis.call('ZADD', tags, int(tag), CLOCK)
  end
end

-- Sources of a group's queues with keys follow each other by their tags, and among other sources they stand where the longest waiting of
-- their heads would. Called when all of them are open.
function fairness.align(sources)
  local least, longest = {}, {}
  for _, source in ipairs(sources) do
    if source.fair then
      local group, due = queue_name.group_of(source.queue), context_id.due_of(source.page[source.at]) or 0
      local tag = source.score % ready_sets.PRIORITY_SPAN
      least[group] = math.min(least[group] or tag, tag)
      longest[group] = math.min(longest[group] or due, due)
    end
  end
  for _, source in ipairs(sources) do
    local group = source.fair and queue_name.group_of(source.queue)
    if group then
      source.shift = longest[group] - least[group]
      source.score = source.score + source.shift
    end
  end
end

return fairness
