#!lua flags=no-writes
--[[
Script   inspect/wheel
Purpose  The next entries of one partition's wheel as JSON, for a person with redis-cli.
Usage    redis-cli --eval lua/inspect/wheel.lua <partition> [, <prefix>]
         In Redis Cluster: redis-cli -c --eval lua/inspect/wheel.lua '{tw:7}'
Reply    One JSON text: Redis' time, the number of entries and of overdue ones, and the next 20 without their bodies. kind is context,
         retry, job, lease_scan, limits_scan, start_deadline, pinned or outbox.
Cost     O(log(wheel)); 4 commands
]]
local SHOWN = 20
local KINDS = { ['@'] = 'job', ['!'] = 'lease_scan', ['#'] = 'start_deadline', ['&'] = 'outbox', ['%'] = 'pinned' }

local tag = string.match(KEYS[1] or '', '^{.+:%d+}$')
if not tag and not string.find(KEYS[1] or '', '^%d+$') then
  return redis.error_reply('USAGE redis-cli --eval lua/inspect/wheel.lua <partition> [, <prefix>]')
end
tag = tag or '{' .. (ARGV[1] or 'tw') .. ':' .. KEYS[1] .. '}'
local wheel = tag .. ':wheel'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local entries = {}
local found = redis.call('ZRANGE', wheel, 0, SHOWN - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  local kind = KINDS[string.sub(found[i], 1, 1)]
  local text = string.sub(found[i], 2)
  if string.sub(found[i], 1, 7) == '!limits' then
    kind = 'limits_scan'
  end
  if not kind then
    local id, attempt, rest = string.match(found[i], '^(%S+) (%d+):%d+ (%S+ %S+ %d %S+)')
    kind = attempt == '0' and 'context' or 'retry'
    text = id and id .. ' ' .. rest or found[i]
  end
  entries[#entries + 1] = { score_ms = tonumber(found[i + 1]), due_in_ms = tonumber(found[i + 1]) - now, kind = kind, entry = text }
end
return cjson.encode({
  partition = tonumber(string.match(tag, ':(%d+)}$')),
  now_ms = now,
  entries_count = redis.call('ZCARD', wheel),
  overdue_count = redis.call('ZCOUNT', wheel, '-inf', now),
  next = #entries > 0 and entries or nil,
})
