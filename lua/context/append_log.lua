#!lua
--[[
Script   context/append_log
Purpose  Keep what a running attempt says about itself: log lines and progress. A full server refuses them; the attempt goes on. Each is
         within a budget of the partition: where it is spent, the oldest of the namespace that keeps most goes.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:held :log:<context> :progress:<context> :stats :traces :traced: :spaces: :subtraced: and of others that make
             room :log: and :progress:, and :job: of its job
ARGV     1 names    of those behind it, in their order, with a space between them
           id         context
           holder     `<attempt> <worker>`: the number of the attempt, and who runs it
           percent?   progress, integer, 0..100
           message?   beside the progress, at most 1024 bytes
           lost?      lines that were lost before these, integer, 0..9007199254740991
         then two values for each log line, at most 1000 lines and 1048576 bytes:
           mark       its level, t d i w or e, and how many ms before this call it was said: i0
           line       at most 4096 bytes

Reply    { 'WRITTEN', lines }   lines that were kept: all, or none where nobody else's make room
         { 'STALE' }   another attempt runs, or none; only the counter of such calls was written
         { 'FOREIGN' }   another worker runs that attempt; only the counter of such calls was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(lines); at most 14 commands, 5 for lines and 4 for progress of a context that said something before; and 8 for each 100
         contexts that make room, of which there are at most 1000
Holds    W2 W9
Repeat   The lines are appended again.
]]
-- @use args
-- @use counters
-- @use keys
-- @use record
-- @use history/budgets
-- @use history/traces
-- @use records/held_value
-- @use args/forms
-- @use records/log_entry
local int = record.int
local LINES_MAX = 1000
local LINE_BYTES = 4096
local CALL_BYTES = 1048576
local LOG_BYTES = 1048576 -- of one context: what is more lets its oldest lines go
local LOG_BYTES_LEFT = 786432 -- after that
local MESSAGE_BYTES = 1024
local ENTRY_OVERHEAD = 16
local STEP = 64 -- entries
local RENEWALS = 16 -- the end of a log is set anew each sixteenth of its lifetime

local given, first = args.named('id holder percent message lost')
local id, holder, message = args.text_of(given, 'id', 300), args.text_of(given, 'holder', 140), given.message or ''
local attempt = forms.attempt_of(holder)
if not attempt then
  args.bad('holder', 'must be an attempt and its worker', holder)
end
local percent = args.int_or_nil(given, 'percent', 0, 100)
if #message > MESSAGE_BYTES then
  args.bad('message', 'must have at most ' .. int(MESSAGE_BYTES) .. ' bytes', message)
end
local lost = args.int_or_nil(given, 'lost', 0, 9007199254740991) or 0
local count = (#ARGV - first + 1) / 2
if count > LINES_MAX or count ~= math.floor(count) then
  args.bad('lines', 'must be at most ' .. int(LINES_MAX) .. ', two values each', #ARGV - first + 1)
end
local bytes = 0
for i = first, #ARGV, 2 do
  if not forms.is_mark(ARGV[i]) then
    args.bad('mark', 'must be a level and at most nine digits', ARGV[i])
  end
  if #ARGV[i + 1] > LINE_BYTES then
    args.bad('lines', 'must have at most ' .. int(LINE_BYTES) .. ' bytes each', ARGV[i + 1])
  end
  bytes = bytes + #ARGV[i + 1]
end
if bytes > CALL_BYTES then
  args.bad('lines', 'must have at most ' .. int(CALL_BYTES) .. ' bytes', bytes)
end

-- Lets the oldest entries of a log go until it is well below its bound. The last one stays, whatever it weighs.
local function cut_log(log)
  local kept = traces.of('l', id)
  local less, lines, gone, last = 0, 0, 0, redis.call('LLEN', log) - 1
  while gone < last and kept - less > LOG_BYTES_LEFT do
    for _, entry in ipairs(redis.call('LRANGE', log, gone, math.min(gone + STEP, last) - 1)) do
      if kept - less > LOG_BYTES_LEFT then
        lines = lines + log_entry.lines_of(entry)
        less, gone = less + #entry + ENTRY_OVERHEAD, gone + 1
      end
    end
  end
  if gone > 0 then
    redis.call('LTRIM', log, gone, -1)
    traces.shrink(id, less, lines, gone)
  end
end

-- Appends the lines; returns how many were kept.
local function write_lines()
  local log, now = keys.log(id), args.now()
  local entry = { log_entry.head(now, attempt, lost, count) }
  for i = first, #ARGV, 2 do
    entry[#entry + 1] = log_entry.line(ARGV[i], ARGV[i + 1])
  end
  entry = table.concat(entry)
  if not traces.admit('l', id, #entry + ENTRY_OVERHEAD, now) then
    return 0
  end
  redis.call('RPUSH', log, entry)
  local total, dropped, renewed, oldest = traces.of('l', id)
  if now >= renewed + budgets.kept_ms() / RENEWALS then
    redis.call('PEXPIRE', log, budgets.kept_ms())
    traces.put('l', id, total, dropped, now, oldest)
  end
  if total > LOG_BYTES then
    cut_log(log)
  end
  return count
end

local held = redis.call('HGET', keys.held, id)
local runs, worker = held_value.holder_of(held or '')
if runs ~= attempt then
  counters.add('stale', 1)
  return { 'STALE' }
elseif runs .. ' ' .. worker ~= holder then
  counters.add('foreign', 1)
  return { 'FOREIGN' }
end
if percent then
  traces.read('l', { id })
  local said = int(percent) .. ' ' .. message
  local before = redis.call('SET', keys.progress(id), said, 'PX', budgets.kept_ms(), 'GET')
  local more = #said - #(before or '')
  if (not before or more ~= 0) and not traces.admit('l', id, more) then
    redis.call('UNLINK', keys.progress(id))
  end
end
local written = 0
if count > 0 or lost > 0 then
  traces.read('l', { id })
  written = write_lines()
end
budgets.close()
return { 'WRITTEN', written }
