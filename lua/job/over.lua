#!lua flags=no-writes
--[[
Script   job/over
Purpose  Find the `once` jobs of a partition that have finished, that no other job follows, and that nothing happened to for so long, a
         page of the jobs at a time.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:jobs, and :job: of the jobs of a page
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 keep_ms  how long they stay, integer, 1000..315360000000
         3 after    the page starts behind this name; empty: with the first job

Reply    { 'OVER', before_ms, after | '', job... }  since when nothing happened to them, and where the next page starts; empty: this is the
           last one
Raises   BAD_ARG    an argument is out of range

Cost     O(100); at most 102 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use jobs/over
-- @use record
local int = record.int
local PAGE = 100

local now = args.now(1)
local before = math.max(now - args.int(2, 'keep_ms', 1000, 315360000000), 0)
local after = ARGV[3] or ''
local names = redis.call('ZRANGE', keys.jobs, after == '' and '-' or '(' .. after, '+', 'BYLEX', 'LIMIT', 0, PAGE)
local reply = { 'OVER', int(before), #names == PAGE and names[PAGE] or '' }
for _, job in ipairs(names) do
  if over.by_record(job, before) then
    reply[#reply + 1] = job
  end
end
return reply
