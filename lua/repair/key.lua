#!lua flags=allow-oom
--[[
Script   repair/key
Purpose  Cut what is longer than its bound, the oldest first, give a key that must not live for ever an end, and move a key of another
         type than ours out of the way.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: the key, :aside: for one that is moved, {tw:p}:asides :stats :traces :traced: :spaces: :subtraced: :untraced :log:
             :progress: :result: of what goes with the dead, and :job: of a job's list
ARGV     1 key      without the partition: events, dead, traces, quarantine, asides, ledger:<job>, runs:<job>, dedup:<key>, or log,
                    progress or result of a context; or any with its type
         2 type     that it has to have; one of another type is moved. Absent: it has its type

Reply    { 'REPAIRED', what was done }
         { 'CLEAN' }   there was nothing to do
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(what is cut); at most 11 commands, 200 for the dead, and one for each key aside beyond the bound
Holds    W9
Repeat   Idempotent: the second call is CLEAN.
]]
-- @use args
-- @use asides
-- @use counters
-- @use keys
-- @use history/ends
-- @use history/budgets
-- @use history/dead
-- @use history/traces
-- @use records/redis_key
local QUARANTINE_KEPT = 1000
local MORTAL = { dedup = 86400000, log = 86400000, attempts = 90000000, progress = 86400000,
  result = 86400000, split = 86400000 } -- ms that the key lives on
local CUT_MAX = 10000 -- elements in one call
local name = args.text(1, 'key', 600)
local kind, job = redis_key.split(name)
local target = keys.base .. name

local function move()
  local wanted, found = args.text(2, 'type', 16), redis.call('TYPE', target).ok
  if found == 'none' or found == wanted then
    return nil
  end
  local moved = asides.move(args.now(), name)
  counters.add('put_aside', 1)
  return 'moved to ' .. moved
end

local function cut(excess, command, ...)
  if excess <= 0 then
    return nil
  end
  redis.call(command, target, ...)
  return 'cut'
end

local function of_list(kept)
  local excess = redis.call('LLEN', target) - kept
  return cut(excess, 'LTRIM', math.min(excess, CUT_MAX), -1)
end

local function of_key()
  if #ARGV > 1 then
    return move()
  elseif kind == 'events' then
    return cut(redis.call('XLEN', target) - ends.KEPT, 'XTRIM', 'MAXLEN', '~', ends.KEPT)
  elseif name == 'traces' then
    local logs, results = budgets.sums()
    traces.make_fit()
    budgets.close()
    local logs_left, results_left = budgets.sums()
    return (logs_left < logs or results_left < results) and 'cut' or nil
  elseif kind == 'dead' then
    local before = redis.call('ZCARD', target)
    budgets.sums()
    dead.bound(dead.KEPT)
    budgets.close()
    return redis.call('ZCARD', target) < before and 'cut' or nil
  elseif kind == 'quarantine' then
    return of_list(QUARANTINE_KEPT)
  elseif kind == 'asides' then
    return asides.bound() > 0 and 'cut' or nil
  elseif kind == 'ledger' or kind == 'runs' then
    local limit = tonumber(redis.call('HGET', keys.job(job), kind .. '_limit'))
    return limit and of_list(limit)
  elseif not MORTAL[kind] then
    args.bad('key', 'must be one with a bound or an end', name)
  end
  local done = nil
  if redis.call('PTTL', target) == -1 then
    redis.call('PEXPIRE', target, MORTAL[kind])
    done = 'given an end'
  end
  return done
end

local done = of_key()
if done then
  return { 'REPAIRED', done }
end
return { 'CLEAN' }
