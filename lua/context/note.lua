#!lua
--[[
Script   context/note
Purpose  Keep what a running attempt says about itself: log lines and progress. A full server refuses them; the attempt goes on.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:held :log:<context> :progress:<context> :stats
ARGV     1 id       context
         2 holder   `<attempt> <worker>`: the number of the attempt, and who runs it
         3 percent  progress, integer, 0..100, or empty for none
         4 message  beside the progress, at most 1024 bytes; may be empty
         5 lines    log lines of at most 4096 bytes each, at most 1000; may be absent

Reply    { 'WRITTEN' }
         { 'STALE' }   another attempt runs, or none; only the counter of such calls was written
         { 'FOREIGN' }   another worker runs that attempt; only the counter of such calls was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(lines); at most 5 commands
Holds    W2 W9
Repeat   The lines are appended again.
]]
-- @prelude
local LINES_KEPT = 1000
local LINE_BYTES = 4096
local MESSAGE_BYTES = 1024
local LOG_KEPT_MS = 86400000
local PROGRESS_KEPT_MS = 3600000

local id = arg_text(1, 'id', 300)
local attempt = string.match(arg_text(2, 'holder', 140), '^(%d+) %S+$')
if not attempt then
  bad_arg('holder', 'must be an attempt and its worker', ARGV[2])
end
local percent = ARGV[3] ~= '' and arg_int(3, 'percent', 0, 100) or nil
if #ARGV[4] > MESSAGE_BYTES then
  bad_arg('message', 'must have at most ' .. int(MESSAGE_BYTES) .. ' bytes', ARGV[4])
end
local lines = { unpack(ARGV, 5, math.min(#ARGV, 4 + LINES_KEPT)) }
if #ARGV > 4 + LINES_KEPT then
  bad_arg('lines', 'must be at most ' .. int(LINES_KEPT), #ARGV - 4)
end
for _, line in ipairs(lines) do
  if #line > LINE_BYTES then
    bad_arg('lines', 'must have at most ' .. int(LINE_BYTES) .. ' bytes each', line)
  end
end

local held = redis.call('HGET', BASE .. 'held', id)
local runs, worker = string.match(held or '', '^(%d+):%d+ (%S+) ')
if runs ~= attempt then
  redis.call('HINCRBY', BASE .. 'stats', 'stale', 1)
  return { 'STALE' }
elseif runs .. ' ' .. worker ~= ARGV[2] then
  redis.call('HINCRBY', BASE .. 'stats', 'foreign', 1)
  return { 'FOREIGN' }
end
if percent then
  redis.call('SET', key('progress', id), int(percent) .. ' ' .. ARGV[4], 'PX', PROGRESS_KEPT_MS)
end
if #lines > 0 then
  redis.call('RPUSH', key('log', id), unpack(lines))
  redis.call('LTRIM', key('log', id), -LINES_KEPT, -1)
  redis.call('PEXPIRE', key('log', id), LOG_KEPT_MS)
end
return { 'WRITTEN' }
