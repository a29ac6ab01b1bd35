#!lua flags=allow-oom
--[[
Script   context/cancel
Purpose  Cancel a context wherever it is: one that waits ends at once, a running one is told through its worker and ends within its
         grace. A split one takes its subtasks along; a subtask fails alone.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :retry :backlog :events :wake :quarantine :stats :ready: :fair :tags: :dedup:
             for contexts of jobs :job: :active: :queue: :runs: and for split ones :fans :fan: :parts: :results: :result:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 id       context

Reply    { 'ENDED' }                       it waited, and is cancelled
         { 'STOPPING' }                    its subtasks that run are being told; it ends with the last of them
         { 'RUNNING', worker, attempt }    the cancellation is on its way
         { 'NOWHERE' }                     it is not planned, not waiting and not running
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(ready sets * log(wheel)); at most 60 + 170 * ready sets commands
Holds    W1 W7
Repeat   Idempotent: the grace of a running attempt counts from the first call.
]]
-- @use args
-- @use contexts/cancelling
-- @use contexts/ending
-- @use fan_out/concluding
-- @use records/context_id
local now = args.now(1)
local id = args.text(2, 'id', 300)
if not context_id.due_of(id) then
  args.bad('id', 'must be a context id', id)
end
local endings = ending.new()
local verdict, worker, attempt = cancelling.cancel(endings, now, id, 'REQUESTED', 'cancelled on request')
concluding.flush(endings, now)
ending.flush(endings, now)
if verdict == 'RUNNING' then
  return { verdict, worker, attempt }
end
return { verdict or 'NOWHERE' }
