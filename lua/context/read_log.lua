#!lua flags=no-writes
--[[
Script   context/read_log
Purpose  Read a page of a context's log, the oldest entries first.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:log:<context> :traces
ARGV     1 id       context
         2 cursor   entries that were read before, or empty: from the oldest on

Reply    { 'LOG', lost, cursor, entry... }
           lost     lines that the log let go so far
           cursor   where the next page begins
           an entry is what one call kept: `<ms> <attempt> <lines lost before> <lines>`, and for each line a line break and
           `<mark> <bytes>:<line>`
Raises   BAD_ARG    an argument is out of range

Cost     O(page); at most 34 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use record
-- @use records/trace_field
local int = record.int
local STEP = 32 -- entries
local STEPS = 32
local PAGE_BYTES = 262144 -- read on until there are so many

local id = args.text(1, 'id', 300)
local cursor = ARGV[2] ~= '' and args.int(2, 'cursor', 0, 9007199254740991) or 0

local log = keys.log(id)
local ledger = redis.call('HGET', keys.traces, 'l ' .. id) or ''
local lost, gone = trace_field.lost_and_gone(ledger)
-- Behind a log that made room and began anew the numbers begin anew too.
local at = cursor <= gone + redis.call('LLEN', log) and math.max(cursor - gone, 0) or 0
local found, bytes = {}, 0
for _ = 1, STEPS do
  local entries = redis.call('LRANGE', log, at, at + STEP - 1)
  for _, entry in ipairs(entries) do
    if bytes < PAGE_BYTES then
      bytes, at = bytes + #entry, at + 1
      found[#found + 1] = entry
    end
  end
  if #entries < STEP or bytes >= PAGE_BYTES then
    break
  end
end
return { 'LOG', lost, int(gone + at), unpack(found) }
