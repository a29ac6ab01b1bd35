#!lua flags=no-writes
--[[
Script   inspect/context
Purpose  Everything about one context as JSON, for a person with redis-cli.
Usage    redis-cli fcall_ro tickwheel_context 0 <id> [<prefix>]
         In Redis Cluster: redis-cli -c fcall_ro tickwheel_context 1 '{tw:7}' <id>
Reply    One JSON text. place is wheel, retry, ready, queue, held, split (it waits for its parts), part (one that waits), ended or nowhere.
Cost     O(ready sets * log(wheel)), and of what ended at most 1000 runs, 200 events and 1000 dead are looked at
]]
-- @use inspection/places
-- @use inspection/subject
-- @use keys
-- @use records/context_id
-- @use records/context_record
-- @use records/held_value
-- @use records/dead_record
-- @use records/log_entry
-- @use records/settled_record
local LOG_SHOWN, BODY_SHOWN = 50, 1000

local id = ARGV[1] or ''
local partition, due, unique = context_id.split(id)
if not partition then
  return redis.error_reply('USAGE redis-cli fcall_ro tickwheel_context 0 <id> [<prefix>], where an id is 7.1767225600000.f@a/b')
end
subject.lie_in(subject.prefix(2), partition)
local shown = {
  id = id, partition = tonumber(partition), due_ms = tonumber(due), unique = unique,
  namespace = context_id.namespace_of(id), job = context_id.job_of(id),
}
local job = shown.job or ''

local function text_or_size(name, bytes)
  shown[name .. '_bytes'] = #bytes
  if #bytes > 0 and context_record.is_shown(bytes) then
    shown[name] = string.sub(bytes, 1, BODY_SHOWN)
  end
end

local function show_rest(rest)
  local group, handler, priority, options, body = context_record.open_rest(rest)
  shown.group, shown.handler, shown.priority, shown.options = group, handler, tonumber(priority), options
  text_or_size('body', body)
end

local function show_member(place, member, zset)
  local attempt, failures, rest = context_record.split_texts(member)
  shown.place, shown.attempt, shown.failures = place, tonumber(attempt), tonumber(failures)
  shown.score = zset and redis.call('ZSCORE', zset, member) or nil
  show_rest(rest)
end

local function show_held(value)
  local held = held_value.split(value)
  if not held.rest then
    shown.place, shown.unreadable = 'held', value
    return
  end
  shown.place, shown.attempt, shown.failures, shown.worker = 'held', held.attempt, held.failures, held.worker
  shown.claimed_ms, shown.lease_expires_ms = held.claimed, held.expires
  shown.deadline_ms = held.deadline ~= 0 and held.deadline or nil
  shown.cancel = held.cancel ~= '-' and held.cancel or nil
  shown.counts_under = held.under ~= '' and held.under or nil
  show_rest(held.rest)
end

local function show_settled(line)
  local state, attempt, worker, claimed, ended, message, group, handler, failed = settled_record.split(line)
  shown.group, shown.handler, shown.failures = group ~= '-' and group or nil, handler ~= '-' and handler or nil, tonumber(failed)
  local member = places.member(keys.dead, ended, id, '\t')
  if member then
    local failures, rest = dead_record.split_rest(member)
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
  local own = redis.call('HGET', keys.fan(id), 'root')
  if own and own ~= '' then
    show_member('split', id .. ' ' .. own)
    local counts = redis.call('HMGET', keys.fan(id), 'model', 'total', 'succeeded', 'failed', 'out')
    shown.model, shown.parts, shown.running = counts[1], tonumber(counts[2]), tonumber(counts[5] or 0)
    shown.succeeded, shown.failed = tonumber(counts[3] or 0), tonumber(counts[4] or 0)
    return true
  end
  local root = context_id.asked_root(id)
  if root and redis.call('HEXISTS', keys.fans, root) == 1 then
    shown.place, shown.root = 'part', root
    return true
  end
  return false
end

local function find_live()
  local held = redis.call('HGET', keys.held, id)
  if held then
    show_held(held)
    return true
  end
  local spots = { { 'retry', keys.wheel, redis.call('HGET', keys.retry, id) or '' }, { 'wheel', keys.wheel, due } }
  for _, spot in ipairs(places.ready(id, due)) do
    spots[#spots + 1] = { 'ready', spot[2], spot[3] }
  end
  spots[#spots + 1] = { 'queue', keys.queue(job), due }
  for _, spot in ipairs(spots) do
    local member = places.member(spot[2], spot[3], id)
    if member then
      show_member(spot[1], member, spot[2])
      return true
    end
  end
  return find_split()
end

shown.place = 'nowhere'
if not find_live() then
  local line = places.settled(id, job)
  if line then
    show_settled(line)
  end
end
local log = {} -- `<ms> #<attempt> <level> <line>` of the newest entries
for _, entry in ipairs(redis.call('LRANGE', keys.log(id), -LOG_SHOWN, -1)) do
  local at, attempt, lost, position = log_entry.split(entry)
  if not at then
    log[#log + 1] = '? - an entry of ' .. #entry .. ' bytes that cannot be read'
    position = #entry
  elseif lost ~= '0' then
    log[#log + 1] = at .. ' - ' .. lost .. ' lines lost'
  end
  while position < #entry do
    local letter, age, line, following = log_entry.line_at(entry, position)
    if not letter then
      log[#log + 1] = '? - the rest of an entry cannot be read'
      break
    end
    log[#log + 1] = string.format('%.0f', at - age) .. ' #' .. attempt .. ' ' .. letter .. ' ' .. line
    position = following
  end
end
shown.log = #log > 0 and log or nil
local attempts = redis.call('LRANGE', keys.attempts(id), 0, -1)
shown.failed_attempts = #attempts > 0 and attempts or nil
shown.progress = redis.call('GET', keys.progress(id)) or nil
text_or_size('result', redis.call('GET', keys.result(id)) or '')
return cjson.encode(shown)
