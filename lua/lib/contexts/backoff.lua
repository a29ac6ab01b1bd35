-- Module contexts/backoff: how long a context that failed waits for its next attempt, by the retry policy of its job.
-- @use records/context_options
local backoff = {}
local EXPONENTIAL = 'e'

-- Milliseconds after the `failures`-th failure (from 1); `random`: 0 <= random < 1. Fixed: the delay. Exponential: it doubles with each
-- failure, up to the cap. With jitter: anything from 0 up to that.
function backoff.delay(options, failures, random)
  local kind, delay, cap, jitter = context_options.backoff(options)
  if not kind then
    kind, delay, cap, jitter = EXPONENTIAL, 1000, 60000, '1'
  end
  delay = tonumber(delay)
  if kind == EXPONENTIAL then
    delay = math.min(tonumber(cap), delay * 2 ^ (failures - 1))
  end
  if jitter == '1' then
    delay = math.floor(random * (delay + 1))
  end
  return delay
end

return backoff
