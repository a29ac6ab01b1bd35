#!lua flags=no-writes
--[[
Script   inspect/explain
Purpose  Say in words why a context waits, runs or ended, and why a job does or did not fire, for a person with redis-cli.
Usage    redis-cli --eval lua/inspect/explain.lua <id> [, <prefix>]
         redis-cli --eval lua/inspect/explain.lua <namespace/name> [, <due ms>] [<prefix>]
         In Redis Cluster: redis-cli -c --eval lua/inspect/explain.lua '{tw:7}' , <id, or name and due ms>
Reply    One JSON text: subject and because, a list of sentences.
Cost     As inspect/context; for a due time at most 20000 ledger records are looked at
]]
local RUNS_LOOKED, EVENTS_LOOKED, DEAD_LOOKED, LEDGER_LOOKED, PARTITIONS_MAX = 1000, 200, 1000, 20000, 1024
local PRIORITY_SPAN = 17592186044416
local REASONS = {
  misfire_skip = 'It was popped later than its tolerance, and the misfire policy is skip.',
  misfire_collapsed = 'It was popped later than its tolerance, and a newer late due time fired for it (misfire policy fire_once).',
  misfire_limit = 'It was popped later than its tolerance, and the newer ones used up the limit of the misfire policy fire_all.',
  catch_up_window = 'It was older than the catch-up window when it was popped.',
  overlap_discard = 'An earlier context was still active, and the overlap policy is discard.',
  overlap_parallel = 'As many contexts were active as the overlap policy parallel allows.',
  overlap_queue_full = 'An earlier context was still active, and as many waited for it as the overlap policy queue allows.',
  overlap_collapsed = 'An earlier context was still active and one waited for it already (overlap policy queue_one).',
  paused = 'The job was paused.',
  max_runs = 'The job had fired max_runs times.',
  deleted = 'The job was deleted.',
}

local tag = string.match(KEYS[1] or '', '^{.+:%d+}$')
local words = { not tag and KEYS[1] or ARGV[1], ARGV[tag and 2 or 1], ARGV[tag and 3 or 2] }
local subject = words[1]
if not subject then
  return redis.error_reply('USAGE redis-cli --eval lua/inspect/explain.lua <id or namespace/name> [, <due ms>] [<prefix>]')
end
local asked_due = string.match(words[2] or '', '^%d+$')
local prefix = tag and string.match(tag, '^{(.*):%d+}$') or words[asked_due and 3 or 2] or 'tw'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local because = {}

