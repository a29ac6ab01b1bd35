#!lua flags=no-writes
--[[
Script   wheel/histogram
Purpose  What a partition's wheel has to come, counted in buckets of time, for whoever watches it. Records are read only where they are few.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
ARGV     1 now_ms   integer, or empty for the server clock
         2 width    of a bucket, ms, integer, 1000..86400000. Buckets begin at whole multiples of it; the first one has the present instant
         3 buckets  integer, 1..60
         4 look     entries that are read to tell their kinds, integer, 0..400

Reply    { 'HISTOGRAM', fields... }
           now_ms
           entries    in the wheel
           overdue?   those whose time has come
           oldest_ms? how long ago that of the first came
           counts?    { number... } of the entries of each bucket that are not overdue, none of it behind the last that has any
           runs?      { number... } those of them that are contexts and never ran; of each bucket as above, none where there are none at all
           retries?   the same of contexts that wait for another attempt
           jobs?      the same of next firings of jobs
           deadlines? the same of start deadlines
           upkeep?    the same of what the scheduler does for itself
           untold?    { bucket... } from 0: of which nothing was read, as they have too many entries
Raises   BAD_ARG    an argument is out of range

Cost     O(buckets * log(wheel) + look), and no more than 64 KiB of records and a step of eight behind them; at most 190 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use record
-- @use records/context_record
-- @use records/wheel_entry
-- @use replies
local int = record.int
local LOOK_MAX = 400
local BYTES_MAX = 65536 -- of records that are read
local STEP = 8 -- entries of one command: what lies behind a great body is not read for nothing
local KINDS = { [wheel_entry.JOB] = 'jobs', [wheel_entry.DEADLINE] = 'deadlines' }
local NAMES = { 'runs', 'retries', 'jobs', 'deadlines', 'upkeep' }

local now = args.now(1)
local width = args.int(2, 'width', 1000, 86400000)
local buckets = args.int(3, 'buckets', 1, 60)
local look = args.int(4, 'look', 0, LOOK_MAX)
local wheel = KEYS[1]
local told = { counts = {}, runs = {}, retries = {}, jobs = {}, deadlines = {}, upkeep = {} }
local untold, some = {}, {}
local bytes = 0

local function kind_of(entry)
  local kind = wheel_entry.kind_of(entry)
  if not wheel_entry.is_context(kind) then
    return KINDS[kind] or 'upkeep'
  end
  local _, attempt = context_record.chosen_by(entry)
  return attempt and attempt ~= '0' and 'retries' or 'runs'
end

-- How many there are of each kind between two scores; nil where the records are more than may be read.
local function kinds_between(from, to, count)
  local sums, at = {}, 0
  while at < count do
    if bytes >= BYTES_MAX then
      return nil
    end
    local found = redis.call('ZRANGE', wheel, from, to, 'BYSCORE', 'LIMIT', int(at), STEP)
    if #found == 0 then
      return nil
    end
    for _, entry in ipairs(found) do
      local kind = kind_of(entry)
      sums[kind], some[kind] = (sums[kind] or 0) + 1, true
      bytes = bytes + #entry
    end
    at = at + #found
  end
  return sums
end

local entries = redis.call('ZCARD', wheel)
local head = redis.call('ZRANGE', wheel, 0, 0, 'WITHSCORES')
local is_late = head[2] and tonumber(head[2]) <= now
local overdue = is_late and redis.call('ZCOUNT', wheel, '-inf', int(now)) or 0
local left = entries - overdue
local start = now - now % width
for bucket = 0, buckets - 1 do
  if left <= 0 then
    break
  end
  local from = bucket == 0 and '(' .. int(now) or int(start + bucket * width)
  local to = '(' .. int(start + (bucket + 1) * width)
  local count = redis.call('ZCOUNT', wheel, from, to)
  local sums = {}
  if count > look then
    sums = nil
  elseif count > 0 then
    look = look - count
    sums = kinds_between(from, to, count)
  end
  if not sums then
    untold[#untold + 1] = bucket
  end
  told.counts[bucket + 1] = count
  for _, name in ipairs(NAMES) do
    told[name][bucket + 1] = sums and sums[name] or 0
  end
  left = left - count
end

local reply = { 'HISTOGRAM', 'now_ms', int(now), 'entries', entries }
replies.tell_number(reply, 'overdue', overdue)
replies.tell(reply, 'oldest_ms', is_late and int(math.max(now - tonumber(head[2]), 0)))
replies.tell_list(reply, 'counts', told.counts)
for _, name in ipairs(NAMES) do
  if some[name] then
    replies.tell_list(reply, name, told[name])
  end
end
replies.tell_list(reply, 'untold', untold)
return reply
