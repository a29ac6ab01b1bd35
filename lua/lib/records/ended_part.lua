-- Module records/ended_part: how a subtask ended. In `results` stands `<number> <s or f> <result or error>`; in `split`, which stays with
-- the record of the root, `<number> <s or f> <attempt> <worker or -> <claimed ms> <ended ms> <message>` and, in front of them once the root
-- has ended, `<model> <round> <created ms> <ended ms> <total> <succeeded> <failed> <reduce>`.
-- @use record
local ended_part = {}
local match = string.match
local int = record.int

local function start(n, failed)
  return n .. (failed and ' f ' or ' s ')
end

function ended_part.result(n, failed, text)
  return start(n, failed) .. text
end

-- Number and letter of a result; nil for one that cannot be read.
function ended_part.split_result(entry)
  return match(entry, '^(%d+) (%a) ')
end

-- `<attempt> <worker or -> <claimed ms>`.
function ended_part.by(attempt, worker, claimed)
  return int(attempt or 0) .. ' ' .. (worker or '-') .. ' ' .. int(claimed or 0)
end

-- What stays of a part, still without when it ended.
function ended_part.text(n, failed, by, message)
  return start(n, failed) .. (by or '0 - 0') .. ' ' .. message
end

-- The same with it.
function ended_part.at(part, ended)
  local head, message = match(part, '^(%S+ %a %d+ %S+ %d+) (.*)$')
  return head .. ' ' .. int(ended) .. ' ' .. message
end

-- Number (`r` is the reduce) and letter of what stays.
function ended_part.split(entry)
  return match(entry, '^(%w+) (%a) ')
end

function ended_part.summary(fan, ended)
  return table.concat({ fan.model, int(fan.round), int(fan.created_ms), int(ended), int(fan.total), int(fan.succeeded), int(fan.failed),
    fan.reduce }, ' ')
end

-- Model, reduce and the six numbers between them; nil for what is no summary.
function ended_part.split_summary(entry)
  local model, numbers, reduce = match(entry, '^(%l+) ([%d ]+) (%S*)$')
  local told = {}
  for number in string.gmatch(numbers or '', '%d+') do
    told[#told + 1] = tonumber(number)
  end
  if #told ~= 6 then
    return nil
  end
  return model, reduce, told
end

return ended_part
