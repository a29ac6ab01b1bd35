-- Module tokens: what each change of a token does beside it.
-- @use keys
-- @use record
-- @use records/token_record
local tokens = {}

-- Counts a change, by which trackers learn of it with their next heartbeat. A count that is none begins anew, above all that were seen.
-- It stands in `meta`, which heartbeats read in any case, and is written first: a count without a change only has tokens read again.
function tokens.count_change(now)
  local known = token_record.changes_of(redis.call('HGET', keys.meta, 'token_changes') or '')
  redis.call('HSET', keys.meta, 'token_changes', record.int(known and tonumber(known) + 1 or now))
end

return tokens
