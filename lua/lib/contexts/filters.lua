-- Module contexts/filters: which contexts a list chooses; all that is given must hold. It says so before anything is copied into a page, so
-- that what is not chosen costs little. A message is compared in any case of the letters a to z.
-- @use args
-- @use bounds
-- @use records/context_id
-- @use records/settled_record
local filters = {}

local ERROR_BYTES = 1024

function filters.begin()
  filters.job, filters.group, filters.handler, filters.worker = nil, nil, nil, nil
  filters.states, filters.error = nil, nil
  filters.due_from, filters.due_to, filters.ended_from, filters.ended_to = nil, nil, nil, nil
end

local function filled(text)
  return text and text ~= '' and text or nil
end

-- Takes over the arguments of a call.
function filters.open(given)
  filters.job, filters.group = filled(given.job), filled(given.group)
  filters.handler, filters.worker = filled(given.handler), filled(given.worker)
  filters.states = filled(given.states) and ' ' .. given.states .. ' '
  if filled(given.error) then
    filters.error = string.lower(args.text_of(given, 'error', ERROR_BYTES))
  end
  filters.due_from = args.int_or_nil(given, 'due_from', 0, bounds.INSTANT_MAX)
  filters.due_to = args.int_or_nil(given, 'due_to', 0, bounds.INSTANT_MAX)
  filters.ended_from = args.int_or_nil(given, 'ended_from', 0, bounds.INSTANT_MAX)
  filters.ended_to = args.int_or_nil(given, 'ended_to', 0, bounds.INSTANT_MAX)
end

function filters.take_state(state)
  return not filters.states or string.find(filters.states, ' ' .. state .. ' ', 1, true) ~= nil
end

local function is_within(at, from, to)
  return (not from or at >= from) and (not to or at < to)
end

-- Whether the job and the due time fit. Subtasks have a list of their own.
function filters.take_id(id)
  if context_id.is_subtask(id) or (filters.job and context_id.job_of(id) ~= filters.job) then
    return false
  elseif not filters.due_from and not filters.due_to then
    return true
  end
  local due = context_id.due_of(id)
  return due ~= nil and is_within(due, filters.due_from, filters.due_to)
end

function filters.take_names(group, handler)
  return (not filters.group or group == filters.group) and (not filters.handler or handler == filters.handler)
end

function filters.take_worker(worker)
  return not filters.worker or worker == filters.worker
end

-- Whether a record of an end is chosen, but for its group and handler; nil when it cannot be read. Then its id, group and handler.
function filters.take_settled(line)
  local id, state, worker, ended, message, group, handler = settled_record.chosen_by(line)
  if not id then
    return nil
  end
  local fits = filters.take_state(state) and filters.take_worker(worker) and filters.take_id(id)
    and is_within(tonumber(ended), filters.ended_from, filters.ended_to)
    and (not filters.error or string.find(string.lower(message), filters.error, 1, true) ~= nil)
  return fits, id, group, handler
end

return filters
