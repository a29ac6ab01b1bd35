-- Module contexts/live_pages: pages of contexts that have not ended, for context/list. What runs, what is split and what waits for another
-- attempt comes by its time; what is ready queue by queue, as permits take it; what waits behind an earlier run job by job; the wheel by
-- its scores. Each function takes a position of an earlier page, empty for the first one, and answers with the next one, nil at the end.
-- @use bounds
-- @use contexts/filters
-- @use contexts/locating
-- @use contexts/pages
-- @use keys
-- @use reading
-- @use ready_sets
-- @use record
-- @use zsets
-- @use args/forms
-- @use records/context_id
-- @use records/context_record
-- @use records/held_value
-- @use records/queue_name
-- @use records/wheel_entry
local live_pages = {}

local NAMES = 100 -- queues, or jobs, of one command
local LOOKUP = 8 -- finding a context by its id costs as much as so many entries that are read one behind the other
local LAST = '<inf' -- the point behind all of a queue

-- The words of the places that have another one for their state.
local STATES = { held = 'running', wheel = 'scheduled', retry = 'retrying', queue = 'queued' }

local function take(place, id, group, handler)
  return filters.take_state(STATES[place] or place) and filters.take_id(id) and filters.take_names(group, handler)
end

local function add_member(place, member, score, point)
  pages.see(#member)
  local id, attempt, group, handler = context_record.chosen_by(member)
  if not id then
    return pages.add_unreadable(point)
  end
  if place == 'wheel' and attempt ~= '0' then
    place = 'retry'
  end
  -- Only what runs has a worker.
  if not filters.worker and take(place, id, group, handler) then
    pages.add(point, place, id, member, score)
  end
end

local function add_held(id, value, point)
  value = value or reading.call(false, 'HGET', keys.held, id)
  if not value then
    return
  end
  pages.see(#value)
  local start, _, _, worker, _, _, _, _, group, handler = held_value.split_names(value)
  if not start or not held_value.open_names(value) or not forms.is_plain(id) then
    pages.add_unreadable(point)
  elseif filters.take_worker(worker) and take('held', id, group, handler) then
    pages.add(point, 'held', id, value)
  end
end

-- A time that can be printed and read again.
local function instant(number)
  number = tonumber(number)
  return number and number >= 0 and number <= bounds.INSTANT_MAX and number == math.floor(number) and number or nil
end

local function due_of(id)
  return instant(context_id.due_of(id))
end

function live_pages.held(position, scan)
  return pages.of_hash(keys.held, position, { scan = scan, read = 'HKEYS', score_of = due_of }, add_held)
end

-- Split contexts whose own attempt is over: they wait for their subtasks.
function live_pages.fans(position, scan)
  return pages.of_hash(keys.fans, position, { scan = scan, read = 'HKEYS', score_of = due_of }, function(id, _, point)
    local root = reading.call(false, 'HGET', keys.fan(id), 'root')
    if root and root ~= '' then
      add_member('waiting_for_subtasks', id .. ' ' .. root, nil, point)
    else
      pages.pass(1)
    end
  end)
end

local function score_of_retry(id, score)
  return due_of(id) and instant(score)
end

function live_pages.retry(position, scan)
  local how = { scan = scan, read = 'HGETALL', score_of = score_of_retry }
  return pages.of_hash(keys.retry, position, how, function(id, _, point)
    local score = reading.call(false, 'HGET', keys.retry, id)
    local member = score_of_retry(id, score) and zsets.find(KEYS[1], tonumber(score), id .. ' ')
    pages.spend(LOOKUP)
    if member then
      add_member('retry', member, score, point)
    elseif not score_of_retry(id, score) then
      pages.add_unreadable(point)
    end
  end)
end

-- The active contexts of a job, wherever they are.
function live_pages.active(position, scan)
  local how = { scan = scan, read = 'HKEYS', score_of = due_of }
  return pages.of_hash(keys.active(filters.job), position, how, function(id, _, point)
    pages.spend(LOOKUP)
    if not due_of(id) then
      return pages.add_unreadable(point)
    end
    local place, zset, text = locating.find(id)
    if place == 'held' then
      add_held(id, text, point)
    elseif place then
      add_member(place, text, (place == 'wheel' or place == 'retry') and redis.call('ZSCORE', zset, text) or nil, point)
    end
  end)
end

function live_pages.wheel(position)
  local last = '+inf'
  -- The score of one that never failed is its due time; that of a retry lies behind it.
  if filters.due_to and not filters.take_state('retrying') then
    last = '(' .. record.int(filters.due_to)
  end
  return pages.of_zset(KEYS[1], position, '-inf', last, nil, function(member, score, point)
    if wheel_entry.is_context(wheel_entry.kind_of(member)) then
      add_member('wheel', member, score, point)
    else
      pages.pass(1)
    end
  end)
end

-- Sets one behind the other in the order of their names, which lie in a sorted set; a position is `<name> <point in its set>`.
-- `set_of(name)` is nil for one that is not asked for.
local function of_named(names, position, place, split, set_of)
  local name, point = split(position)
  local function walk(from)
    return pages.of_zset(set_of(name), from, '-inf', '+inf', nil, function(member, _, behind)
      add_member(place, member, nil, name .. ' ' .. behind)
    end)
  end
  if name then
    local next = set_of(name) and walk(point)
    if next then
      return name .. ' ' .. next
    end
  end
  local last = name
  while true do
    local found = reading.call({}, 'ZRANGE', names, last and '(' .. last or '-', '+', 'BYLEX', 'LIMIT', 0, NAMES)
    for _, following in ipairs(found) do
      if last and not zsets.bytes_before(last, following) then
        return nil -- somebody gave names other scores than 0, so that they do not lie in their order
      end
      name, last = following, following
      pages.pass(1)
      local next = set_of(name) and walk('') or pages.is_full() and forms.is_line(name) and LAST
      if next then
        return name .. ' ' .. next
      end
    end
    if #found < NAMES then
      return nil
    end
  end
end

function live_pages.ready(position)
  local is_first = position == ''
  return of_named(keys.backlog, position, 'ready', forms.split_queue_position, function(queue)
    if not queue_name.is_printable(queue) then
      if is_first then
        reading.skip()
      end
      return nil
    end
    local group, handler = queue_name.group_of(queue), queue_name.handler_of(queue)
    -- What a tracker has to split waits apart, under a handler that is none.
    local fits = filters.take_names(group, queue_name.is_to_split(queue) and filters.handler or handler)
    return fits and ready_sets.key_of(queue) or nil
  end)
end

-- The overlap queues, of one job or of all.
function live_pages.queue(position)
  if filters.job then
    local _, point = forms.split_job_position(position)
    local job = filters.job
    local next = pages.of_zset(keys.queue(job), point or '', '-inf', '+inf', nil, function(member, _, behind)
      add_member('queue', member, nil, job .. ' ' .. behind)
    end)
    return next and job .. ' ' .. next
  end
  return of_named(keys.jobs, position, 'queue', forms.split_job_position, function(job)
    return forms.is_plain(job) and keys.queue(job) or nil
  end)
end

return live_pages
