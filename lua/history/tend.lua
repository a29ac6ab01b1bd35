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
-- @use args
-- @use keys
-- @use record
-- @use history/budgets
-- @use history/dead
-- @use history/traces
local int = record.int
local BYTES_MAX = 1125899906842624 -- 2^50
local bytes = {}
for i, name in ipairs({ 'logs', 'results', 'dead' }) do
  bytes[i] = int(args.int(i, name, 65536, BYTES_MAX))
end
local keep = args.int(4, 'keep_ms', 1000, 315360000000)

-- Most partitions have nothing, and are asked all the time.
local budget, of_logs, of_results, of_dead = unpack(redis.call('HMGET', keys.traces, '!budget', '!l', '!r', '!d'))
local is_empty = (of_logs or '0') == '0' and (of_results or '0') == '0' and (of_dead or '0') == '0'
local text = table.concat(bytes, ' ') .. ' ' .. int(keep)
if budget ~= text then
  budgets.set(text)
elseif is_empty and redis.call('EXISTS', keys.dead, keys.untraced) == 0 then
  return { 'TENDED', 0, 0, 0, redis.call('XLEN', keys.events) }
end
traces.forget_old(args.now() - keep)
traces.forget_subtasks()
budgets.sums()
dead.bound(dead.KEPT)
traces.make_fit()
budgets.close()
local logs, results, of_dead_left = budgets.sums()
return { 'TENDED', logs, results, of_dead_left, redis.call('XLEN', keys.events) }
