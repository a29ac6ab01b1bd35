#!lua flags=no-writes
--[[
Script   tracker/census
Purpose  How many workers live, how much they may run and run, group by group, for whoever watches them.

KEYS     1 trackers zset  names the cluster                               {tw}:trackers
           computed: {tw}:groups {tw}:workers:<group> {tw}:worker:<id>
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)

Reply    { 'COUNTED', fields... }
           groups?   { group, workers, permits, running... } of those with live workers
           cut?      1 when there are more groups or workers than were looked at: numbers are less than all then
           unreadable? keys of a wrong type
Raises   BAD_ARG    an argument is out of range

Cost     O(workers), of the first 256 groups and the first 1,000 workers; at most 1513 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use bounds
-- @use keys
-- @use reading
-- @use record
-- @use replies
local int = record.int
local GROUPS, WORKERS = 256, 1000
local MOST = 1000000 -- of what one worker reports
local now = args.now(1)
local low, high = '(' .. int(now), int(now + bounds.HEARTBEAT_MS_MAX)

-- What a worker reports is a number, or nothing.
local function number(text)
  local value = tonumber(text or nil)
  return value and value >= 0 and value <= MOST and math.floor(value) or 0
end

local counted, seen, left, cut = {}, 0, WORKERS, 0
for _, group in ipairs(reading.call({}, 'HKEYS', keys.groups)) do
  if group ~= '!' then -- where the next look for groups to forget begins
    if seen == GROUPS then
      cut = 1
      break
    end
    seen = seen + 1
    local workers = keys.workers(group)
    local live = reading.call(0, 'ZCOUNT', workers, low, high)
    local looked = live > 0 and left > 0 and reading.call({}, 'ZRANGE', workers, low, high, 'BYSCORE', 'LIMIT', 0, left) or {}
    local permits, running = 0, 0
    for _, worker in ipairs(looked) do
      local report = reading.call({}, 'HMGET', keys.worker(worker), 'permits', 'running')
      permits, running = permits + number(report[1]), running + number(report[2])
    end
    left = left - #looked
    if #looked < live then
      cut = 1
    end
    if live > 0 then
      for _, value in ipairs({ group, live, permits, running }) do
        counted[#counted + 1] = value
      end
    end
  end
end
local reply = { 'COUNTED' }
replies.tell_list(reply, 'groups', counted)
replies.tell_number(reply, 'cut', cut)
return reading.page(reply, '')
