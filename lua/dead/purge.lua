#!lua flags=allow-oom
--[[
Script   dead/purge
Purpose  Forget contexts that ended without success, with their logs, progress, results and attempts.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:dead :traces :traced: :spaces: :subtraced: :untraced :stats :log: :progress: :result: :split:
             :attempts:
ARGV     1 count    integer, 1..100; then two for each context:
           id       context
           ended_ms when it ended, its score among the dead

Reply    { 'PURGED', verdicts }  verdicts: one letter for each context
           P forgotten     N it is not among the dead with this end
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(count * log(dead)); at most 30 + 28 * count commands
Holds    W9
Repeat   The second call answers N for what the first one took.
]]
-- @use args
-- @use keys
-- @use history/budgets
-- @use history/dead
-- @use history/traces
-- @use zsets
-- @use records/settled_record
local COUNT_MAX = 100
local count = args.int(1, 'count', 1, COUNT_MAX)
if #ARGV ~= 1 + 2 * count then
  args.bad('contexts', 'must be two values each', #ARGV - 1)
end
local ids, ends = {}, {}
for i = 1, count do
  local at = 2 * i
  ids[i] = args.text(at, 'id', 300)
  ends[i] = args.int(at + 1, 'ended_ms', 0, 9007199254740991)
end
local PURGED, NOT_THERE = 'P', 'N'
local verdicts, gone = {}, {}
for i, id in ipairs(ids) do
  local member = zsets.find(keys.dead, ends[i], settled_record.start_of(id))
  verdicts[i] = member and PURGED or NOT_THERE
  if member then
    redis.call('ZREM', keys.dead, member)
    dead.count(-dead.weight(member))
    gone[#gone + 1] = id
    redis.call('UNLINK', keys.log(id), keys.progress(id), keys.result(id), keys.split(id), keys.attempts(id))
  end
end
if #gone > 0 then
  traces.forget(gone)
  budgets.close()
end
return { 'PURGED', table.concat(verdicts) }
