-- Module records/context_options: the options of a context, `-` or `<letter>=<value>` separated by commas; docs/keyspace.md has the
-- letters. No value has a `=`, so a letter is found without a pattern.
-- @use bounds
-- @use record
-- @use records/context_id
local context_options = {}
local find, gsub, match = string.find, string.gsub, string.match
local int = record.int

local marks = {} -- `<letter>=` of those that were looked for: joining texts costs as much as finding one

function context_options.value(options, letter)
  local mark = marks[letter]
  if not mark then
    mark = letter .. '='
    marks[letter] = mark
  end
  local at = find(options, mark, 1, true)
  return at and match(options, '^[^,]*', at + 2) or nil
end
local value = context_options.value

function context_options.number(options, letter, default)
  return tonumber(value(options, letter)) or default
end

-- The fairness key; it stands first, mostly.
function context_options.key_of(options)
  return match(options, '^k=([^,]+)') or value(options, 'k')
end

-- When a context must have started, nil without a start deadline. For one that was asked to run again it counts from then (`d`).
function context_options.start_by(id, options)
  local span = tonumber(value(options, 's'))
  return span and math.min(context_id.due_of(id) + context_options.number(options, 'd', 0) + span, bounds.INSTANT_MAX)
end

-- `<f or e>:<delay ms>:<cap ms>:<0 or 1>`, as texts; nil where they say none.
function context_options.backoff(options)
  return match(value(options, 'b') or '', '^(%a):(%d+):(%d+):(%d)$')
end

-- The same options and more; `more` is `<letter>=<value>`, or some with commas between them.
function context_options.with(options, more)
  return (options == '-' and '' or options .. ',') .. more
end

-- Asked to run again so many ms after its due time.
function context_options.asked_again(options, ms)
  return gsub(options, ',d=%d+', '') .. ',d=' .. int(ms)
end

-- Its next attempt avoids this worker. Only options that name a placement are given one so.
function context_options.passed_over(options, worker)
  local kept = gsub(',' .. options, ',a=[^,]*', '')
  return string.sub(kept, 2) .. ',a=' .. worker
end

-- For the next attempt after one without success: of a lost lease, whom to avoid and how many workers were lost in a row; of any other
-- nobody is counted as lost.
function context_options.for_retry(options, avoid, orphaned)
  if not avoid and not value(options, 'o') then
    return options
  end
  local kept = gsub(',' .. options, avoid and ',[ao]=[^,]*' or ',o=[^,]*', '')
  kept = gsub(kept, '^,%-?,?', '')
  if avoid then
    return (kept == '' and '' or kept .. ',') .. 'a=' .. avoid .. ',o=' .. int(orphaned)
  end
  return kept == '' and '-' or kept
end

return context_options
