#!lua flags=allow-oom
--[[
Script   repair/context
Purpose  Put one context where it belongs: in one place, at the score where it is looked for, with the indexes that say so. One that is
         active by its job and in no place runs again from its job's definition, or ends as failed where that cannot be.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :retry :backlog :events :dead :stats :wake :quarantine :ready: :fair :tags: :limit_released :limit_waiting
             :limit_contended, and :job: :active: :queue: :runs: of its job
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 id       context
         3 ended    greatest attempt with which it is known to have ended, integer, or empty
         4 count    places where it was seen besides its own, integer, 0..20; then three for each:
           key      without the partition: wheel, ready:<group>:<handler> or queue:<job>
           score    at which it was seen
           head     the member up to its body

Reply    { 'REPAIRED', what was done... }
         { 'CLEAN' }   there was nothing to do
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(ready sets * log(wheel)); at most 120 + 130 * ready sets + 40 * count commands
Holds    W1 W2 W4 W6 W7
Repeat   Idempotent: the second call is CLEAN.
]]
-- @use args
-- @use contexts/ending
-- @use fan_out/concluding
-- @use fan_out/finishing
-- @use keys
-- @use contexts/locations
-- @use contexts/mending
-- @use contexts/ready
-- @use jobs/overlap_queue
-- @use records/context_id
-- @use records/context_options
-- @use records/context_record
-- @use records/held_value
-- @use records/queue_name
local HINTS_MAX = 20
local RECOVERED = 1000000 -- attempts of a lost context go on above every number that was given out
local RANKS = { fan = 5, held = 4, ready = 3, wheel = 2, queue = 1 }

local now = args.now(1)
local id = args.text(2, 'id', 300)
local due, job = context_id.due_of(id), context_id.job_of(id)
if not due then
  args.bad('id', 'must be a context id', id)
end
local ended = ARGV[3] ~= '' and args.int(3, 'ended', 0, 4294967295) or nil
local count = args.int(4, 'count', 0, HINTS_MAX)
if #ARGV ~= 4 + 3 * count then
  args.bad('places', 'must be three values each', #ARGV - 4)
end
local hints = {}
for i = 1, count do
  local at = 2 + 3 * i
  hints[i] = { args.text(at, 'key', 300), args.text(at + 1, 'score', 40), ARGV[at + 2] }
end
local endings, did = ending.new(), {}

local function done(text)
  did[#did + 1] = text
end

-- What is readable, and whether anything is not: that is quarantine's.
local found, retry, fair = locations.of(id, hints, true)
local call = { now = now, id = id, due = due, job = job, endings = endings, retry = retry, done = done }
local spots, unreadable = {}, false
for _, one in ipairs(found) do
  local spot = { place = one[1], name = one[2], text = one[3], score = one[4] }
  local held = spot.place == 'held' and held_value.split(spot.text)
  if held then
    spot.held, spot.attempt, spot.failures, spot.rest = held, held.attempt, held.failures, held.rest
  else
    local _, attempt, failures, rest = context_record.split(spot.text)
    spot.attempt, spot.failures, spot.rest = attempt, failures, rest
  end
  if spot.rest and context_record.split_rest(spot.rest) then
    spots[#spots + 1] = spot
  else
    unreadable = true
  end
end

-- What has ended waits for nothing, unless it was asked to run again.
local function drop_ended()
  local left = {}
  for _, spot in ipairs(spots) do
    if spot.attempt > ended or (spot.attempt == ended and spot.failures == 0 and not spot.held) then
      left[#left + 1] = spot
    else
      mending.remove(call, spot)
      done('taken out of ' .. spot.name .. ', as it has ended')
    end
  end
  if #left == 0 and #spots > 0 and job then
    redis.call('HDEL', keys.active(job), id)
    local policy = redis.call('HMGET', keys.job(job), 'overlap', 'overlap_limit')
    overlap_queue.start(endings.ready, now, job, unpack(policy))
  end
  spots = left
end

-- The greatest attempt is the one that counts (W2); of equal ones, the place that is furthest.
local function keep_one()
  local best = spots[1]
  for _, spot in ipairs(spots) do
    local further = RANKS[spot.place] > RANKS[best.place]
    if spot.attempt > best.attempt or (spot.attempt == best.attempt and further) then
      best = spot
    end
  end
  for _, spot in ipairs(spots) do
    if spot ~= best then
      mending.remove(call, spot)
      done('taken out of ' .. spot.name .. (spot.score ~= '' and ' at ' .. spot.score or ''))
    end
  end
  return best
end

-- Active by its job, and in no place: the lease of an attempt that nobody can end any more.
local function recover()
  local mark = job and redis.call('HGET', keys.active(job), id)
  if not mark then
    return
  end
  local template = redis.call('HGET', keys.job(job), 'tmpl')
  if not template or not context_record.split_rest(template) then
    redis.call('HDEL', keys.active(job), id)
    return done('no longer active: its job does not exist')
  end
  local attempt = RECOVERED + math.max(math.floor((now - due) / 1000), 0)
  local _, _, _, options = context_record.split_rest(template)
  if context_id.is_scheduled(id) and context_options.value(options, 'x') ~= '1' then
    ready.add(endings.ready, id, context_record.text(id, attempt, 0, template), template)
    return done('lost: it runs again')
  end
  finishing.end_context(endings, now, { id = id, state = 'failed', attempt = attempt, failures = 0,
    message = 'lost: it was in no place', rest = template })
  done('lost: it ended as failed')
end

if ended then
  drop_ended()
end
if #spots > 0 then
  local spot = keep_one()
  if fair and not queue_name.is_fair(spot.name) then
    redis.call('HDEL', keys.fair, id)
    done('taken out of the index of contexts with keys')
  end
  mending.PLACES[spot.place](call, spot)
  if spot.place ~= 'wheel' then
    mending.index_retry(call, nil)
  end
  if spot.place ~= 'held' and spot.place ~= 'fan' then
    mending.watch(call, spot)
  end
  if job and not context_id.is_subtask(id) then
    mending.mark_active(call, spot)
  end
elseif not unreadable then
  if redis.call('HDEL', keys.fair, id) > 0 then
    done('taken out of the index of contexts with keys')
  end
  mending.index_retry(call, nil)
  recover()
else
  local ready, planned = false, false
  for _, one in ipairs(found) do
    ready, planned = ready or one[1] == 'ready', planned or one[1] == 'wheel'
  end
  if not planned then
    mending.index_retry(call, nil)
  end
  if fair and not ready then
    redis.call('HDEL', keys.fair, id)
    done('taken out of the index of contexts with keys')
  end
end
concluding.flush(endings, now)
ending.flush(endings, now)
if #did == 0 then
  return { 'CLEAN' }
end
ready.wake(0)
return { 'REPAIRED', unpack(did) }
