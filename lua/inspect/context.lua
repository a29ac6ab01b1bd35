#!lua flags=no-writes
--[[
Script   inspect/context
Purpose  Everything about one context as JSON, for a person with redis-cli.
Usage    redis-cli --eval lua/inspect/context.lua <id> [, <prefix>]
         In Redis Cluster: redis-cli -c --eval lua/inspect/context.lua '{tw:7}' , <id>
Reply    One JSON text. place is wheel, retry, ready, queue, held, split (it waits for its parts), part (one that waits), ended or nowhere.
Cost     O(ready sets * log(wheel)), and of what ended at most 1000 runs, 200 events and 1000 dead are looked at
]]
local RUNS_LOOKED, EVENTS_LOOKED, DEAD_LOOKED = 1000, 200, 1000
local LOG_SHOWN, BODY_SHOWN = 50, 1000
local PRIORITY_SPAN = 17592186044416

local tag = string.match(KEYS[1] or '', '^{.+:%d+}$')
local id = tag and ARGV[1] or KEYS[1]
local partition, due, unique, job = string.match(id or '', '^(%d+)%.(%d+)%.([^@]+)@?(.*)$')
if not partition then
  return redis.error_reply('USAGE redis-cli --eval lua/inspect/context.lua <id> [, <prefix>], where an id is 7.1767225600000.f@a/b')
end
local base = (tag or '{' .. (ARGV[1] or 'tw') .. ':' .. partition .. '}') .. ':'
local shown = { id = id, partition = tonumber(partition), due_ms = tonumber(due), unique = unique, job = job ~= '' and job or nil }

