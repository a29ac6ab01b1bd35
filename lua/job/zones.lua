#!lua flags=allow-oom
--[[
Script   job/zones
Purpose  Find the active cron jobs of a partition that were planned with an older table of time zones, a page at a time; and note, when
         all of them are planned anew, that none is left.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:zones {tw:p}:jobs, and :job: of the jobs of a page
ARGV     1 edition  of the caller's table, like 2026f
         2 after    begin: the page starts behind this name; empty: with the first job
         3 done     1: all pages were planned anew, else 0

Reply    { 'CURRENT' }              no plan is from an older edition, or the partition has none
         { 'NEWER', edition }       every plan is from this newer edition
         { 'STALE', after | '', job... }  what is to be planned anew, and where the next page starts; empty: this is the last one
         { 'AGAIN' }                all pages were done, but an older edition was planned with meanwhile
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(100); at most 105 commands
Holds    W9
Repeat   Idempotent.
]]
-- @use args
-- @use keys
-- @use jobs/zones
-- @use records/job_record
local PAGE = 100

local edition = args.text(1, 'edition', 16)
if not job_record.is_edition(edition) then
  args.bad('edition', 'must be like 2026f', edition)
end
local after = ARGV[2] or ''
local done = args.int(3, 'done', 0, 1)
local mark = keys.zones
local oldest, renewing = zones.read()
if not oldest or oldest == edition then
  return { 'CURRENT' }
end
if oldest > edition then
  return { 'NEWER', oldest }
end
if done == 1 then
  if renewing ~= edition then
    return { 'AGAIN' }
  end
  redis.call('SET', mark, edition)
  return { 'CURRENT' }
end
if after == '' then
  redis.call('SET', mark, oldest .. ' ' .. edition)
end
local names = redis.call('ZRANGE', keys.jobs, after == '' and '-' or '(' .. after, '+', 'BYLEX', 'LIMIT', 0, PAGE)
local reply = { 'STALE', #names == PAGE and names[PAGE] or '' }
for _, job in ipairs(names) do
  local fields = redis.call('HMGET', keys.job(job), 'kind', 'state', 'zones')
  if fields[1] == 'cron' and fields[2] == 'active' and (fields[3] or '') < edition then
    reply[#reply + 1] = job
  end
end
return reply
