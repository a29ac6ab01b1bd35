#!lua flags=allow-oom
--[[
Script   fan/unpin
Purpose  Give up on workers that are gone: their parts of a broadcast fail, their shards may run anywhere.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:fans :held :retry :events :dead :backlog :wake :fan: :parts: :results: :result: and of the root's job :job:
             :active: :queue: :runs:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 root     the split context; behind it 1..1000 workers

Reply    { 'UNPINNED', failed, moved }   parts that failed, and that may run anywhere now
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(parts of these workers); at most 60 + 10 * workers commands
Holds    W1 W2 W7 W8
Repeat   Idempotent: the parts do not wait there any more.
]]
-- @use args
-- @use bounds
-- @use contexts/ending
-- @use fan_out/fan_changes
-- @use fan_out/concluding
-- @use fan_out/fans
-- @use fan_out/finishing
-- @use keys
-- @use contexts/ready
-- @use record
-- @use records/ended_part
-- @use records/waiting_part
local int = record.int
local now = args.now(1)
local root = args.text(2, 'root', 300)
local count = #ARGV - 2
if count < 1 or count > bounds.ITEMS_MAX then
  args.bad('workers', 'must be 1 to ' .. int(bounds.ITEMS_MAX), count)
end
local endings = ending.new()
local fan = fans.of(endings, root)
local failed, moved = 0, 0

-- A static model has one handler.
local function give_up(worker, handler)
  local list = keys.parts(handler .. ':' .. root .. ':' .. worker)
  local entries = redis.call('LRANGE', list, 0, -1)
  if #entries == 0 then
    return
  end
  redis.call('UNLINK', list)
  fan_changes.count_pinned(fan, worker, -#entries)
  if fan.model == 'sharding' then
    fan_changes.push('RPUSH', keys.parts(handler .. ':' .. root), entries)
    moved = moved + #entries
    return
  end
  for _, entry in ipairs(entries) do
    finishing.end_subtask(fan, waiting_part.number_of(entry), true, 'worker lost: ' .. worker .. ' is gone', ended_part.by(0, worker, 0))
  end
  failed = failed + #entries
end
if fan and fan.pinned > 0 and fan.state ~= 'dropping' then
  for i = 1, count do
    give_up(ARGV[2 + i], fan.handlers)
  end
  if fans.is_drained(fan, fan.handlers) then
    redis.call('ZREM', keys.backlog, fans.queue(fan, fan.handlers))
  elseif moved > 0 then
    redis.call('ZADD', keys.backlog, 0, fans.queue(fan, fan.handlers))
    ready.wake(0)
  end
  concluding.flush(endings, now)
  ending.flush(endings, now)
end
return { 'UNPINNED', failed, moved }
