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
-- @prelude
-- @part arming
-- @part fairness
-- @part ready
-- @part aside
-- @part traces
-- @part ending
-- @part fans
-- @part fanning
-- @part locate
-- @part cancelling
local now = now_ms(1)
local id = arg_text(2, 'id', 300)
if not due_of(id) then
  bad_arg('id', 'must be a context id', id)
end
local endings = new_endings()
local verdict, worker, attempt = cancel_one(endings, now, id, 'REQUESTED', 'cancelled on request')
fanned.flush(endings, now)
flush_endings(endings, now)
if verdict == 'RUNNING' then
  return { verdict, worker, attempt }
end
return { verdict or 'NOWHERE' }
