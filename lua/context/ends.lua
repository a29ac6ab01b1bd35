#!lua flags=no-writes
--[[
Script   context/ends
Purpose  Which of some contexts have ended since an earlier call, by the newest events, a bounded step in each call: for those who wait for
         ends without looking at each context.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:events
ARGV     1 since    the newest event of an earlier call, empty for none
         2 cursor   where an earlier call of this look stopped, or empty
         3 count    how many contexts follow, integer, 0..1000
           id       context

Reply    { 'ENDS', newest, cursor, { id... } }   newest: the newest event, where there is one and the cursor was empty
           cursor: call again with it for the rest of the look, empty: all ends since are told
Raises   BAD_ARG    an argument is out of range

Cost     O(events of the step); at most 11 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use bounds
-- @use history/ends
-- @use keys
-- @use args/forms
local since, cursor = ARGV[1], ARGV[2]
for number, name in ipairs({ 'since', 'cursor' }) do
  if ARGV[number] ~= '' and not forms.is_entry(ARGV[number]) then
    args.bad(name, 'must be of an earlier reply', ARGV[number])
  end
end
local count = args.int(3, 'count', 0, bounds.ITEMS_MAX)
if #ARGV ~= 3 + count then
  args.bad('contexts', 'must be one value each', #ARGV - 3)
end
local newest = cursor == '' and redis.call('XREVRANGE', keys.events, '+', '-', 'COUNT', 1)[1]
newest = newest and newest[1] or ''
if since == '' or newest == since or count == 0 then
  return { 'ENDS', newest, '', {} }
end
local wanted, ended = {}, {}
for i = 1, count do
  wanted[ARGV[3 + i]] = true
end
local found, next_from = ends.walk(cursor == '' and '+' or cursor, '(' .. since, wanted)
for id in pairs(found) do
  ended[#ended + 1] = id
end
return { 'ENDS', newest, next_from or '', ended }
