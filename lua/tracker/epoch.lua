#!lua flags=allow-oom
--[[
Script   tracker/epoch
Purpose  Says how new the data under one hash tag are, and counts on when another server than before answers for them: a restart, a
         failover, an old primary that came back. A store whose count is lower than one seen before, or equal under another server, is
         an older one.

KEYS     1 epoch    hash  number, primary                                {tw}:epoch {tw:p}:epoch
ARGV     1 number   the highest seen, integer, 0..9007199254740991; 0 when none was
         2 primary  the run id seen with it; empty when none was
         3 run_id   of the server that answers now

Reply    { 'CURRENT', number, primary }   as seen, or newer
         { 'RAISED', number, primary }    counted on for this server
         { 'OLDER', number, primary }     older than what was seen; nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(1); at most 2 commands
Holds    W5
Repeat   Idempotent: the second call finds the server it knows.
]]
-- @use args
-- @use record
local int = record.int
local seen = args.int(1, 'number', 0, 9007199254740991)
local run_id = args.text(3, 'run_id', 64)
local found = redis.call('HMGET', KEYS[1], 'number', 'primary')
local number, primary = tonumber(found[1] or 0), found[2] or ''
if number < seen or (number == seen and number > 0 and primary ~= ARGV[2]) then
  return { 'OLDER', number, primary }
end
if primary == run_id then
  return { 'CURRENT', number, primary }
end
redis.call('HSET', KEYS[1], 'number', int(number + 1), 'primary', run_id)
return { 'RAISED', number + 1, run_id }
