-- Module args/offer_forms: what a turn is told of workers, placements and limits.
local offer_forms = {}
local find, gmatch, match = string.find, string.gmatch, string.match

-- Permits, `+` when another turn has more of them in hand, and behind a space what is free of the worker's resources; nil for none.
function offer_forms.split_permits(text)
  return match(text, '^(%d+)(%+?)(.*)$')
end

function offer_forms.are_units(text)
  return find(text, '^ [%l%d_.=,-]+$') ~= nil
end

-- Name and amount of each `<name>=<amount>`.
function offer_forms.each_amount(text)
  return gmatch(text, '([^=,]+)=(%d+)')
end

-- The number of the worker with the same handlers in `=<number>`, as a text; nil where the handlers stand there.
function offer_forms.same_as(handlers)
  return match(handlers, '^=(%d+)$')
end

-- Whether they are told of by an earlier worker.
function offer_forms.is_same(handlers)
  return find(handlers, '^=') ~= nil
end

function offer_forms.each_name(names)
  return gmatch(names, '[^,]+')
end

-- Whether `padded`, names with a comma on each side, has this one.
function offer_forms.has_name(padded, name)
  return find(padded, ',' .. name .. ',', 1, true) ~= nil
end

-- Mode of a placement, and what a context takes of its worker's resources, or ''; nil for none.
function offer_forms.split_mode(text)
  return match(text, '^(%l+) ?([%l%d_.=,-]*)$')
end

-- Number, score and step of a worker of a placement, as texts.
function offer_forms.split_worker(text)
  return match(text, '^(%d+):(%-?[%d.]+):([%d.]+)$')
end

function offer_forms.each_line(text)
  return gmatch(text, '[^\n]+')
end

-- `g <group> <rules> <rules of keys> [<key>=<rules>,...]`: a group with limits.
function offer_forms.split_limited(line)
  return match(line, '^g (%S+) ([cr-]+) ([cr-]+) ?(%S*)$')
end

-- `t <report> <allowed> <starts> <k|w> <limit>`: what was granted.
function offer_forms.split_granted(line)
  return match(line, '^t (%d+) (%d+) (%d+) ([kw]) (%S.*)$')
end

-- `r <limit>`: another partition waits for it. `n <ms>`: when the limits changed.
function offer_forms.recalled(line)
  return match(line, '^r (%S.*)$')
end

function offer_forms.changed(line)
  return match(line, '^n (%d+)$')
end

-- The rules of one key in `special`, `<key>=<rules>` with a comma on each side; nil where it has none of its own.
function offer_forms.rules_of(special, key)
  return match(special, ',' .. string.gsub(key, '[%.%+%-]', '%%%0') .. '=([cr-]+),')
end

return offer_forms
