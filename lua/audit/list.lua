#!lua flags=no-writes
--[[
Script   audit/list
Purpose  Read a page of what was done and refused, the newest first.

KEYS     1 audit    stream  one entry for each event, its field `e` as JSON    {tw}:audit
ARGV     1 cursor   the last event of an earlier page, or empty
         2 limit    events looked at, integer, 1..1000

Reply    { 'EVENTS', fields... }
           events      { when and which of that ms, JSON }...
           cursor?     of the next page; none: there is no more
           unreadable? entries without the field, or a key that has another type than it should
Raises   BAD_ARG    an argument is out of range

Cost     O(limit); 1 command
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use args/forms
-- @use reading
-- @use replies
local cursor, limit = ARGV[1] or '', args.int(2, 'limit', 1, 1000)
if cursor ~= '' and not forms.is_entry(cursor) then
  args.bad('cursor', 'must be of an earlier page', cursor)
end
local found = reading.call({}, 'XREVRANGE', KEYS[1], cursor == '' and '+' or '(' .. cursor, '-', 'COUNT', limit)
local events = {}
for _, entry in ipairs(found) do
  local fields = entry[2]
  if fields[1] == 'e' then
    events[#events + 1] = { entry[1], fields[2] }
  else
    reading.skip()
  end
end
local reply = { 'EVENTS', 'events', events }
replies.tell(reply, 'cursor', #found == limit and found[#found][1])
replies.tell_number(reply, 'unreadable', reading.unreadable)
return reply
