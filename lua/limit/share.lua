#!lua flags=allow-oom
--[[
Script   limit/share
Purpose  Share a limit between the partitions: take down what one of them reported, and grant it what is free. Partitions that wait for
         the same limit are served in turn; one that has not reported for long, that was told to keep what it has while nobody else
         waits, or whose turn it is, is asked to report.

KEYS     1 wheel    zset  only names the partition                  {tw:p}:wheel
           computed: {tw:p}:limit: :wake
ARGV     1 now_ms      integer, or empty for the server clock (only tests pass it)
         2 partition   integer, 0..1023: who reports
         3 count       integer, 1..64; then nine for each limit:
           limit       its name, with `:` in place of the space
           report      number of the report; only greater ones than the last are taken down
           holds       contexts that run there, and more that it may run from what it was granted
           unspent     starts that it was granted and did not use
           wanted      contexts more that it would run
           waiting     contexts of which it is known that they wait there for this limit; where others wait, no more is granted
           concurrency contexts that may run in the whole cluster, or empty for any number
           rate        contexts that may start in `per` ms, or empty for any number
           per burst   ms, and the greatest number of starts that gather, separated by a space

Reply    { 'SHARED', now_ms, { fields... }... } of each limit:
           limit
           report    that of the answer; a greater one than was sent when the report is out of date
           allowed   contexts that may run there
           starts    that may start there
           mode      `k` while nobody else waits: what ends may be used again there; `w` when others wait, or too many run
           again_ms? ms until a start may be free for it
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(count * partitions); at most 2 + count * 20 commands
Holds    W6 W9 W10
Repeat   A second call with the same report changes nothing and grants nothing.
]]
-- @use args
-- @use keys
-- @use record
-- @use records/limit_name
-- @use records/limit_share
-- @use args/forms
-- @use replies
local int = record.int
local LIMITS_MAX = 64
local WAITS_MS = 1500 -- a partition that wants some and did not say so for this long is passed over
local RECALL_MS = 1500 -- a partition that holds some and did not report for this long is asked to
local TOLD_MAX = 8 -- partitions that are woken in one call
local KEPT_MS = 3600000
local RUNNING_KEPT_MS = 2592000000 -- nothing runs so long without a report of its partition
local now = args.now(1)
local reporter = args.int(2, 'partition', 0, 1023)
local count = args.int(3, 'count', 1, LIMITS_MAX)
if #ARGV ~= 3 + 9 * count then
  args.bad('limits', 'must be nine values each', #ARGV - 3)
end

-- An entry is `<report> <granted> <waiting> <since> <at> <mode>`: what the partition may run; how many wait there, and since when it is in
-- line, 0 when it is not; when it reported last; whether it was told to keep what ends.
local function read_entries(limit_key)
  local entries, bucket = {}, {}
  local fields = redis.call('HGETALL', limit_key)
  for i = 1, #fields, 2 do
    local number = limit_share.partition_of(fields[i])
    local report, granted, waiting, since, at, mode = limit_share.open_granted(fields[i + 1])
    if number and report then
      entries[tonumber(number)] = { partition = tonumber(number), report = tonumber(report), granted = tonumber(granted),
        waiting = tonumber(waiting), since = tonumber(since), at = tonumber(at), mode = mode }
    else
      bucket[fields[i]] = tonumber(fields[i + 1])
    end
  end
  return entries, bucket
end

local function write_entry(limit_key, entry)
  if entry.granted == 0 and entry.waiting == 0 then
    redis.call('HDEL', limit_key, limit_share.field(entry.partition))
  else
    redis.call('HSET', limit_key, limit_share.field(entry.partition), limit_share.granted_text(entry.report, entry.granted, entry.waiting,
      entry.since, entry.at, entry.mode))
  end
end

local function ask(name, partition)
  redis.call('SPUBLISH', keys.wake, 'limit ' .. int(partition) .. ' ' .. limit_name.of_set(name))
end

-- Starts that have gathered by now.
local function starts_in(bucket, rules, unspent)
  if not rules.rate then
    return math.huge
  end
  local gathered = rules.burst
  if bucket.tokens and bucket.at then
    gathered = bucket.tokens + math.max(now - bucket.at, 0) * rules.rate / rules.per
  end
  return math.min(rules.burst, gathered + unspent)
end

-- Others that wait, the longest first; how many they are granted in all.
local function others_of(entries)
  local waiting, granted = {}, 0
  for _, entry in pairs(entries) do
    if entry.partition ~= reporter then
      granted = granted + entry.granted
      if entry.since > 0 and now - entry.at <= WAITS_MS then
        waiting[#waiting + 1] = entry
      end
    end
  end
  table.sort(waiting, function(left, right)
    return left.since < right.since or (left.since == right.since and left.partition < right.partition)
  end)
  return waiting, granted
end

-- What the reporter gets of what is free: those that wait longer come first, and nobody gets more than an equal part. Where others run
-- contexts, half of it stays for those who will ask next.
local function part_of(mine, wanted, waiting, free, others_run)
  local ahead = 0
  for _, entry in ipairs(waiting) do
    if entry.since < mine.since or (entry.since == mine.since and entry.partition < reporter) then
      ahead = ahead + 1
    end
  end
  if wanted == 0 or free <= ahead then
    return 0, ahead
  end
  local most = #waiting == 0 and others_run and free / 2 or free / (#waiting + 1)
  return math.min(wanted, math.max(math.floor(most), 1)), ahead
end

-- Partitions that may hold what they do not use, those with the most first.
local function holders_of(entries)
  local holders = {}
  for _, entry in pairs(entries) do
    local silent = now - entry.at >= RECALL_MS or now < entry.at
    if entry.partition ~= reporter and entry.granted > 0 and (entry.mode == limit_share.GRANTED or silent) then
      holders[#holders + 1] = entry
    end
  end
  table.sort(holders, function(left, right)
    return left.granted > right.granted or (left.granted == right.granted and left.partition < right.partition)
  end)
  return holders
end

-- Has others report: those that may have some now and, when nothing is left for the reporter, those that may hold what they do not use.
local function wake_others(name, limit_key, entries, waiting, free, short)
  local told = 0
  for _, entry in ipairs(waiting) do
    if told < math.min(free, TOLD_MAX) then
      ask(name, entry.partition)
      told = told + 1
    end
  end
  for _, entry in ipairs(short and holders_of(entries) or {}) do
    if told < TOLD_MAX then
      entry.at, entry.mode = now, limit_share.CONTENDED
      write_entry(limit_key, entry)
      ask(name, entry.partition)
      told = told + 1
    end
  end
end

local function share(name, report, reported, rules)
  local limit_key = keys.limit(name)
  local entries, bucket = read_entries(limit_key)
  local mine = entries[reporter] or { partition = reporter, report = 0, since = 0 }
  if mine.report >= report then
    return { 'limit', name, 'report', int(mine.report), 'allowed', '0', 'starts', '0', 'mode', limit_share.CONTENDED }
  end
  local waiting, granted = others_of(entries)
  local starts = starts_in(bucket, rules, reported.unspent)
  local running = rules.concurrency and math.max(rules.concurrency - granted - reported.holds, 0) or math.huge
  mine.since = mine.since > 0 and mine.since or now
  local free_for_all = #waiting == 0 and granted + reported.holds <= (rules.concurrency or math.huge)
  mine.report, mine.waiting, mine.at = report, reported.waiting, now
  mine.mode = free_for_all and limit_share.GRANTED or limit_share.CONTENDED
  local free = math.min(running, math.floor(starts))
  local wanted = #waiting > 0 and math.min(reported.wanted, reported.waiting) or reported.wanted
  local part, ahead = part_of(mine, wanted, waiting, free, granted > 0)
  mine.granted = reported.holds + (rules.concurrency and part or 0)
  mine.waiting = math.max(mine.waiting - part, 0)
  if part > 0 or reported.wanted == 0 then
    mine.since = 0 -- what it got is used first
  end
  write_entry(limit_key, mine)
  if rules.rate then
    redis.call('HSET', limit_key, 'tokens', string.format('%.6f', starts - part), 'at', int(now))
  end
  wake_others(name, limit_key, entries, waiting, free - part, mine.since > 0 and running <= 0)
  local full = rules.rate and math.ceil(rules.burst * rules.per / rules.rate) or 0
  redis.call('PEXPIRE', limit_key, int(math.max(KEPT_MS, full, granted + mine.granted > 0 and RUNNING_KEPT_MS or 0)))
  local reply = { 'limit', name, 'report', int(report), 'allowed', int(reported.holds + part), 'starts', int(part), 'mode', mine.mode }
  if mine.since > 0 and rules.rate and running > 0 then
    replies.tell(reply, 'again_ms', int(math.max(math.ceil((ahead + 1 - (starts - part)) * rules.per / rules.rate), 1)))
  end
  return reply
end

local calls = {}
for i = 0, count - 1 do
  local base = 3 + 9 * i
  local name = args.text(base + 1, 'limit', 256)
  local per, burst = forms.split_rate(ARGV[base + 9])
  local rules = { per = tonumber(per), burst = tonumber(burst) }
  if ARGV[base + 7] ~= '' then
    rules.concurrency = args.int(base + 7, 'concurrency', 0, 1000000)
  end
  if ARGV[base + 8] ~= '' then
    rules.rate = args.int(base + 8, 'rate', 1, 1000000)
    if not rules.per or rules.per < 1 or rules.burst < 1 then
      args.bad('per', 'must be ms and a burst above 0', ARGV[base + 9])
    end
  end
  local report = args.int(base + 2, 'report', 1, 9007199254740991)
  local reported = { holds = args.int(base + 3, 'holds', 0, 1000000), unspent = args.int(base + 4, 'unspent', 0, 1000000),
    wanted = args.int(base + 5, 'wanted', 0, 1000000), waiting = args.int(base + 6, 'waiting', 0, 9007199254740991) }
  calls[#calls + 1] = { name, report, reported, rules }
end
local reply = { 'SHARED', now }
for _, call in ipairs(calls) do
  reply[#reply + 1] = share(unpack(call))
end
return reply
