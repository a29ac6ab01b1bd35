-- Module records/waiting_part: a subtask that waits in a list, `<number> <attempt>:<failures>[,<option>...] <bytes>`: what is not in the
-- template of its handler.
-- @use records/context_record
local waiting_part = {}
local find, gsub, match = string.find, string.gsub, string.match

-- `extra` is `,<letter>=<value>` for each option of its own.
function waiting_part.text(n, counts, extra, body)
  return n .. ' ' .. counts .. extra .. ' ' .. body
end

-- One that nobody has run.
function waiting_part.new(n, body)
  return n .. ' 0:0 ' .. body
end

-- Number, counts, options of its own and bytes; nil for one that does not follow the grammar.
function waiting_part.split(entry)
  return match(entry, '^(%w+) (%d+:%d+)(%S*) (.*)$')
end

-- The number, as a text; nil for the reduce.
function waiting_part.number_of(entry)
  return match(entry, '^%d+')
end

-- What the list has in front of its number.
function waiting_part.start_of(n)
  return n .. ' '
end

-- Handler, options of its own, the worker that it is for among these, and body of the rest that it was run with.
function waiting_part.of_rest(rest)
  local _, handler, _, options, body = context_record.open_rest(rest)
  local extra = match(options, ',[aow]=.*$') or ''
  return handler, (gsub(extra, ',w=[^,]+', '')), match(extra, ',w=([^,]+)'), body
end

-- The same options for one worker only.
function waiting_part.only_for(extra, worker)
  return extra .. ',w=' .. worker
end

-- The worker that a part is for, and no other: it was claimed from what waits for that worker.
function waiting_part.meant_for(rest)
  return match(rest, '^%S+ %S+ %d %S*,w=([^,%s]+)')
end

-- The same rest for any worker, where a lease of it was lost; nil where none was.
function waiting_part.freed(rest)
  return find(rest, '^%S+ %S+ %d %S*,a=') and gsub(rest, ',w=[^,%s]+', '', 1) or nil
end

return waiting_part
