#!lua flags=allow-oom
--[[
Script   history/tend
Purpose  Say how much the history of a partition may take, let a page of what is older than its time go, and answer how much there is.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:traces :traced: :spaces: :subtraced: :untraced :dead :stats :events, and :log: :progress: :result: of what goes
ARGV     1 logs     bytes of logs and progress, integer, 65536..2^50
         2 results  bytes of results, integer, 65536..2^50
         3 dead     bytes of the dead, integer, 65536..2^50
         4 keep_ms  how long logs, progress and results are kept, integer, 1000..315360000000

Reply    { 'TENDED', logs, results, dead, events }   bytes; events: entries of the stream
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(what goes); at most 400 commands
Holds    W9
Repeat   Idempotent.
]]
-- @prelude
-- @part traces
local BYTES_MAX = 1125899906842624 -- 2^50
local DEAD_KEPT = 10000
local budgets = {}
for i, name in ipairs({ 'logs', 'results', 'dead' }) do
  budgets[i] = int(arg_int(i, name, 65536, BYTES_MAX))
end
local keep = arg_int(4, 'keep_ms', 1000, 315360000000)

local text = table.concat(budgets, ' ') .. ' ' .. int(keep)
if redis.call('HGET', BASE .. 'traces', '!budget') ~= text then
  traces.set_budget(text)
end
traces.forget_old(now_ms() - keep)
traces.forget_subtasks()
traces.sums()
traces.bound_dead(DEAD_KEPT)
traces.make_fit()
traces.close()
local logs, results, dead = traces.sums()
return { 'TENDED', logs, results, dead, redis.call('XLEN', BASE .. 'events') }
