#!lua flags=no-writes
--[[
Script   access/list
Purpose  Read a page of the tokens, in no order. What stays there is seen at least once.

KEYS     1 tokens   hash  id -> token    {tw}:tokens
           computed: {tw}:tokens_used
ARGV     1 cursor   of an earlier page, or 0

Reply    { 'TOKENS', fields... }
           tokens      { id, record, ms of its last use or empty }...
           cursor?     of the next page; none: there is no more
           unreadable? keys that have another type than they should
Raises   BAD_ARG    an argument is out of range

Cost     O(100), O(tokens) while they are few; 2 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use args/forms
-- @use keys
-- @use reading
-- @use replies
local STEP = 100
if not forms.is_digits(ARGV[1] or '') then
  args.bad('cursor', 'must be of an earlier page', ARGV[1])
end
local scanned = reading.call({ '0', {} }, 'HSCAN', keys.tokens, ARGV[1], 'COUNT', STEP)
local found, ids, tokens = scanned[2], {}, {}
for i = 1, #found, 2 do
  ids[#ids + 1] = found[i]
  tokens[#tokens + 1] = { found[i], found[i + 1], '' }
end
local used = #ids > 0 and reading.call({}, 'HMGET', keys.tokens_used, unpack(ids)) or {}
for i, token in ipairs(tokens) do
  token[3] = used[i] or ''
end
local reply = { 'TOKENS', 'tokens', tokens }
replies.tell(reply, 'cursor', scanned[1] ~= '0' and scanned[1])
replies.tell_number(reply, 'unreadable', reading.unreadable)
return reply
