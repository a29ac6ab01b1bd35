#!lua flags=no-writes
--[[
Script   inspect/job
Purpose  Everything about one job as JSON, for a person with redis-cli.
Usage    redis-cli fcall_ro tickwheel_job 0 <namespace/name> [<prefix>]
         In Redis Cluster: redis-cli -c fcall_ro tickwheel_job 1 '{tw:7}' <namespace/name>
Reply    One JSON text: the fields of the job's hash, its spec, its place in the wheel, what is active and queued, and the newest
         ledger records and runs, the newest last.
Cost     O(partitions) to find it; at most 100 active contexts, 10 ledger records and 10 runs are shown
]]
-- @use inspection/subject
-- @use keys
-- @use partition
-- @use records/context_record
-- @use records/job_record
local ACTIVE_SHOWN, RECORDS_SHOWN = 100, 10
local HIDDEN = { spec = true, tmpl = true }

if not ARGV[1] then
  return redis.error_reply('USAGE redis-cli fcall_ro tickwheel_job 0 <namespace/name> [<prefix>]')
end
local job = subject.job_named(ARGV[1])
if not subject.lie_with_job(subject.prefix(2), job) then
  return cjson.encode({ job = job, exists = false })
end
local shown = { job = job, exists = true, partition = tonumber(partition.number()) }
local fields = redis.call('HGETALL', keys.job(job))
for i = 1, #fields, 2 do
  if fields[i] == 'spec' then
    shown.spec = cmsgpack.unpack(job_record.readable_spec(fields[i + 1])) -- the body stands in tmpl
    shown.spec.body = nil
  elseif fields[i] == 'tmpl' then
    local group, handler, priority, options, body = context_record.open_rest(fields[i + 1])
    shown.group, shown.handler, shown.priority, shown.options, shown.body_bytes = group, handler, tonumber(priority), options, #body
  elseif fields[i + 1] ~= '' and not HIDDEN[fields[i]] then
    shown[fields[i]] = fields[i + 1]
  end
end
shown.wheel_score = redis.call('ZSCORE', keys.wheel, '@' .. job) or nil
shown.active_count = redis.call('HLEN', keys.active(job))
shown.queued_count = redis.call('ZCARD', keys.queue(job))
local active = redis.call('HRANDFIELD', keys.active(job), ACTIVE_SHOWN)
local ledger = redis.call('LRANGE', keys.ledger(job), -RECORDS_SHOWN, -1)
local runs = redis.call('LRANGE', keys.runs(job), -RECORDS_SHOWN, -1)
shown.active = #active > 0 and active or nil
shown.ledger = #ledger > 0 and ledger or nil
shown.runs = #runs > 0 and runs or nil
return cjson.encode(shown)
