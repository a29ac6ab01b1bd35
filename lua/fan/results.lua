#!lua flags=no-writes
--[[
Script   fan/results
Purpose  Read a page of the results that a running reduce gets, in the order in which the subtasks ended.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:held :results:
ARGV     1 id       the reduce
         2 holder   `<attempt> <worker>`: the number of the attempt, and who runs it
         3 cursor   results read so far, integer, 0..10000000
         4 limit    results wanted, integer, 1..1000; a page ends at 1 MiB

Reply    { 'PAGE', next, { `<n> <s or f> <result or error>`... } }   no results: the end
         { 'STALE' }   the attempt does not hold its context
         { 'FOREIGN' }   another worker runs that attempt
Raises   BAD_ARG    an argument is out of range

Cost     O(cursor / 100 + limit); at most 12 commands
Holds    W2 W8 W9
Repeat   Reads only.
]]
-- @use args
-- @use bounds
-- @use keys
-- @use record
-- @use records/context_id
-- @use records/held_value
-- @use args/forms
local int = record.int
local PAGE_BYTES = 1048576
local STEP = 100
local id = args.text(1, 'id', 300)
local attempt = forms.attempt_of(args.text(2, 'holder', 140))
if not attempt then
  args.bad('holder', 'must be an attempt and its worker', ARGV[2])
end
local cursor = args.int(3, 'cursor', 0, 10000000)
local limit = args.int(4, 'limit', 1, bounds.ITEMS_MAX)
local held = redis.call('HGET', keys.held, id)
local root, _, n = context_id.split_subtask(id)
local runs, worker = held_value.holder_of(held or '')
if n ~= context_id.REDUCE or runs ~= attempt then
  return { 'STALE' }
elseif runs .. ' ' .. worker ~= ARGV[2] then
  return { 'FOREIGN' }
end
local results, bytes, found = {}, 0
repeat
  local first = cursor + #results
  found = redis.call('LRANGE', keys.results(root), first, first + math.min(STEP, limit - #results) - 1)
  for _, result in ipairs(found) do
    if bytes > 0 and bytes + #result > PAGE_BYTES then
      return { 'PAGE', int(cursor + #results), results }
    end
    results[#results + 1] = result
    bytes = bytes + #result
  end
until #found == 0 or #results >= limit
return { 'PAGE', int(cursor + #results), results }
