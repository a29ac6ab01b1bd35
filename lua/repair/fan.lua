#!lua flags=allow-oom
--[[
Script   repair/fan
Purpose  Make the counts of a split context agree with where its subtasks are, and end its root where nothing is left of them; or clear
         away what is left of one that is not split. Subtasks that are lost count as failed, and so does a root that is.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:fans :held :retry :events :dead :backlog :wake :fan: :parts: :results: :result: and of the root's job :job:
             :active: :queue: :runs:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 root     the split context
         3 keys     of it, without the partition, that may be left over, at most 100; may be absent

Reply    { 'REPAIRED', what was done... }
         { 'CLEAN' }   there was nothing to do
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(all that run or wait for a retry here); at most 110 + 4 * keys commands, and of a root whose own attempt does
         not run 110 for each ready set
Holds    W1 W7 W8
Repeat   Idempotent: the second call is CLEAN.
]]
-- @use args
-- @use contexts/ending
-- @use fan_out/concluding
-- @use fan_out/fans
-- @use fan_out/finishing
-- @use keys
-- @use contexts/locating
-- @use contexts/ready
-- @use record
-- @use records/queue_name
-- @use records/fan_record
-- @use records/redis_key
local int = record.int
local KEYS_MAX = 100
local now = args.now(1)
local root = args.text(2, 'root', 300)
if #ARGV > 2 + KEYS_MAX then
  args.bad('keys', 'must be at most ' .. int(KEYS_MAX), #ARGV - 2)
end
for i = 3, #ARGV do
  local kind, rest = redis_key.split_one(ARGV[i])
  local ours = (kind == 'fan' or kind == 'parts' or kind == 'results') and string.find(rest, root, 1, true)
  if not ours then
    args.bad('keys', 'must be fan, parts or results of the root', ARGV[i])
  end
end
local endings, did = ending.new(), {}

local function done(text)
  did[#did + 1] = text
end

local function clear_away()
  for i = 3, #ARGV do
    if redis.call('UNLINK', keys.base .. ARGV[i]) > 0 then
      done('took away ' .. ARGV[i])
    end
  end
  if redis.call('HDEL', keys.fans, root) > 0 then
    done('no longer among the split contexts')
  end
  for _, queue in ipairs(redis.call('ZRANGE', keys.backlog, 0, -1)) do
    if queue_name.root_of(queue) == root then
      redis.call('ZREM', keys.backlog, queue)
      done('taken out of the backlog: ' .. queue)
    end
  end
end

-- Whatever cannot be read of it, it is split in some way and in some state. One that cannot go on ends.
local function mend(fan)
  local model = redis.call('HGET', keys.fans, root)
  if not fans.MODELS[fan.model] then
    model = fans.MODELS[model] and model or 'map'
    redis.call('HSET', keys.fan(root), 'model', model)
    done('its model is ' .. model)
  end
  if not fans.STATES[fan.state] then
    redis.call('HSET', keys.fan(root), 'state', fan.root == '' and 'open' or 'closed')
    done('its state is known')
  end
end

local function end_lost(fan)
  finishing.drop(fan, 'failed', 'lost: what it ran cannot be read')
  fan.root, fan.touched = 'lost', true
  done('its root ends as failed: what it ran cannot be read')
end

local function recount(fan)
  local function set(name, value)
    if fan[name] ~= value then
      fan[name] = value
      done(name .. ' is ' .. int(value))
    end
  end
  local reducing = fan.state == 'reducing'
  set('out', fans.count_in(fan, 'held'))
  if locating.is_lost(fan) then
    return end_lost(fan)
  end
  if fan.state == 'dropping' then
    return
  end
  set('later', fans.count_in(fan, 'retry'))
  local waiting = fans.count_listed(fan)
  if reducing then
    if fan.out + fan.later + waiting == 0 then
      fan.state = 'closed' -- the reduce was lost: it starts anew
      done('its reduce runs again')
    end
    return
  end
  local lost = fans.waiting(fan) - waiting
  if lost > 0 then
    fan.failed = fan.failed + lost
    fan.error, fan.touched = 'lost: ' .. int(lost) .. ' subtasks were in no place', true
    done(int(lost) .. ' subtasks were in no place and have failed')
  elseif lost < 0 then
    set('total', fan.total - lost)
  end
  for handler in fan_record.each_handler(fan.handlers) do
    local may = not fans.is_drained(fan, handler) and not (fan.parallelism > 0 and fan.out >= fan.parallelism)
    local listed = redis.call('ZSCORE', keys.backlog, fans.queue(fan, handler)) ~= false
    if may and not listed then
      redis.call('ZADD', keys.backlog, 0, fans.queue(fan, handler))
      done('added to the backlog')
    elseif listed and not may then
      redis.call('ZREM', keys.backlog, fans.queue(fan, handler))
      done('taken out of the backlog')
    end
  end
end

local fan = fans.read(root)
if fan then
  mend(fan)
  if redis.call('HSET', keys.fans, root, redis.call('HGET', keys.fan(root), 'model')) == 1 then
    done('among the split contexts again')
  end
  fan = fans.of(endings, root)
  recount(fan)
  concluding.flush(endings, now)
  if fan.over and #did == 0 then
    done('its root goes on: all of its subtasks have ended')
  end
  ending.flush(endings, now)
else
  clear_away()
end
if #did == 0 then
  return { 'CLEAN' }
end
ready.wake(0)
return { 'REPAIRED', unpack(did) }
