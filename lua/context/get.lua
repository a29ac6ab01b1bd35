#!lua flags=no-writes
--[[
Script   context/get
Purpose  Read a context with its log, progress and result. One that has ended is looked for in its job's runs, in the events and in the
         dead, the newest first and a bounded step in each call.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :retry :backlog :events :dead :fans :traces :ready: :log: :attempts: :progress: :result: :fan:
             :parts:, and :job: :queue: :runs: of its job
ARGV     1 id       context
         2 cursor   where an earlier call stopped, or empty

Reply    { 'LIVE', place, text, score | '', progress, result, lost, cut, { log entry... }, { attempt... } }
           place is wheel, retry, ready, queue, held, fanned (it waits for its subtasks) or parts (it is one that waits); text its member
           or held value; score its place in the wheel, for retry
         { 'ENDED', settled record, dead member | '', template | '', progress, result, lost, cut, { log entry... }, { attempt... } }
           template is what its job runs now
         { 'DEAD', member, progress, result, lost, cut, { log entry... }, { attempt... } }   only the dead know of it
           log entry: as of context/log, the newest, with the oldest of them first; cut: 1 when there are older ones; lost: lines that the
           log let go; attempts are those that ended without success
         { 'SEEK', cursor }   not found so far: call again
         { 'NOWHERE' }        never there, or forgotten
Raises   BAD_ARG    an argument is out of range

Cost     O(ready sets * log(wheel)), and O(step) in what ended; at most 70 + 170 * ready sets commands
Holds    W1 W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use contexts/locating
-- @use reading
-- @use record
-- @use zsets
local int = record.int
local EVENTS_STEP = 8 -- entries of the stream in one call; one of 1,000 records takes 0.3 ms
local DEAD_STEP = 200
local RUNS_STEP = 1000
local LOG_STEP = 32 -- entries of the log
local LOG_STEPS = 8
local LOG_BYTES = 131072 -- read on until there are so many

local id = args.text(1, 'id', 300)
if not record.due_of(id) then
  args.bad('id', 'must be a context id', id)
end
local phase, position = string.match(ARGV[2] or '', '^(%a+)/(.*)$')
if ARGV[2] and ARGV[2] ~= '' and not (phase == 'events' and string.find(position, '^%d+%-%d+$'))
  and not (phase == 'dead' and string.find(position, '^%d+$')) then
  args.bad('cursor', 'must be of an earlier reply', ARGV[2])
end

-- The newest entries of the log with the oldest of them first, and whether there are older ones.
local function newest_of_log()
  local log, entries, bytes = keys.log(id), {}, 0
  for step = 1, LOG_STEPS do
    local page = reading.call({}, 'LRANGE', log, -LOG_STEP * step, -LOG_STEP * (step - 1) - 1)
    for i = #page, 1, -1 do
      if bytes >= LOG_BYTES then
        return entries, true
      end
      bytes = bytes + #page[i]
      table.insert(entries, 1, page[i])
    end
    if #page < LOG_STEP then
      return entries, false
    end
  end
  return entries, true
end

local function with_traces(reply)
  reply[#reply + 1] = reading.call(false, 'GET', keys.progress(id)) or ''
  reply[#reply + 1] = reading.call(false, 'GET', keys.result(id)) or ''
  local lost = string.match(reading.call(false, 'HGET', keys.traces, 'l ' .. id) or '', '^%d+ (%d+)')
  local entries, cut = newest_of_log()
  lost = lost and record.is_instant(lost) and tonumber(lost) or 0
  reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = lost, cut and 1 or 0, entries
  reply[#reply + 1] = reading.call({}, 'LRANGE', keys.attempts(id), 0, -1)
  return reply
end

local function ended(line)
  local at = tonumber(string.match(line, '^[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t(%d+)'))
  local job = record.job_of(id)
  local template = job and redis.call('HGET', keys.job(job), 'tmpl') or ''
  return with_traces({ 'ENDED', line, zsets.find(keys.dead, at, id .. '\t') or '', template })
end

-- The newest record of the context in a list of runs, the newest being at its right end.
local function in_runs()
  local runs = keys.runs(record.job_of(id))
  for last = redis.call('LLEN', runs) - 1, 0, -RUNS_STEP do
    local page = redis.call('LRANGE', runs, math.max(last - RUNS_STEP + 1, 0), last)
    for i = #page, 1, -1 do
      if string.sub(page[i], 1, #id + 1) == id .. '\t' then
        return page[i]
      end
    end
  end
  return nil
end

local function in_batch(batch)
  local start = string.sub(batch, 1, #id + 1) == id .. '\t' and 0 or string.find(batch, '\n' .. id .. '\t', 1, true)
  return start and string.match(batch, '^[^\n]*', start + 1)
end

if not phase then
  local place, zset, text = locating.find(id)
  if place then
    local score = place == 'retry' and redis.call('ZSCORE', zset, text) or ''
    return with_traces({ 'LIVE', place, text, score })
  end
  if string.find(id, '~', 1, true) then -- its end is told by its root
    return { 'NOWHERE' }
  end
  local line = record.job_of(id) and in_runs()
  if line then
    return ended(line)
  end
  phase, position = 'events', nil
end
if phase == 'events' then
  local from = position and '(' .. position or '+'
  local entries = redis.call('XREVRANGE', keys.events, from, '-', 'COUNT', EVENTS_STEP)
  for _, entry in ipairs(entries) do
    local line = in_batch(entry[2][2])
    if line then
      return ended(line)
    end
  end
  if #entries == EVENTS_STEP then
    return { 'SEEK', 'events/' .. entries[#entries][1] }
  end
  return { 'SEEK', 'dead/0' }
end
local from = tonumber(position)
local members = redis.call('ZRANGE', keys.dead, from, from + DEAD_STEP - 1, 'REV')
for _, member in ipairs(members) do
  if string.sub(member, 1, #id + 1) == id .. '\t' then
    return with_traces({ 'DEAD', member })
  end
end
if #members == DEAD_STEP then
  return { 'SEEK', 'dead/' .. int(from + DEAD_STEP) }
end
return { 'NOWHERE' }
