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

Reply    { 'LIVE', fields... }
           place     wheel, retry, ready, queue, held, waiting_for_subtasks (it waits for its subtasks) or parts (it is one that waits)
           text      its member or held value
           score?    its place in the wheel, for retry
         { 'ENDED', fields... }
           settled   its record
           dead?     its member among the dead
           template? what its job runs now
         { 'DEAD', fields... }   only the dead know of it
           dead      its member among them
         and of all three
           progress? `<percent> <message>`
           result?   what it returned
           lost?     lines that the log let go
           cut?      1 when there are older entries than those of `log`
           log?      { entry... } as of context/read_log, the newest, with the oldest of them first
           attempts? { attempt... } those that ended without success
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
-- @use records/context_id
-- @use args/forms
-- @use records/settled_record
-- @use records/trace_field
-- @use replies
local int = record.int
local EVENTS_STEP = 8 -- entries of the stream in one call; one of 1,000 records takes 0.3 ms
local DEAD_STEP = 200
local RUNS_STEP = 1000
local LOG_STEP = 32 -- entries of the log
local LOG_STEPS = 8
local LOG_BYTES = 131072 -- read on until there are so many

local id = args.text(1, 'id', 300)
if not context_id.due_of(id) then
  args.bad('id', 'must be a context id', id)
end
local phase, position = forms.split_phase(ARGV[2] or '')
if ARGV[2] and ARGV[2] ~= '' and not (phase == 'events' and forms.is_entry(position))
  and not (phase == 'dead' and forms.is_digits(position)) then
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
  replies.tell(reply, 'progress', reading.call(false, 'GET', keys.progress(id)))
  replies.tell(reply, 'result', reading.call(false, 'GET', keys.result(id)))
  local lost = trace_field.lost_of(reading.call(false, 'HGET', keys.traces, 'l ' .. id) or '')
  local entries, cut = newest_of_log()
  replies.tell_number(reply, 'lost', lost)
  replies.tell(reply, 'cut', cut and 1)
  replies.tell(reply, 'log', entries)
  replies.tell(reply, 'attempts', reading.call({}, 'LRANGE', keys.attempts(id), 0, -1))
  return reply
end

local function ended(line)
  local at = settled_record.ended_of(line)
  local job = context_id.job_of(id)
  local reply = { 'ENDED', 'settled', line }
  replies.tell(reply, 'template', job and redis.call('HGET', keys.job(job), 'tmpl'))
  replies.tell(reply, 'dead', zsets.find(keys.dead, at, settled_record.start_of(id)))
  return with_traces(reply)
end

-- The newest record of the context in a list of runs, the newest being at its right end.
local function in_runs()
  local runs = keys.runs(context_id.job_of(id))
  for last = redis.call('LLEN', runs) - 1, 0, -RUNS_STEP do
    local page = redis.call('LRANGE', runs, math.max(last - RUNS_STEP + 1, 0), last)
    for i = #page, 1, -1 do
      if settled_record.is_of(page[i], id) then
        return page[i]
      end
    end
  end
  return nil
end

if not phase then
  local place, zset, text = locating.find(id)
  if place then
    local reply = { 'LIVE', 'place', place, 'text', text }
    replies.tell(reply, 'score', place == 'retry' and redis.call('ZSCORE', zset, text))
    return with_traces(reply)
  end
  if context_id.is_subtask(id) then -- its end is told by its root
    return { 'NOWHERE' }
  end
  local line = context_id.job_of(id) and in_runs()
  if line then
    return ended(line)
  end
  phase, position = 'events', nil
end
if phase == 'events' then
  local from = position and '(' .. position or '+'
  local entries = redis.call('XREVRANGE', keys.events, from, '-', 'COUNT', EVENTS_STEP)
  for _, entry in ipairs(entries) do
    local line = settled_record.line_of(entry[2][2], id)
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
  if settled_record.is_of(member, id) then
    return with_traces({ 'DEAD', 'dead', member })
  end
end
if #members == DEAD_STEP then
  return { 'SEEK', 'dead/' .. int(from + DEAD_STEP) }
end
return { 'NOWHERE' }
