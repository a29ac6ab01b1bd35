-- Module records/fan_record: the fields of a fan that are texts with parts. `root` is `<attempt>:<failures> <rest>` of the split context,
-- `by` is `<worker> <claimed ms>` of its last attempt, `end` is `<state> <message>`; `handlers` are separated by spaces; `t:<handler>` and
-- `r` are `<group> <handler> <priority> <options> `, what subtasks have before their bodies; `w:<worker>` counts parts for one worker, and
-- `m:<number>` items that a subtask has mapped.
-- @use record
local fan_record = {}
local find, gmatch, match = string.find, string.gmatch, string.match
local int = record.int

function fan_record.root_text(attempt, failures, rest)
  return int(attempt) .. ':' .. int(failures) .. ' ' .. rest
end

-- `<attempt>:<failures>` of the root; nil where nothing of it is kept.
function fan_record.counts_of_root(root)
  return match(root, '^%d+:%d+')
end

-- The attempt of the root, as a text.
function fan_record.attempt_of_root(root)
  return match(root, '^(%d+):')
end

function fan_record.body_of_root(root)
  return match(root, '^%d+:%d+ %S+ %S+ %d %S+ (.*)$') or ''
end

function fan_record.by_text(worker, claimed)
  return (worker or '-') .. ' ' .. int(claimed or 0)
end

-- Worker and when it claimed, nil of what cannot be read.
function fan_record.split_by(by)
  local worker, claimed = match(by, '^(%S+) (%d+)$')
  return worker, claimed and record.is_instant(claimed) and tonumber(claimed) or nil
end

function fan_record.end_text(state, message)
  return state .. ' ' .. message
end

function fan_record.split_end(text)
  return match(text, '^(%S+) (.*)$')
end

-- A number of a field; 0 for any other text.
function fan_record.number(text)
  return find(text, '^%d+$') and record.is_instant(text) and tonumber(text) or 0
end

-- The text of a number that may be absent; empty for any other text.
function fan_record.optional(text)
  return match(text, '^%-?%d+$') or ''
end

-- Whether a group or a handler may be called so.
function fan_record.is_name(text)
  return find(text, '^[%w_][%w._/-]*$') ~= nil
end

function fan_record.each_handler(handlers)
  return gmatch(handlers, '%S+')
end

function fan_record.first_handler(handlers)
  return match(handlers, '^%S+')
end

function fan_record.has_handler(handlers, handler)
  return find(' ' .. handlers .. ' ', ' ' .. handler .. ' ', 1, true) ~= nil
end

function fan_record.with_handler(handlers, handler)
  return handlers .. (handlers == '' and '' or ' ') .. handler
end

-- Whether `success`, numbers separated by commas, has one.
function fan_record.has_number(success, n)
  return find(',' .. success .. ',', ',' .. n .. ',', 1, true) ~= nil
end

function fan_record.worker_field(worker)
  return 'w:' .. worker
end

-- The worker of such a field; nil for any other field.
function fan_record.worker_of(field)
  return match(field, '^w:(.+)$')
end

function fan_record.template_field(handler)
  return 't:' .. handler
end

-- `n` is empty for the root.
function fan_record.mapped_field(n)
  return 'm:' .. n
end

-- The template of a handler; `options` is `<priority> <options>`, to which the placement of the root comes.
function fan_record.template(group, handler, placement, options)
  if placement ~= '' then
    local priority, rest = match(options, '^(%d) (%S+)$')
    options = priority .. ' c=' .. placement .. (rest ~= '-' and ',' .. rest or '')
  end
  return group .. ' ' .. handler .. ' ' .. options .. ' '
end

-- What stands before the space at the end of a template, its priority and its options.
function fan_record.split_template(template)
  local priority, options = match(template, '^%S+ %S+ (%d) (%S+) $')
  return string.sub(template, 1, -2), tonumber(priority), options
end

return fan_record
