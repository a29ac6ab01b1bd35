#!lua flags=no-writes
--[[
Script   context/count
Purpose  About how many contexts are in each place of a partition, by what Redis counts itself.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :fans :retry :backlog :events :dead :ready: :active: :queue: :runs:
ARGV     1 job      of which it is asked; empty: of all

Reply    { 'COUNTED', fields... }
           held?   that run. Of a job: that are active
           fans?   that are split
           retry?  that wait for another attempt, which are among those of the wheel
           ready?  that wait for a permit, of the first 64 queues
           queue?  of a job: that wait behind an earlier run
           wheel?  entries
           ends?   records of events, were all entries as great as the newest. Of a job: its runs
           dead?   that are kept
           unreadable? keys of a wrong type
Raises   BAD_ARG    an argument is out of range

Cost     O(log(wheel)), and some queues; at most 72 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use reading
-- @use ready_sets
-- @use replies
-- @use records/settled_record
local QUEUES = 64
local NAME_BYTES = 220
local job = ARGV[1] ~= '' and args.text(1, 'job', NAME_BYTES)
local reply = { 'COUNTED' }

local function tell(name, command, key)
  replies.tell_number(reply, name, reading.call(0, command, key))
end

if job then
  tell('held', 'HLEN', keys.active(job))
  tell('queue', 'ZCARD', keys.queue(job))
  tell('ends', 'LLEN', keys.runs(job))
  tell('dead', 'ZCARD', keys.dead)
  return reading.page(reply, '')
end
tell('held', 'HLEN', keys.held)
tell('fans', 'HLEN', keys.fans)
tell('retry', 'HLEN', keys.retry)
tell('wheel', 'ZCARD', KEYS[1])
tell('dead', 'ZCARD', keys.dead)
local queues = reading.call({}, 'ZRANGE', keys.backlog, 0, QUEUES - 1)
local ready = #queues == QUEUES and 1 or 0 -- those behind them may have some
for _, queue in ipairs(queues) do
  local zset = ready_sets.key_of(queue)
  ready = ready + (zset and reading.call(0, 'ZCARD', zset) or 0)
end
replies.tell_number(reply, 'ready', ready)
local newest = reading.call({}, 'XREVRANGE', keys.events, '+', '-', 'COUNT', 1)[1]
local records = 0
for _ in settled_record.each(newest and newest[2][2] or '') do
  records = records + 1
end
replies.tell_number(reply, 'ends', records * reading.call(0, 'XLEN', keys.events))
return reading.page(reply, '')
