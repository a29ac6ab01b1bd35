-- Module records/ledger_record: what became of a due time, `<due> F +<ms>[ <id>]`, `<due> S <reason>[ +<ms> <id>]`, `<due> M <reason>`,
-- `<due> C <reason>`, of a run of them `<from>-<to>x<count> M <reason>`; `<now> R <revision>` is a new definition.
-- @use record
local ledger_record = {}

-- The letters.
ledger_record.FIRED, ledger_record.SKIPPED, ledger_record.MISSED, ledger_record.REVISED = 'F', 'S', 'M', 'R'
local match = string.match
local int = record.int

-- Fired so many ms after it was due; `shown` is the id of a context that does not follow from it, or empty.
function ledger_record.fired(due, late, shown)
  return int(due) .. ' F +' .. int(late) .. (shown == '' and '' or ' ' .. shown)
end

function ledger_record.skipped(due, reason)
  return int(due) .. ' S ' .. reason
end

-- The same for a context outside the trigger.
function ledger_record.skipped_by_hand(due, reason, late, id)
  return int(due) .. ' S ' .. reason .. ' +' .. int(late) .. ' ' .. id
end

-- Missed, from a due time to another one, so many in all.
function ledger_record.missed(from, to, count, reason)
  return int(from) .. (count > 1 and '-' .. int(to) .. 'x' .. int(count) or '') .. ' M ' .. reason
end

function ledger_record.revised(now, revision)
  return int(now) .. ' R ' .. revision
end

-- The newest due time that it decides; nil for one that names none.
function ledger_record.newest_due(text)
  return tonumber(match(text, '^%d+%-(%d+)x%d+ ') or match(text, '^(%d+) '))
end

-- The first and the last due time that it decides, the letter, and what stands behind it.
function ledger_record.split(text)
  local from, to, verdict, rest = match(text, '^(%d+)%-?(%d*)x?%d* (%a) ?(.*)$')
  return from, to ~= '' and to or from, verdict, rest
end

-- How late a firing was, as a text.
function ledger_record.late_of(rest)
  return match(rest, '^%+(%d+)')
end

return ledger_record
