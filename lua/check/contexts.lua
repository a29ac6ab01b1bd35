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

Reply    { 'CONTEXTS', fields... }
           now_ms
           scan?     score of the lease scan
           contexts  { fields... }... of each:
             id
             retry?    what the retry index says
             mark?     its mark among the active ones of its job
             fair?     its score in a queue with keys, as the index has it
             watched?  1 when its start deadline has an entry in the wheel
             found     { fields... }... of each place it is in:
               place
               key
               text     member or held value without its body
               score?
               body     bytes of the body
Raises   BAD_ARG    an argument is out of range

Cost     O(count * log(wheel)); at most 5 + count * (16 + 110 * ready sets) commands, usually count * 12
Holds    W1 W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use contexts/locations
-- @use records/context_id
-- @use records/context_record
-- @use records/held_value
-- @use records/queue_name
-- @use records/wheel_entry
-- @use replies
local COUNT_MAX = 50
local now = args.now(1)
local wide = args.int(2, 'wide', 0, 1) == 1
local count = args.int(3, 'count', 1, COUNT_MAX)
if #ARGV ~= 3 + 4 * count then
  args.bad('contexts', 'must be four values each', #ARGV - 3)
end

-- A text without its body, and the length of the body.
local function without_body(place, text)
  local head = context_record.head_of(text)
  if place == 'held' then
    head = held_value.head_of(text)
  end
  head = head or string.sub(text, 1, 200)
  return head, #text - #head
end

local function is_watched(id, head)
  local queue, priority, options = context_record.split_head(head)
  return queue and redis.call('ZSCORE', KEYS[1], wheel_entry.start_deadline(id, queue_name.of(queue, options), priority))
end

local contexts = {}
for i = 1, count do
  local base = 4 * i
  local id, name, score, head = ARGV[base], ARGV[base + 1], ARGV[base + 2], ARGV[base + 3]
  if not context_id.due_of(id) then
    args.bad('id', 'must be a context id', id)
  end
  local found, retry, fair = locations.of(id, name ~= '' and { { name, score, head } } or {}, wide)
  local occurrences, watched = {}, nil
  for _, spot in ipairs(found) do
    local place, key, whole, at = unpack(spot)
    local text, body = without_body(place, whole)
    if place ~= 'held' and not watched and context_record.has_start_deadline(text) and is_watched(id, text) then
      watched = 1
    end
    local occurrence = { 'place', place, 'key', key, 'text', text, 'body', body }
    replies.tell(occurrence, 'score', at ~= '' and at)
    occurrences[#occurrences + 1] = occurrence
  end
  local job = context_id.job_of(id)
  local one = { 'id', id, 'found', occurrences }
  replies.tell(one, 'retry', retry)
  replies.tell(one, 'mark', job and redis.call('HGET', keys.active(job), id))
  replies.tell(one, 'watched', watched)
  replies.tell(one, 'fair', fair)
  contexts[i] = one
end
local reply = { 'CONTEXTS', 'now_ms', now, 'contexts', contexts }
replies.tell(reply, 'scan', redis.call('ZSCORE', KEYS[1], '!reap'))
return reply
