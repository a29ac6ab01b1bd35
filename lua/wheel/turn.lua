#!lua flags=allow-oom
--[[
Script   wheel/turn
Purpose  One visit to one partition: take what is due from the wheel, turn due times of jobs into contexts by their misfire and
         overlap policies, arm the next firings, and claim as many due contexts as the offered workers have permits for. What finds
         no permit waits in its ready set.

KEYS     1 wheel    zset  score = ms, member by its first byte: digit context, @ job, ! lease scan, # start deadline, & outbox
                          {tw:p}:wheel
           computed: {tw:p}:held :retry :backlog :events :dead :wake and :ready: :job: :active: :queue: :ledger: :runs:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 lease_ms dispatch lease of a claim, integer, 100..3600000
         3 limit    entries taken from the wheel, due times decided, and contexts claimed, integer, 1..1000
         4 workers  how many follow, integer, 0..1000; then four for each:
           worker   id
           group    its group
           permits  free ones, integer, 0..1000000
           handlers comma-separated

Reply    { 'TURNED', now_ms, next_ms | '', more, claims, backlog, plan, outbox, scan, counts }
           next_ms  score of the wheel's head; more: 1 when due entries are left
           claims   { worker, context member with its attempt number }...
           backlog  { `group handler`, how many wait }...  at most 64
           plan     jobs whose planned due times ran low or out
           outbox   `<follower> <context> <state>`... to deliver and then to confirm with wheel/delivered
           scan     1 when leases have to be looked at (lease/reap)
           counts   how many due times became contexts, how many were skipped, how many missed
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(limit * log(wheel)); at most 60 + 16 * limit commands, 60 more for each context that expires or is replaced
Holds    W1 W2 W3 W4 W6 W9 W10
Repeat   Takes what is due then. A lost reply is repaired by the end of the dispatch leases; due times are decided once.
]]
-- @prelude
-- @part arming
-- @part ready
-- @part locate
-- @part ending
-- @part cancelling
-- @part firing
local PLAN_LEASE_MS = 1000 -- an unplanned job, and an outbox entry, is offered to the next tracker after this
local PLAN_LOW = 8 -- planned due times of a job below which a tracker adds some
local FIRINGS_MAX = 100 -- due times of one job decided in one visit, besides missed ones; the rest stays due
local BACKLOG_MAX = 64
local TURN_BYTES = 1048576 -- of entries taken, and of contexts claimed; bodies may have 256 KiB each
local PAGE = 8 -- entries read before it is known how many fit

