-- Module records/active_mark: what the active contexts of a job have as their value: whether a delay counts from their end.
-- @use records/context_id
local active_mark = {}

-- A firing of the trigger.
active_mark.SCHEDULED = 's'
-- Asked for outside the trigger, or to run again.
active_mark.MANUAL = 'm'

function active_mark.of(id)
  return context_id.is_scheduled(id) and active_mark.SCHEDULED or active_mark.MANUAL
end

return active_mark
