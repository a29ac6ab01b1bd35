#!lua flags=no-writes
--[[
Script   check/contexts
Purpose  Everything about some contexts at one instant: where they are, and what the indexes say of them.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :retry :fair :backlog :ready:, and :job: :active: :queue: of their jobs
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 wide     1: look in all ready sets, else 0
         3 count    integer, 1..50; then four for each context:
           id       context
           key      where it was seen, without the partition: wheel, ready:<group>:<handler> or queue:<job>; empty: nowhere in a sorted set
           score    at which it was seen
           head     the member up to its body

Reply    { 'CONTEXTS', now_ms, scan | '', { id, retry | '', mark | '', state of its job | '', watched, fair | '', sightings }... }
           scan      score of the lease scan
           fair      its score in a queue with keys, as the index has it
           watched   1 when its start deadline has an entry in the wheel
           sightings { place, key, member or held value without its body, score | '', bytes of the body }...
Raises   BAD_ARG    an argument is out of range

Cost     O(count * log(wheel)); at most 5 + count * (16 + 110 * ready sets) commands, usually count * 12
Holds    W1 W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use contexts/locations
-- @use ready_sets
-- @use record
local COUNT_MAX = 50
local now = args.now(1)
local wide = args.int(2, 'wide', 0, 1) == 1
local count = args.int(3, 'count', 1, COUNT_MAX)
if #ARGV ~= 3 + 4 * count then
  args.bad('contexts', 'must be four values each', #ARGV - 3)
end

-- What an index says; an empty text, which nobody writes, is told as a blank: an index that does not know is told as an empty one.
local function told(value)
  return value == '' and ' ' or value or ''
end

-- A text without its body, and the length of the body.
local function without_body(place, text)
  local head = locations.head_of(text)
  if place == 'held' then
    head = string.match(text, '^%d+:%d+ %S+ %d+ %d+ %d+%l* %S+ %S+ %S+ %d %S+ ')
  end
  head = head or string.sub(text, 1, 200)
  return head, #text - #head
end

local function is_watched(id, head)
  local queue, priority, options = string.match(head, '(%S+ %S+) (%d) (%S+) $')
  return queue and redis.call('ZSCORE', KEYS[1], '#' .. id .. ' ' .. ready_sets.queue_of(queue, options) .. ' ' .. priority)
end

local scan = redis.call('ZSCORE', KEYS[1], '!reap')
local reply = { 'CONTEXTS', now, scan or '' }
for i = 1, count do
  local base = 4 * i
  local id, name, score, head = ARGV[base], ARGV[base + 1], ARGV[base + 2], ARGV[base + 3]
  if not record.due_of(id) then
    args.bad('id', 'must be a context id', id)
  end
  local found, retry, fair = locations.of(id, name ~= '' and { { name, score, head } } or {}, wide)
  local watched = 0
  for _, spot in ipairs(found) do
    spot[3], spot[5] = without_body(spot[1], spot[3])
    if spot[1] ~= 'held' and watched == 0 and string.find(spot[3], '[ ,]s=%d+[, ]') and is_watched(id, spot[3]) then
      watched = 1
    end
  end
  local job = record.job_of(id)
  local mark = job and redis.call('HGET', keys.active(job), id)
  local state = job and redis.call('HGET', keys.job(job), 'state')
  reply[#reply + 1] = { id, told(retry), told(mark), state or '', watched, told(fair), found }
end
return reply
