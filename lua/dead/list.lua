#!lua flags=no-writes
--[[
Script   dead/list
Purpose  Read one page of the contexts that ended without success, the newest first, without their bodies.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:dead {tw:p}:stats
ARGV     1 position `<ended ms>:<n>` of an earlier page, the n-th context of that end being the next; empty: from the newest on
         2 limit    contexts looked at, integer, 1..100

Reply    { 'DEAD', fields... }
           position?   where the next page begins; none: there is no more
           dropped     how many the bound of this partition's dead has let go so far
           unreadable? records that were passed by because they do not follow their grammar
           items       { member up to its body, bytes of the body }...
Raises   BAD_ARG    an argument is out of range

Cost     O(log(dead) + limit); 2 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use reading
-- @use record
-- @use records/dead_record
local int = record.int
local LIMIT_MAX = 100
local score, skip = reading.position(ARGV[1], '+inf')
local limit = args.int(2, 'limit', 1, LIMIT_MAX)
local found = reading.call({}, 'ZRANGE', keys.dead, score, '-inf', 'BYSCORE', 'REV', 'LIMIT', skip, limit, 'WITHSCORES')
local items = {}
for i = 1, #found, 2 do
  local member, ended = found[i], found[i + 1]
  if ended ~= score then
    score, skip = ended, 0
  end
  skip = skip + 1
  local head, body = dead_record.split_body(member)
  if head then
    items[#items + 1] = { head, #body }
  else
    reading.skip()
  end
end
local dropped = reading.call(false, 'HGET', keys.stats, 'dead_dropped')
local next = #found == 2 * limit and score .. ':' .. int(skip) or ''
return reading.page({ 'DEAD', 'items', items, 'dropped', tonumber(dropped) or 0 }, next)