local function say(text, ...)
  because[#because + 1] = string.format(text, ...)
end

local function utc(ms)
  local days = math.floor(ms / 86400000)
  local year, month = 1970, 1
  local function leap()
    return (year % 4 == 0 and year % 100 ~= 0) or year % 400 == 0
  end
  while days >= (leap() and 366 or 365) do
    days = days - (leap() and 366 or 365)
    year = year + 1
  end
  local lengths = { 31, leap() and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
  while days >= lengths[month] do
    days = days - lengths[month]
    month = month + 1
  end
  local rest = ms % 86400000
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, days + 1, math.floor(rest / 3600000),
    math.floor(rest / 60000) % 60, math.floor(rest / 1000) % 60, rest % 1000)
end

local function span(ms)
  return ms < 10000 and string.format('%d ms', ms) or string.format('%d s', math.floor(ms / 1000))
end

local function when(ms)
  ms = tonumber(ms)
  return utc(ms) .. (ms > now and ' (in ' .. span(ms - now) .. ')' or ' (' .. span(now - ms) .. ' ago)')
end

local base = tag and tag .. ':'

local function bytes_before(left, right)
  for i = 1, math.min(#left, #right) do
    local l, r = string.byte(left, i), string.byte(right, i)
    if l ~= r then
      return l < r
    end
  end
  return #left < #right
end

-- The member of the context at `score` and how many lie before it in the set.
local function find(zset, score, ending)
  local start = subject .. (ending or ' ')
  local low = redis.call('ZCOUNT', zset, '-inf', '(' .. score)
  local high = redis.call('ZCOUNT', zset, '-inf', score) - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', zset, middle, middle)[1]
    if string.sub(member, 1, #start) == start then
      return member, middle
    end
    if bytes_before(member, start) then
      low = middle + 1
    else
      high = middle - 1
    end
  end
  return nil, 0
end

-- In Redis Cluster the roster lies on another node.
local function explain_workers(group, handler)
  if tag then
    say('See {%s}:workers:%s for the live workers of its group.', prefix, group)
    return
  end
  local cluster = '{' .. prefix .. '}:'
  local alive = redis.call('ZRANGE', cluster .. 'workers:' .. group, now, '+inf', 'BYSCORE', 'LIMIT', 0, 100)
  local able, running, permits = 0, 0, 0
  for _, worker in ipairs(alive) do
    local report = redis.call('HMGET', cluster .. 'worker:' .. worker, 'handlers', 'running', 'permits')
    if string.find(',' .. (report[1] or '') .. ',', ',' .. handler .. ',', 1, true) then
      able = able + 1
      running = running + (tonumber(report[2]) or 0)
      permits = permits + (tonumber(report[3]) or 0)
    end
  end
  if #alive == 0 then
    say('No worker of group %s is alive.', group)
  elseif able == 0 then
    say('%d workers of group %s are alive, and none of them has the handler %s.', #alive, group, handler)
  else
    say('%d live workers of group %s have the handler %s: by their last reports %d of %d permits are taken.', able, group, handler, running,
      permits)
  end
end

-- What a lane asks for. Which of the workers fit, a tracker tells: `tickwheel context get`.
local function explain_lane(name)
  if name == '' then
    return
  end
  local content = redis.call('HGET', base .. 'lanes', name)
  if not content then
    say('Its lane %s is not known, so nobody can take it: submit it again, or apply its job again.', name)
    return
  end
  local lane = cmsgpack.unpack(content)
  local workers, routing = lane.workers or {}, lane.routing or {}
  say('Its lane is %s, with the routing policy %s.', name, routing.policy or 'any')
  if routing.list and #routing.list > 0 then
    say('It goes only to %s.', table.concat(routing.list, ', '))
  end
  if workers.select then
    say('It goes only to workers for whose tags this holds: %s', workers.select)
  end
  if workers.allow then
    say('It goes only to %s.', table.concat(workers.allow, ', '))
  end
  if workers.deny and #workers.deny > 0 then
    say('It does not go to %s.', table.concat(workers.deny, ', '))
  end
  for resource, amount in pairs(lane.requires or {}) do
    local in_bytes = resource == 'memory' or resource == 'disk'
    say('It takes %s of the %s of its worker.', in_bytes and string.format('%.0f bytes', amount) or tostring(amount / 1000), resource)
  end
end

local function explain_held(value)
  local attempt, worker, claimed, expires, cancel = string.match(value, '^(%d+):%d+ (%S+) (%d+) (%d+) %d+%l* (%S+) ')
  say('Attempt %s runs on %s since %s.', attempt, worker, when(claimed))
  if tonumber(expires) < now then
    say('Its lease ended at %s and was not renewed: a tracker takes it back with its next scan.', when(expires))
  else
    say('Its lease is renewed from the beats of its worker, and ends at %s otherwise.', when(expires))
  end
  if cancel ~= '-' then
    local reason, until_ms = string.match(cancel, '^(.*)@(%d+)$')
    say('Its worker is told to stop (%s); it may settle until %s.', reason, when(until_ms))
  end
end

local function explain_settled(record)
  local state, attempt, worker, ended, message =
    string.match(record, '^[^\t]*\t([^\t]*)\t(%d+)\t([^\t]*)\t%d+\t(%d+)\t([^\t]*)')
  say('It ended as %s at %s after %s attempts, the last one on %s.', state, when(ended), attempt, worker == '-' and 'no worker' or worker)
  if message ~= '' then
    say('Its message: %s', message)
  end
  if find(base .. 'dead', ended, '\t') then
    say('It is kept among the dead and can run again.')
  end
end

local function explain_waiting(due, job)
  local retry = redis.call('HGET', base .. 'retry', subject)
  local member = retry and find(base .. 'wheel', retry)
  if member then
    local attempt, failures = string.match(member, '^%S+ (%d+):(%d+) ')
    say('Attempt %s ended without success, the %s. of its failures; the next one is due at %s.', attempt, failures, when(retry))
    return true
  end
  if find(base .. 'wheel', due) then
    say('It is in the wheel and due at %s.', when(due))
    if tonumber(due) < now then
      say('It is overdue: no tracker has turned partition %s since.', string.match(base, '(%d+)}:$'))
    end
    return true
  end
  for _, queue in ipairs(redis.call('ZRANGE', base .. 'backlog', 0, -1)) do
    local group, handler, lane = string.match(queue, '^(%S+) (%S+) ?c?=?(%x*)')
    local keyed = string.find(queue, ' k=', 1, true) and (redis.call('HGET', base .. 'fair', subject) or '-1')
    for above = 0, keyed and 0 or 4 do
      local score = keyed or string.format('%.0f', above * PRIORITY_SPAN + tonumber(due))
      local found, before = find(base .. 'ready:' .. string.gsub(queue, ' ', ':'), score)
      local key = string.match(queue, ' k=(%S+)$')
      if found and key then
        say('It was due at %s, and as many of its key %s run as may; %d wait for that before it.', when(due), key, before)
        return true
      end
      if found then
        say('It was due at %s and waits for a permit; %d contexts of group %s and handler %s go before it.', when(due), before,
          group, handler)
        explain_workers(group, handler)
        explain_lane(lane)
        return true
      end
    end
  end
  local queued, before = find(base .. 'queue:' .. job, due)
  if queued then
    local active = redis.call('HRANDFIELD', base .. 'active:' .. job, 3)
    say('It was due at %s and waits for an earlier context of its job (overlap policy %s); %d wait before it.', when(due),
      redis.call('HGET', base .. 'job:' .. job, 'overlap') or 'unknown', before)
    say('Active now: %s.', table.concat(active, ', '))
    return true
  end
  return false
end

-- What is split, and what is a part that lies in a list of its root.
local function explain_split()
  local own, total, succeeded, failed, running =
    unpack(redis.call('HMGET', base .. 'fan:' .. subject, 'root', 'total', 'succeeded', 'failed', 'out'))
  if own and own ~= '' then
    say('It is split into %s parts: %s succeeded, %s failed, %s run. It ends with the last of them.', total, succeeded or 0, failed or 0,
      running or 0)
    return true
  end
  local root = string.find(subject, '~', 1, true) and string.gsub(subject, '~[^@]*', '')
  if root and redis.call('HEXISTS', base .. 'fans', root) == 1 then
    say('It is a part of %s, and waits for a permit, or has ended: a part that ended is counted there.', root)
    explain_lane(redis.call('HGET', base .. 'fan:' .. root, 'lane') or '')
    return true
  end
  return false
end

local function explain_context(due, job)
  local held = redis.call('HGET', base .. 'held', subject)
  if held then
    return explain_held(held)
  end
  if explain_waiting(due, job) or explain_split() then
    return
  end
  local runs = job ~= '' and redis.call('LRANGE', base .. 'runs:' .. job, -RUNS_LOOKED, -1) or {}
  for i = #runs, 1, -1 do
    if string.sub(runs[i], 1, #subject + 1) == subject .. '\t' then
      return explain_settled(runs[i])
    end
  end
  for _, entry in ipairs(redis.call('XREVRANGE', base .. 'events', '+', '-', 'COUNT', EVENTS_LOOKED)) do
    local batch = '\n' .. entry[2][2]
    local start = string.find(batch, '\n' .. subject .. '\t', 1, true)
    if start then
      return explain_settled(string.match(batch, '^[^\n]*', start + 1))
    end
  end
  for _, member in ipairs(redis.call('ZRANGE', base .. 'dead', 0, DEAD_LOOKED - 1, 'REV')) do
    if string.sub(member, 1, #subject + 1) == subject .. '\t' then
      return explain_settled(string.match(member, '^[^\n]*'))
    end
  end
  say('It is in no place: it was never created, or it ended so long ago that its record was trimmed.')
end

local function explain_due(job)
  local due = tonumber(asked_due)
  local fields = redis.call('HMGET', base .. 'job:' .. job, 'next', 'plan', 'created_ms')
  local ledger = redis.call('LRANGE', base .. 'ledger:' .. job, -LEDGER_LOOKED, -1)
  for i = #ledger, 1, -1 do
    local from, to, verdict, rest = string.match(ledger[i], '^(%d+)%-?(%d*)x?%d* (%a) ?(.*)$')
    to = to ~= '' and to or from
    if verdict ~= 'R' and due >= tonumber(from) and due <= tonumber(to) then
      if verdict == 'F' then
        say('It fired, %s ms after its due time.', string.match(rest, '^%+(%d+)') or '?')
      elseif verdict == 'S' then
        say('It was skipped.')
      elseif verdict == 'M' then
        say('It was missed.')
      else
        say('It was cancelled.')
      end
      if REASONS[rest] then
        say('%s', REASONS[rest])
      end
      return
    end
  end
  if fields[1] == asked_due or string.find(' ' .. (fields[2] or '') .. ' ', ' ' .. asked_due .. ' ', 1, true) then
    say('It is planned for %s.', when(due))
  elseif due < tonumber(fields[3] or 0) then
    say('The job was created later, at %s.', when(fields[3]))
  elseif due > now then
    say('It lies ahead and is not planned: either it is no due time of the job, or it is behind the planned ones.')
  else
    say('The ledger does not know it: either it is no due time of the job, or its record was trimmed.')
  end
end

local function explain_job(job)
  local fields = redis.call('HMGET', base .. 'job:' .. job, 'state', 'note', 'kind', 'next', 'overlap', 'revision')
  local state, note, kind, next = fields[1], fields[2], fields[3], fields[4]
  say('The job is %s, by its revision %s.', state, fields[6])
  local active, queued = redis.call('HLEN', base .. 'active:' .. job), redis.call('ZCARD', base .. 'queue:' .. job)
  local entry = redis.call('ZSCORE', base .. 'wheel', '@' .. job)
  if state == 'paused' then
    say('It does not fire by its trigger until it is resumed%s', note ~= '' and ': ' .. note or '.')
  elseif state == 'finished' then
    say('No due time is left: max_runs is reached, end_at has passed, or a single instant has fired.')
  elseif state == 'deleting' then
    say('Its deletion was not completed: delete it again.')
  elseif kind == 'api' or kind == 'after' then
    say('Its trigger is %s: it has no due time of its own.', kind)
  elseif next ~= '' then
    say('It is due next at %s.', when(next))
    if not entry then
      say('It has no place in the wheel, which breaks invariant W4: apply it again.')
    elseif tonumber(entry) < now then
      say('It is overdue: no tracker has turned partition %s since.', string.match(base, '(%d+)}:$'))
    end
  elseif entry then
    say('Its next due time is not known yet: a tracker plans it.')
  elseif active + queued > 0 then
    say('Its next due time counts from the end of the firing that is under way.')
  else
    say('It has no next due time and nothing under way, which breaks invariant W4: apply it again.')
  end
  say('%d contexts are active and %d wait for them (overlap policy %s).', active, queued, fields[5])
end

local p, due, job = string.match(subject, '^(%d+)%.(%d+)%.[^@/]+@?(.*)$')
if p then
  base = base or '{' .. prefix .. ':' .. p .. '}:'
  explain_context(due, job)
  return cjson.encode({ subject = subject, because = because })
end
if not string.find(subject, '/', 1, true) then
  subject = 'default/' .. subject
end
if not base then
  local count = tonumber(redis.call('HGET', '{' .. prefix .. '}:meta', 'partitions') or PARTITIONS_MAX)
  for partition = 0, count - 1 do
    local candidate = '{' .. prefix .. ':' .. partition .. '}:'
    if redis.call('EXISTS', candidate .. 'job:' .. subject) == 1 then
      base = candidate
    end
  end
end
if not base or redis.call('EXISTS', base .. 'job:' .. subject) == 0 then
  say('There is no job of this name.')
elseif asked_due then
  explain_due(subject)
else
  explain_job(subject)
end
return cjson.encode({ subject = subject, due_ms = tonumber(asked_due), because = because })
