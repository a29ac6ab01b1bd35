#!lua flags=no-writes
--[[
Script   context/tail
Purpose  What ended in a partition since an earlier call, the oldest end first, as much of it as one call tells: for those who watch ends.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:events
ARGV     1 since    the last event of an earlier call, or `<ms>-0`
         2 now_ms   integer, or empty for the server clock (only tests pass it)

Reply    { 'TAIL', now_ms, last, skipped, records... }
           now_ms   Redis' time: all that ended before is told, or was skipped
           last     the event to begin behind in the next call
           skipped  1 when more had ended than one call tells, and only the newest of it is told; or 0
           records  of one event, one on a line
Raises   BAD_ARG    an argument is out of range

Cost     O(events of the page), at most 64, or 4 where they are great; at most 3 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use args/forms
-- @use history/ends
local BYTES = 65536 -- of the records of a page, and one event
local since = ARGV[1]
if not forms.is_entry(since) then
  args.bad('since', 'must be of an earlier reply', since)
end
-- Read before the events: what ends later is behind them.
local now = args.now(2)
local events, more = ends.newest('(' .. since)
local told, bytes = 0, 0
for i = 1, #events do
  bytes = bytes + #events[i][2][2]
  if i > 1 and bytes > BYTES then
    more = true
    break
  end
  told = i
end
local reply = { 'TAIL', now, events[1] and events[1][1] or since, more and 1 or 0 }
for i = told, 1, -1 do
  reply[#reply + 1] = events[i][2][2]
end
return reply
