#!lua flags=allow-oom
--[[
Script   audit/append
Purpose  Write down what somebody did, or was refused. The newest 20,000 events are kept.

KEYS     1 audit    stream  one entry for each event, its field `e` as JSON    {tw}:audit
ARGV     1 events   JSON of 4,096 bytes at most, 1..100 of them

Reply    { 'APPENDED', count }
Raises   BAD_ARG    there are none, too many, or one is too long; nothing was written

Cost     O(events); at most 100 commands
Holds    W9 W10
Repeat   A second call writes the events again.
]]
-- @use args
local EVENTS_MAX = 100
local EVENT_BYTES = 4096
local KEPT = 20000
if not ARGV[1] or #ARGV > EVENTS_MAX then
  args.bad('events', 'must be 1 to 100', #ARGV)
end
for i = 1, #ARGV do
  if #ARGV[i] == 0 or #ARGV[i] > EVENT_BYTES then
    args.bad('event', 'must have 1 to 4096 bytes', #ARGV[i])
  end
end
for i = 1, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', KEPT, '*', 'e', ARGV[i])
end
return { 'APPENDED', #ARGV }
