#!lua flags=no-writes
--[[
Script   inspect/wheel
Purpose  The next entries of one partition's wheel as JSON, for a person with redis-cli.
Usage    redis-cli fcall_ro tickwheel_wheel 0 <partition> [<prefix>]
         In Redis Cluster: redis-cli -c fcall_ro tickwheel_wheel 1 '{tw:7}'
Reply    One JSON text: Redis' time, the number of entries and of overdue ones, and the next 20 without their bodies. kind is context,
         retry, job, lease_scan, limits_scan, start_deadline, pinned or outbox.
Cost     O(log(keys.wheel)); 4 commands
]]
-- @use inspection/subject
-- @use keys
-- @use partition
-- @use records/wheel_entry
-- @use args/forms
local SHOWN = 20
local KINDS = { ['@'] = 'job', ['!'] = 'lease_scan', ['#'] = 'start_deadline', ['&'] = 'outbox', ['%'] = 'pinned' }

if not subject.is_tagged() and not forms.is_digits(ARGV[1] or '') then
  return redis.error_reply('USAGE redis-cli fcall_ro tickwheel_wheel 0 <partition> [<prefix>]')
end
subject.lie_in(subject.prefix(2), ARGV[1])
local now = subject.now()
local entries = {}
local found = redis.call('ZRANGE', keys.wheel, 0, SHOWN - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  local kind = KINDS[string.sub(found[i], 1, 1)]
  local text = wheel_entry.name_of(found[i])
  if wheel_entry.is_limits(found[i]) then
    kind = 'limits_scan'
  end
  if not kind then
    local id, attempt, rest = wheel_entry.shown_context(found[i])
    kind = attempt == '0' and 'context' or 'retry'
    text = id and id .. ' ' .. rest or found[i]
  end
  entries[#entries + 1] = { score_ms = tonumber(found[i + 1]), due_in_ms = tonumber(found[i + 1]) - now, kind = kind, entry = text }
end
return cjson.encode({
  partition = tonumber(partition.number()),
  now_ms = now,
  entries_count = redis.call('ZCARD', keys.wheel),
  overdue_count = redis.call('ZCOUNT', keys.wheel, '-inf', now),
  next = #entries > 0 and entries or nil,
})
