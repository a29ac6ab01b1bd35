-- Module contexts/retrying: an attempt that ended without success, and whether and when there is a next one.
-- @use bounds
-- @use contexts/backoff
-- @use contexts/ready
-- @use history/attempts
-- @use record
-- @use records/context_id
-- @use records/context_options
-- @use records/context_record
-- @use records/held_value
local retrying = {}
local int = record.int

local ORPHANED_MAX = 3 -- workers that may die or fall silent with a context before it is taken for their cause

-- What is kept for the next attempt: after a lost lease, whom to avoid and how many workers were lost in a row.
local function rest_for_retry(rest, options, avoid, orphaned)
  if not avoid and not context_options.value(options, 'o') then
    return rest
  end
  local head, given, tail = context_record.around_options(rest)
  return head .. context_options.for_retry(given, avoid, orphaned) .. tail
end

-- Ends an attempt without success: the next one waits in the wheel (or in ready, without a delay), or the context ends.
-- `how`: state, message, random (0 <= random < 1), and maybe retry_after (ms), final; of a lost lease: avoid, its worker.
-- `subtasks` is the module fan_out/finishing, which knows what becomes of those. Returns 'RETRYING' or 'SETTLED'.
function retrying.fail_attempt(endings, now, id, held, how, subtasks)
  local _, _, _, options = context_record.split_rest(held.rest)
  local failures = math.min(held.failures + 1, bounds.ATTEMPT_MAX)
  local cancelled = how.state == 'cancelled' or held_value.is_cancelled(held.cancel)
  local orphaned = how.avoid and context_options.number(options, 'o', 0) + 1 or 0
  if orphaned >= ORPHANED_MAX then
    how.message = how.message .. '; the leases of ' .. int(orphaned - 1) .. ' attempts before were lost too: taken for the cause'
    how.final = true
  end
  local subtask = context_id.is_subtask(id)
  if not subtask and not cancelled then
    attempts.note(endings.attempts, now, id, held, how)
  end
  local used_up = failures >= context_options.number(options, 'r', bounds.ATTEMPTS_MAX)
  if cancelled or how.final or used_up or (subtask and subtasks.is_final(endings, id, how)) then
    subtasks.end_context(endings, now, {
      id = id, state = cancelled and 'cancelled' or how.state, attempt = held.attempt, failures = failures,
      worker = held.worker, claimed = held.claimed, message = how.message, rest = held.rest,
    })
    return 'SETTLED'
  end
  local rest = rest_for_retry(held.rest, options, how.avoid, orphaned)
  local delay = how.retry_after or backoff.delay(options, failures, how.random)
  local at = delay > 0 and now + delay or nil
  if subtask then
    rest = subtasks.retries(endings, id, held, rest, at)
  end
  if not at then
    if not subtask then
      ready.add(endings.ready, id, context_record.text(id, held.attempt, failures, rest), rest)
    end
    return 'RETRYING'
  end
  endings.wheel[#endings.wheel + 1] = at
  endings.wheel[#endings.wheel + 1] = context_record.text(id, held.attempt, failures, rest)
  ready.use_placement(options)
  endings.retry[#endings.retry + 1] = id
  endings.retry[#endings.retry + 1] = int(at)
  endings.soonest = math.min(endings.soonest or at, at)
  return 'RETRYING'
end

return retrying
