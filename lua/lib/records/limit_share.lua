-- Module records/limit_share: what partitions know of a limit. In `limit_shares` stands `<using> <allowed> <starts> <report> <mode>`:
-- contexts that run under it, that may run, that may start, the number of the last report, a time, and the mode (limits/usage). What stands
-- behind `<using>` is what it says. In `limit_released` stand lines `<contexts> <limit>`. Where the limit lies, `p<partition>` has
-- `<report> <granted> <waiting> <since> <at> <mode>`, and among the limits of groups `!` has `<changes> <ms>`.
-- @use record
local limit_share = {}

-- The modes. Granted, and of a report nothing was used since: it may go back.
limit_share.GRANTED = 'k'
-- Some of it was used since the report.
limit_share.USED = 'u'
-- Another partition waits for the limit.
limit_share.CONTENDED = 'w'
-- Nothing was granted yet.
limit_share.NEW = 'n'

local gmatch, match = string.gmatch, string.match
local int = record.int

-- How many run, and what else it says, as texts.
function limit_share.split(share)
  return match(share, '^(%d+) (.*)$')
end

-- The same of one that can be read.
function limit_share.split_whole(share)
  return match(share, '^(%d+) (%d+ %d+ %d+ %l)$')
end

-- All five, as texts.
function limit_share.open(share)
  return match(share, '^(%d+) (%d+) (%d+) (%d+) (%l)$')
end

-- Allowed, starts, report and mode of what a share says, as texts.
function limit_share.open_said(said)
  return match(said, '^(%d+) (%d+) (%d+) (%l)$')
end

-- How many run, as a text.
function limit_share.using_of(share)
  return match(share, '^%d+')
end

function limit_share.text(using, said)
  return int(using) .. ' ' .. said
end

function limit_share.said(allowed, starts, report, mode)
  return int(allowed) .. ' ' .. int(starts) .. ' ' .. int(report) .. ' ' .. mode
end

-- What a share says, with another mode.
function limit_share.with_mode(said, mode)
  return string.sub(said, 1, -2) .. mode
end

-- A line of what ended under a limit.
function limit_share.released(count, name)
  return int(count) .. ' ' .. name
end

-- What stands before the keys of a group where one context each is told of, with the end of the line before.
function limit_share.released_before_key(before_key)
  return '\n1 ' .. before_key
end

-- Count, as a text, and limit of each line.
function limit_share.each_released(lines)
  return gmatch(lines, '(%d+) (%C+)')
end

-- The field of a partition where the limit lies.
function limit_share.field(partition)
  return 'p' .. int(partition)
end

-- The partition of a field, as a text; nil for another field.
function limit_share.partition_of(field)
  return match(field, '^p(%d+)$')
end

function limit_share.granted_text(report, granted, waiting, since, at, mode)
  return int(report) .. ' ' .. int(granted) .. ' ' .. int(waiting) .. ' ' .. int(since) .. ' ' .. int(at) .. ' ' .. mode
end

-- The same six, as texts; nil for one that cannot be read.
function limit_share.open_granted(text)
  local report, granted, waiting, since, at, mode = match(text, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%l)$')
  local is_instant = record.is_instant
  if report and is_instant(report) and is_instant(granted) and is_instant(waiting) and is_instant(since) and is_instant(at) then
    return report, granted, waiting, since, at, mode
  end
  return nil
end

-- Granted and waiting alone; nil where they cannot be read.
function limit_share.granted_and_waiting(text)
  local granted, waiting = match(text, '^%d+ (%d+) (%d+) ')
  if granted and record.is_instant(granted) and record.is_instant(waiting) then
    return tonumber(granted), tonumber(waiting)
  end
  return nil
end

function limit_share.changes_text(changes, at)
  return int(changes) .. ' ' .. int(at)
end

-- How often limits changed, and when last, as texts.
function limit_share.open_changes(text)
  return match(text, '^(%d+) (%d+)$')
end

-- The first of them, whatever stands behind it.
function limit_share.count_changes(text)
  return tonumber(match(text, '^%d+')) or 0
end

return limit_share
