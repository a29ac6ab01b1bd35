#!lua flags=no-writes
--[[
Script   check/fans
Purpose  Everything that a check needs of some split contexts at one instant, whether they are split or only something of them is left.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:fans :held :retry :backlog :fair :ready:, and :fan: :parts: :results: of the roots and :queue: of their jobs
ARGV     1 roots    1..10 of them

Reply    { 'FANS', { fields... }... } of each root:
           root
           listed   1 when it is among the split contexts
           hash     { field, value... } without those of single handlers, subtasks and workers; none when there is no such hash
           running  subtasks that are held, the reduce among them,
           retrying in the wheel,
           waiting  and in lists or not made yet
           lost     1 when no attempt of it is anywhere, or its group cannot be read
Raises   BAD_ARG    an argument is out of range

Cost     O(all that run or wait for a retry here); at most 12 + roots * (30 + handlers * workers with parts) commands, and
         of a root whose own attempt does not run 110 for each ready set
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use fan_out/fans
-- @use keys
-- @use contexts/locating
-- @use record
-- @use records/fan_record
local int = record.int
local ROOTS_MAX = 10
local SHOWN = { 'root', 'model', 'state', 'round', 'total', 'succeeded', 'failed', 'out', 'later', 'parallelism', 'reduce', 'next_index' }
if #ARGV < 1 or #ARGV > ROOTS_MAX then
  args.bad('roots', 'must be 1 to ' .. int(ROOTS_MAX), #ARGV)
end

local reply = { 'FANS' }
for i = 1, #ARGV do
  local root = args.text(i, 'root', 300)
  local fields, waiting, running, retrying, lost = {}, 0, 0, 0, 0
  local fan = fans.read(root)
  if fan then
    for _, name in ipairs(SHOWN) do
      fields[#fields + 1] = name
      fields[#fields + 1] = name == 'root' and (fan_record.counts_of_root(fan.root) or (fan.root == '' and '' or '?')) or fan[name]
    end
    running, retrying = fans.count_in(fan, 'held'), fans.count_in(fan, 'retry')
    waiting = fans.count_listed(fan)
    lost = locating.is_lost(fan) and 1 or 0
  end
  reply[#reply + 1] = { 'root', root, 'listed', redis.call('HEXISTS', keys.fans, root), 'hash', fields, 'running', running,
    'retrying', retrying, 'waiting', waiting, 'lost', lost }
end
return reply