local now = now_ms(1)
local lease_ms = arg_int(2, 'lease_ms', 100, 3600000)
local limit = arg_int(3, 'limit', 1, ITEMS_MAX)
local workers_count = arg_int(4, 'workers', 0, ITEMS_MAX)
if #ARGV ~= 4 + 4 * workers_count then
  bad_arg('workers', 'must be four values each', #ARGV - 4)
end

-- Workers by group and handler, in the order given; the same table stands in every list, so its permits are counted once.
local offers = {}
for i = 1, workers_count do
  local base = 4 * i
  local worker = { id = ARGV[base + 1], free = arg_int(base + 3, 'permits', 0, 1000000) }
  local group = ARGV[base + 2]
  if worker.free > 0 then
    for handler in string.gmatch(ARGV[base + 4], '[^,]+') do
      local queue = group .. ' ' .. handler
      local offer = offers[queue] or { at = 0, free = 0 }
      offers[queue] = offer
      offer[#offer + 1] = worker
      offer.free = offer.free + worker.free
    end
  end
end

local wheel_key, held_key = KEYS[1], BASE .. 'held'
local endings = new_endings()
local claims, held_args, claimed, claimed_bytes, scan_at = {}, {}, 0, 0, now + lease_ms
local plan, outbox, scan = {}, {}, 0
local fired, skipped, missed = 0, 0, 0
local fresh, fresh_order = {}, {}
local again = {} -- score, member: entries that stay in the wheel
local retried, more = {}, 0

-- The next worker with a free permit, in turn; one that the context should avoid only when there is no other.
local function pick(offer, options)
  local avoid = option(options, 'a')
  local fallback = nil
  for _ = 1, #offer do
    offer.at = offer.at % #offer + 1
    local worker = offer[offer.at]
    if worker.free > 0 then
      if worker.id ~= avoid then
        return worker
      end
      fallback = worker
    end
  end
  return fallback
end

local function claim(worker, id, attempt, failures, rest, options)
  worker.free = worker.free - 1
  claimed = claimed + 1
  claimed_bytes = claimed_bytes + #rest
  local head = int(attempt + 1) .. ':' .. int(failures) .. ' '
  local deadline = '0'
  if options ~= '-' then
    local timeout = tonumber(option(options, 't'))
    if timeout then
      deadline = int(now + timeout)
      scan_at = math.min(scan_at, now + timeout)
    end
  end
  held_args[2 * claimed - 1] = id
  held_args[2 * claimed] = head .. worker.id .. ' ' .. int(now) .. ' ' .. int(now + lease_ms) .. ' ' .. deadline .. ' - ' .. rest
  claims[2 * claimed - 1] = worker.id
  claims[2 * claimed] = id .. ' ' .. head .. rest
end

local function add_fresh(id, attempt, failures, rest)
  local group, handler, _, options = split_rest(rest)
  local queue = group .. ' ' .. handler
  local list = fresh[queue]
  if not list then
    list = { group = group }
    fresh[queue] = list
    fresh_order[#fresh_order + 1] = queue
  end
  list[#list + 1] = { id, attempt, failures, rest, options }
end

local function end_expired(id, attempt, failures, rest)
  end_context(endings, now, { id = id, state = 'expired', attempt = attempt, failures = failures,
    message = 'not started by its start deadline', rest = rest })
end

local function is_late(id, failures, options)
  local deadline = failures == 0 and options ~= '-' and option(options, 's')
  return deadline and due_of(id) + tonumber(deadline) <= now
end

-- Puts a fresh context into its ready set, unless its start deadline is over (trackers that paused find both due at once).
local function make_ready(id, attempt, failures, rest, options)
  if is_late(id, failures, options) then
    end_expired(id, attempt, failures, rest)
  else
    add_ready(endings.ready, id, member_of(id, attempt, failures, rest), rest)
  end
end

-- Writes what became ready in this turn so far to where it is found.
local function place_ready()
  if next(endings.ready) then
    flush_ready(endings.ready)
    endings.ready = {}
  end
end

-- The same with the fresh contexts.
local function place_fresh()
  local lists, order = fresh, fresh_order
  fresh, fresh_order = {}, {}
  for _, queue in ipairs(order) do
    for _, context in ipairs(lists[queue]) do
      make_ready(unpack(context))
    end
  end
  place_ready()
end

-- Index (from 0) of the first of `n` due times that is not earlier than `time`.
local function first_from(due_at, n, time)
  local low, high = 0, n
  while low < high do
    local middle = math.floor((low + high) / 2)
    if due_at(middle) < time then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

local function note_missed(fields, due_at, from, to, reason)
  if to < from then
    return
  end
  missed = missed + to - from + 1
  if from == to then
    note_due(fields, int(due_at(from)) .. ' M ' .. reason)
  else
    note_due(fields, int(due_at(from)) .. '-' .. int(due_at(to)) .. 'x' .. int(to - from + 1) .. ' M ' .. reason)
  end
end

-- Jitter delays a due time on purpose; that delay is no lateness.
local function tolerance_of(fields)
  return (tonumber(fields.tolerance) or 5000) + (tonumber(fields.jitter) or 0)
end

-- Applies the misfire policy to due times 0..n-1: notes the missed, and answers the index of the first that fires.
local function apply_misfire(fields, due_at, n)
  local on_time = first_from(due_at, n, now - tolerance_of(fields))
  local from = 0
  if fields.catch_up ~= '' then
    local window = tonumber(fields.catch_up) + (tonumber(fields.jitter) or 0)
    from = math.min(first_from(due_at, n, now - window), on_time)
    note_missed(fields, due_at, 0, from - 1, 'catch_up_window')
  end
  local keep, reason = 0, 'misfire_skip'
  if fields.misfire == 'fire_once' then
    keep, reason = 1, 'misfire_collapsed'
  elseif fields.misfire == 'fire_all' then
    keep, reason = tonumber(fields.misfire_limit) or 1, 'misfire_limit'
  end
  local first = math.max(from, on_time - keep)
  note_missed(fields, due_at, from, first - 1, reason)
  return first
end

-- The due times of a job that have come: how many, a function of their index, and the list behind it for planned ones.
local function due_times(fields)
  local first, jitter = tonumber(fields.next), tonumber(fields.jitter) or 0
  local function come(due, gap)
    return due + jitter_of(fields.name, due, jitter, gap) <= now
  end
  if fields.kind == 'fixed_rate' then
    local period = tonumber(fields.period)
    local function due_at(i)
      return first + i * period
    end
    local n = math.floor((now - first) / period) + 1
    if fields.end_at ~= '' then
      n = math.min(n, math.floor((tonumber(fields.end_at) - first) / period) + 1)
    end
    while n > 0 and not come(due_at(n - 1), period) do
      n = n - 1
    end
    return n, due_at, nil
  end
  local list = { first }
  for due in string.gmatch(fields.plan, '%d+') do
    list[#list + 1] = tonumber(due)
  end
  local n = 0
  while n < #list and come(list[n + 1], (list[n + 2] or list[n + 1] + 1) - list[n + 1]) do
    n = n + 1
  end
  return n, function(i) return list[i + 1] end, list
end

-- What follows due time `done` (an index): the next due time or nil, whether the job is finished, and the plan that remains.
local function what_follows(fields, due_at, done, list, last_fired)
  if done == 0 then
    return tonumber(fields.next), false, list and { unpack(list, 2) } or {}
  end
  if fields.max_runs ~= '' and fields.fired >= tonumber(fields.max_runs) then
    return nil, true, {}
  end
  if fields.kind == 'fixed_rate' then
    local next = due_at(done)
    if fields.end_at ~= '' and next > tonumber(fields.end_at) then
      return nil, true, {}
    end
    return next, false, {}
  end
  if fields.kind == 'fixed_delay' or fields.kind == 'second_delay' then
    if last_fired then
      return nil, false, {}
    end
    local next = now + tonumber(fields.period)
    local over = fields.end_at ~= '' and next > tonumber(fields.end_at)
    return not over and next or nil, over, {}
  end
  local left = {}
  for i = done + 2, #list do
    left[#left + 1] = int(list[i])
  end
  local over = done >= #list and (fields.kind == 'once' or fields.plan_end == '1')
  return list[done + 1], over, left
end

local function rearm(fields, next, left)
  if fields.kind == 'cron' and fields.plan_end ~= '1' and #left < PLAN_LOW then
    plan[#plan + 1] = fields.name
  end
  if not next then
    if fields.kind == 'cron' then
      again[#again + 1] = now + PLAN_LEASE_MS
      again[#again + 1] = '@' .. fields.name
    end
    return -- a delay is armed by the end of its firing
  end
  local gap = tonumber(fields.period) or 0
  if fields.kind == 'cron' then
    gap = left[1] and tonumber(left[1]) - next or 0
  end
  again[#again + 1] = next + jitter_of(fields.name, next, tonumber(fields.jitter) or 0, gap)
  again[#again + 1] = '@' .. fields.name
end

local function fire_at(fields, due)
  local id = partition() .. '.' .. int(due) .. '.f@' .. fields.name
  if fields.overlap == 'replace' and fields.active > 0 then
    place_fresh()
  end
  local verdict, reason = offer_firing(endings, now, fields, id, fields.tmpl)
  if verdict == 'SKIP' then
    skipped = skipped + 1
    note_due(fields, int(due) .. ' S ' .. reason)
    return false
  end
  fired = fired + 1
  fields.fired = fields.fired + 1
  note_due(fields, int(due) .. ' F +' .. int(now - due))
  if verdict == 'START' then
    add_fresh(id, 0, 0, fields.tmpl)
  end
  return true
end

local function fire_job(job)
  local room = math.min(FIRINGS_MAX, limit - fired - skipped)
  if room <= 0 then
    more = 1
    again[#again + 1] = now
    again[#again + 1] = '@' .. job
    return
  end
  local fields = load_job(job)
  if not fields or fields.state ~= 'active' then
    return
  end
  if fields.next == '' then
    if fields.kind == 'cron' then
      rearm(fields, nil, {})
    end
    return
  end
  local n, due_at, list = due_times(fields)
  local behind = n > 0 and due_at(n - 1) < now - tolerance_of(fields)
  if fields.kind == 'cron' and fields.plan_end ~= '1' and n == #list and behind then
    -- Behind its whole plan: which due time is the newest missed one is known only when the plan reaches the tolerance.
    plan[#plan + 1] = job
    again[#again + 1] = now + PLAN_LEASE_MS
    again[#again + 1] = '@' .. job
    return
  end
  local index, last_fired = 0, false
  if n > 0 then
    index = apply_misfire(fields, due_at, n)
    if n > index + room then
      n, more = index + room, 1
    end
  end
  local most = fields.max_runs ~= '' and tonumber(fields.max_runs) or math.huge
  while index < n and fields.fired < most do
    last_fired = fire_at(fields, due_at(index))
    index = index + 1
  end
  local next, finished, left = what_follows(fields, due_at, index, list, last_fired)
  redis.call('HSET', key('job', job), 'next', next and int(next) or '', 'fired', int(fields.fired), 'plan', table.concat(left, ' '),
    'last', index > 0 and int(due_at(index - 1)) or fields.last, 'state', finished and 'finished' or 'active')
  flush_ledger(fields)
  if not finished then
    rearm(fields, next, left)
  end
end

-- The member of a context that waits without a started attempt; refused ones did not start.
local function find_waiting(zset, score, id)
  local member = find_member(zset, score, id .. ' ')
  return member and string.find(member, '^%S+ %d+:0 ') and member
end

-- A context that did not start by its deadline ends as expired, wherever it waits.
local function expire(entry)
  place_ready()
  local id, group, handler, priority = string.match(entry, '^#(%S+) (%S+) (%S+) (%d)$')
  local zset = key('ready', group .. ':' .. handler)
  local member = find_waiting(zset, ready_score(tonumber(priority), due_of(id)), id)
  if member then
    remove_ready(group .. ' ' .. handler, zset, member)
  elseif job_of(id) then
    zset = key('queue', job_of(id))
    member = find_waiting(zset, due_of(id), id)
    if member then
      redis.call('ZREM', zset, member)
    end
  end
  if member then
    local _, attempt, failures, rest = split_member(member)
    end_expired(id, attempt, failures, rest)
  end
end

local due, due_bytes, page = {}, 0, math.min(limit, PAGE)
while page > 0 do
  local found = redis.call('ZRANGE', wheel_key, '-inf', now, 'BYSCORE', 'LIMIT', #due, page)
  for _, entry in ipairs(found) do
    due[#due + 1] = entry
    due_bytes = due_bytes + #entry
  end
  more = #found == page and 1 or 0
  page = more == 1 and math.min(limit - #due, math.floor((TURN_BYTES - due_bytes) * #due / due_bytes)) or 0
end
if #due > 0 then
  redis.call('ZREMRANGEBYRANK', wheel_key, 0, #due - 1)
end
for _, entry in ipairs(due) do
  local kind = string.byte(entry)
  if kind == 64 then -- '@'
    fire_job(string.sub(entry, 2))
  elseif kind == 33 then -- '!': the scan itself sets the time of the next one
    scan = 1
    again[#again + 1] = now + PLAN_LEASE_MS
    again[#again + 1] = entry
  elseif kind == 35 then -- '#'
    expire(entry)
  elseif kind == 38 then -- '&'
    outbox[#outbox + 1] = string.sub(entry, 2)
    again[#again + 1] = now + PLAN_LEASE_MS
    again[#again + 1] = entry
  else
    local id, attempt, failures, rest = split_member(entry)
    if attempt > 0 then
      retried[#retried + 1] = id
    end
    add_fresh(id, attempt, failures, rest)
  end
end
if #retried > 0 then
  redis.call('HDEL', BASE .. 'retry', unpack(retried))
end

-- Fresh contexts are claimed directly only when nothing of their group waits and all of them find a permit; else priority decides
-- among everything that is ready.
place_ready()
local contended, fresh_of_group, fresh_count = {}, {}, 0
for _, queue in ipairs(redis.call('HKEYS', BASE .. 'backlog')) do
  contended[string.match(queue, '^%S+')] = true
end
for _, queue in ipairs(fresh_order) do
  local list = fresh[queue]
  fresh_of_group[list.group] = (fresh_of_group[list.group] or 0) + #list
  fresh_count = fresh_count + #list
end
for _, queue in ipairs(fresh_order) do
  local offer, group = offers[queue], fresh[queue].group
  if offer and (offer.free < fresh_of_group[group] or fresh_count > limit) then
    contended[group] = true
  end
end
for _, queue in ipairs(fresh_order) do
  local list, offer = fresh[queue], offers[queue]
  local enough = offer and not contended[list.group]
  for _, context in ipairs(list) do
    local id, attempt, failures, rest, options = unpack(context)
    local free = enough and claimed < limit and claimed_bytes < TURN_BYTES and not is_late(id, failures, options)
    local worker = free and pick(offer, options)
    if worker then
      claim(worker, id, attempt, failures, rest, options)
    else
      make_ready(id, attempt, failures, rest, options)
    end
  end
end
place_ready()

-- Reads the next page of a ready set; false at its end.
local function read_page(source)
  local first = source.read
  local found = redis.call('ZRANGE', source.zset, first, first + math.min(source.size, limit - claimed) - 1, 'WITHSCORES')
  local bytes = 1
  for i = 1, #found, 2 do
    bytes = bytes + #found[i]
  end
  source.page, source.at, source.read = found, 1, first + #found / 2
  source.size = math.max(1, math.min(source.size * 2, math.floor(TURN_BYTES * #found / (2 * bytes))))
  source.score = tonumber(found[2])
  return #found > 0
end

-- Keeps the source with the smallest score first: a heap whose first element changed.
local function sift(sources)
  local at, count = 1, #sources
  while true do
    local least = at
    for child = 2 * at, math.min(2 * at + 1, count) do
      if sources[child].score < sources[least].score then
        least = child
      end
    end
    if least == at then
      return
    end
    sources[at], sources[least] = sources[least], sources[at]
    at = least
  end
end

-- A late context of a ready set whose deadline's entry is still to be taken from the wheel, or to be written.
local function is_expiring(id, failures, rest, options)
  if not is_late(id, failures, options) then
    return false
  end
  local group, handler, priority = split_rest(rest)
  return endings.watched[id] or redis.call('ZSCORE', wheel_key, '#' .. id .. ' ' .. group .. ' ' .. handler .. ' ' .. priority)
end

-- Claims from the ready sets: the lists of a group are merged by score.
local function claim_ready()
  local sources = {}
  for _, queue in ipairs(redis.call('HKEYS', BASE .. 'backlog')) do
    if offers[queue] then
      local zset = key('ready', (string.gsub(queue, ' ', ':')))
      sources[#sources + 1] = { queue = queue, zset = zset, offer = offers[queue], read = 0, size = PAGE, taken = 0 }
    end
  end
  local open = {}
  for _, source in ipairs(sources) do
    source.size = #sources <= PAGE and math.ceil(PAGE / #sources) or 1
    if read_page(source) then
      open[#open + 1] = source
    end
  end
  table.sort(open, function(left, right) return left.score < right.score end)
  while #open > 0 and claimed < limit and claimed_bytes < TURN_BYTES do
    local source = open[1]
    local id, attempt, failures, rest = split_member(source.page[source.at])
    local _, _, _, options = split_rest(rest)
    local worker, left = nil, true
    if is_expiring(id, failures, rest, options) then
      end_expired(id, attempt, failures, rest)
    else
      worker = pick(source.offer, options)
      left = worker ~= nil
    end
    if worker then
      claim(worker, id, attempt, failures, rest, options)
    end
    if left then
      source.taken = source.taken + 1
      source.at = source.at + 2
      source.score = tonumber(source.page[source.at + 1])
      left = source.score or (claimed < limit and read_page(source))
    end
    if not left then -- nothing more waits here, or no worker of it has a permit
      open[1] = open[#open]
      open[#open] = nil
    end
    if #open > 1 then
      sift(open)
    end
  end
  for _, source in ipairs(sources) do
    if source.taken > 0 then
      redis.call('ZREMRANGEBYRANK', source.zset, 0, source.taken - 1)
      if redis.call('EXISTS', source.zset) == 0 then
        redis.call('HDEL', BASE .. 'backlog', source.queue)
      end
    end
  end
end
if claimed < limit and workers_count > 0 then
  claim_ready()
end

if claimed > 0 then
  write_many('HSET', held_key, held_args)
  redis.call('ZADD', wheel_key, 'LT', scan_at, '!reap')
end
write_many('ZADD', wheel_key, again)
flush_endings(endings)

local head = redis.call('ZRANGE', wheel_key, 0, 0, 'WITHSCORES')
local waiting = {}
for _, queue in ipairs(redis.call('HKEYS', BASE .. 'backlog')) do
  if #waiting >= 2 * BACKLOG_MAX then
    break
  end
  waiting[#waiting + 1] = queue
  waiting[#waiting + 1] = redis.call('ZCARD', key('ready', (string.gsub(queue, ' ', ':'))))
end
return { 'TURNED', now, head[2] and int(tonumber(head[2])) or '', more, claims, waiting, plan, outbox, scan,
  { fired, skipped, missed } }