-- True when `left` sorts before `right` in a sorted set; Lua's own `<` follows the host's collation.
local function bytes_before(left, right)
  for i = 1, math.min(#left, #right) do
    local l, r = string.byte(left, i), string.byte(right, i)
    if l ~= r then
      return l < r
    end
  end
  return #left < #right
end

-- The member of the context at `score`, by halving: members of one score lie in byte order.
local function find(zset, score, ending)
  local prefix = id .. (ending or ' ')
  local low = redis.call('ZCOUNT', zset, '-inf', '(' .. score)
  local high = redis.call('ZCOUNT', zset, '-inf', score) - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', zset, middle, middle)[1]
    if string.sub(member, 1, #prefix) == prefix then
      return member
    end
    if bytes_before(member, prefix) then
      low = middle + 1
    else
      high = middle - 1
    end
  end
  return nil
end

local function text_or_size(name, bytes)
  shown[name .. '_bytes'] = #bytes
  if #bytes > 0 and not string.find(bytes, '[^\t\r\n -~]') then
    shown[name] = string.sub(bytes, 1, BODY_SHOWN)
  end
end

local function show_rest(rest)
  local group, handler, priority, options, body = string.match(rest, '^(%S+) (%S+) (%d) (%S+) (.*)$')
  shown.group, shown.handler, shown.priority, shown.options = group, handler, tonumber(priority), options
  text_or_size('body', body)
end

local function show_member(place, member, zset)
  local attempt, failures, rest = string.match(member, '^%S+ (%d+):(%d+) (.*)$')
  shown.place, shown.attempt, shown.failures = place, tonumber(attempt), tonumber(failures)
  shown.score = zset and redis.call('ZSCORE', zset, member) or nil
  show_rest(rest)
end

local function show_held(value)
  local attempt, failures, worker, claimed, expires, deadline, under, cancel, rest =
    string.match(value, '^(%d+):(%d+) (%S+) (%d+) (%d+) (%d+)(%l*) (%S+) (.*)$')
  shown.place, shown.attempt, shown.failures, shown.worker = 'held', tonumber(attempt), tonumber(failures), worker
  shown.claimed_ms, shown.lease_expires_ms = tonumber(claimed), tonumber(expires)
  shown.deadline_ms = deadline ~= '0' and tonumber(deadline) or nil
  shown.cancel = cancel ~= '-' and cancel or nil
  shown.counts_under = under ~= '' and under or nil
  show_rest(rest)
end

local function show_settled(record)
  local state, attempt, worker, claimed, ended, message, group, handler, failed =
    string.match(record, '^[^\t]*\t([^\t]*)\t(%d+)\t([^\t]*)\t(%d+)\t(%d+)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t(%d+)$')
  shown.group, shown.handler, shown.failures = group ~= '-' and group or nil, handler ~= '-' and handler or nil, tonumber(failed)
  local member = find(base .. 'dead', ended, '\t')
  if member then
    local failures, rest = string.match(member, '\n(%d+) (.*)$')
    shown.failures = tonumber(failures)
    show_rest(rest)
  end
  shown.place, shown.state, shown.attempt, shown.ended_ms = 'ended', state, tonumber(attempt), tonumber(ended)
  shown.worker = worker ~= '-' and worker or nil
  shown.claimed_ms = claimed ~= '0' and tonumber(claimed) or nil
  shown.message = message ~= '' and message or nil
end

-- What is split, and what is a part that lies in a list of its root.
local function find_split()
  local own = redis.call('HGET', base .. 'fan:' .. id, 'root')
  if own and own ~= '' then
    show_member('split', id .. ' ' .. own)
    local counts = redis.call('HMGET', base .. 'fan:' .. id, 'model', 'total', 'succeeded', 'failed', 'out')
    shown.model, shown.parts, shown.running = counts[1], tonumber(counts[2]), tonumber(counts[5] or 0)
    shown.succeeded, shown.failed = tonumber(counts[3] or 0), tonumber(counts[4] or 0)
    return true
  end
  local root = string.find(id, '~', 1, true) and string.gsub(id, '~[^@]*', '')
  if root and redis.call('HEXISTS', base .. 'fans', root) == 1 then
    shown.place, shown.root = 'part', root
    return true
  end
  return false
end

local function find_live()
  local held = redis.call('HGET', base .. 'held', id)
  if held then
    show_held(held)
    return true
  end
  local retry = redis.call('HGET', base .. 'retry', id)
  local places = { { 'retry', base .. 'wheel', retry }, { 'wheel', base .. 'wheel', due } }
  for _, queue in ipairs(redis.call('ZRANGE', base .. 'backlog', 0, -1)) do
    local zset = base .. 'ready:' .. string.gsub(queue, ' ', ':')
    if string.find(queue, ' k=', 1, true) then
      places[#places + 1] = { 'ready', zset, redis.call('HGET', base .. 'fair', id) }
    else
      for above = 0, 4 do
        places[#places + 1] = { 'ready', zset, string.format('%.0f', above * PRIORITY_SPAN + tonumber(due)) }
      end
    end
  end
  places[#places + 1] = { 'queue', base .. 'queue:' .. job, due }
  for _, place in ipairs(places) do
    local member = place[3] and find(place[2], place[3])
    if member then
      show_member(place[1], member, place[2])
      return true
    end
  end
  return find_split()
end

local function find_ended()
  local runs = job ~= '' and redis.call('LRANGE', base .. 'runs:' .. job, -RUNS_LOOKED, -1) or {}
  for i = #runs, 1, -1 do
    if string.sub(runs[i], 1, #id + 1) == id .. '\t' then
      return show_settled(runs[i])
    end
  end
  for _, entry in ipairs(redis.call('XREVRANGE', base .. 'events', '+', '-', 'COUNT', EVENTS_LOOKED)) do
    local batch = '\n' .. entry[2][2]
    local start = string.find(batch, '\n' .. id .. '\t', 1, true)
    if start then
      return show_settled(string.match(batch, '^[^\n]*', start + 1))
    end
  end
  for _, member in ipairs(redis.call('ZRANGE', base .. 'dead', 0, DEAD_LOOKED - 1, 'REV')) do
    if string.sub(member, 1, #id + 1) == id .. '\t' then
      return show_settled(string.match(member, '^[^\n]*'))
    end
  end
end

shown.place = 'nowhere'
if not find_live() then
  find_ended()
end
local log = {} -- `<ms> #<attempt> <level> <line>` of the newest entries
for _, entry in ipairs(redis.call('LRANGE', base .. 'log:' .. id, -LOG_SHOWN, -1)) do
  local at, attempt, lost, position = string.match(entry, '^(%d+) (%d+) (%d+) %d+()')
  if not at then
    log[#log + 1] = '? - an entry of ' .. #entry .. ' bytes that cannot be read'
    position = #entry
  elseif lost ~= '0' then
    log[#log + 1] = at .. ' - ' .. lost .. ' lines lost'
  end
  while position < #entry do
    local letter, age, bytes, first = string.match(entry, '^\n(%l)(%d+) (%d+):()', position)
    if not letter then
      log[#log + 1] = '? - the rest of an entry cannot be read'
      break
    end
    local line = string.sub(entry, first, first + bytes - 1)
    log[#log + 1] = string.format('%.0f', at - age) .. ' #' .. attempt .. ' ' .. letter .. ' ' .. line
    position = first + bytes
  end
end
shown.log = #log > 0 and log or nil
local attempts = redis.call('LRANGE', base .. 'attempts:' .. id, 0, -1)
shown.failed_attempts = #attempts > 0 and attempts or nil
shown.progress = redis.call('GET', base .. 'progress:' .. id) or nil
text_or_size('result', redis.call('GET', base .. 'result:' .. id) or '')
return cjson.encode(shown)
