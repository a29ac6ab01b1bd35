#!lua flags=no-writes
--[[
Script   inspect/job
Purpose  Everything about one job as JSON, for a person with redis-cli.
Usage    redis-cli --eval lua/inspect/job.lua <namespace/name> [, <prefix>]
         In Redis Cluster: redis-cli -c --eval lua/inspect/job.lua '{tw:7}' , <namespace/name>
Reply    One JSON text: the fields of the job's hash, its spec, its place in the wheel, what is active and queued, and the newest
         ledger records and runs, the newest last.
Cost     O(partitions) to find it; at most 100 active contexts, 10 ledger records and 10 runs are shown
]]
local ACTIVE_SHOWN, RECORDS_SHOWN, PARTITIONS_MAX = 100, 10, 1024
local HIDDEN = { spec = true, tmpl = true }

local tag = string.match(KEYS[1] or '', '^{.+:%d+}$')
local job = tag and ARGV[1] or KEYS[1]
if not job then
  return redis.error_reply('USAGE redis-cli --eval lua/inspect/job.lua <namespace/name> [, <prefix>]')
end
if not string.find(job, '/', 1, true) then
  job = 'default/' .. job
end

local function partition_tag()
  local prefix = ARGV[1] or 'tw'
  local count = tonumber(redis.call('HGET', '{' .. prefix .. '}:meta', 'partitions') or PARTITIONS_MAX)
  for partition = 0, count - 1 do
    local candidate = '{' .. prefix .. ':' .. partition .. '}'
    if redis.call('EXISTS', candidate .. ':job:' .. job) == 1 then
      return candidate
    end
  end
  return nil
end

tag = tag or partition_tag()
if not tag or redis.call('EXISTS', tag .. ':job:' .. job) == 0 then
  return cjson.encode({ job = job, exists = false })
end
local base = tag .. ':'
local shown = { job = job, exists = true, partition = tonumber(string.match(tag, ':(%d+)}$')) }
local fields = redis.call('HGETALL', base .. 'job:' .. job)
for i = 1, #fields, 2 do
  if fields[i] == 'spec' then
    -- The body stands in tmpl; in the spec it is an empty binary, a type that cmsgpack does not know.
    shown.spec = cmsgpack.unpack((string.gsub(fields[i + 1], '\164body\196%z', '\164body\160')))
    shown.spec.body = nil
  elseif fields[i] == 'tmpl' then
    local group, handler, priority, options, body = string.match(fields[i + 1], '^(%S+) (%S+) (%d) (%S+) (.*)$')
    shown.group, shown.handler, shown.priority, shown.options, shown.body_bytes = group, handler, tonumber(priority), options, #body
  elseif fields[i + 1] ~= '' and not HIDDEN[fields[i]] then
    shown[fields[i]] = fields[i + 1]
  end
end
shown.wheel_score = redis.call('ZSCORE', base .. 'wheel', '@' .. job) or nil
shown.active_count = redis.call('HLEN', base .. 'active:' .. job)
shown.queued_count = redis.call('ZCARD', base .. 'queue:' .. job)
local active = redis.call('HRANDFIELD', base .. 'active:' .. job, ACTIVE_SHOWN)
local ledger = redis.call('LRANGE', base .. 'ledger:' .. job, -RECORDS_SHOWN, -1)
local runs = redis.call('LRANGE', base .. 'runs:' .. job, -RECORDS_SHOWN, -1)
shown.active = #active > 0 and active or nil
shown.ledger = #ledger > 0 and ledger or nil
shown.runs = #runs > 0 and runs or nil
return cjson.encode(shown)
