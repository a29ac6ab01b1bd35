-- Module history/ends: writes the events of a partition, reads what the newest say of some contexts, a bounded step in each call, and
-- counts what ended lately.
-- @use args/forms
-- @use keys
-- @use record
-- @use records/settled_record
local ends = {}

ends.KEPT = 1000 -- entries of a partition; one holds the ends of one call, or some of them
local ENTRY_BYTES = 32768 -- of one entry, and a record beyond: the ends of some 300 contexts
local KEPT_BYTES = 16777216 -- of all entries, were each as great as the newest

-- Adds records, one on a line, as the newest entries. A great entry leaves room for fewer: an n-th newest one has at most KEPT_BYTES / n.
function ends.add(records)
  while records ~= '' do
    local cut = settled_record.cut_behind(records, ENTRY_BYTES)
    local entry = cut and string.sub(records, 1, cut - 1) or records
    local kept = math.min(ends.KEPT, math.floor(KEPT_BYTES / #entry))
    redis.call('XADD', keys.events, 'MAXLEN', '~', record.int(kept), '*', 's', entry)
    records = cut and string.sub(records, cut + 1) or ''
  end
end

-- The records of an entry, empty ones too, as somebody may have written it; of a field that no script writes its name and value.
function ends.records(entry)
  local records = {}
  for i = 1, #entry[2], 2 do
    local name, value = entry[2][i], entry[2][i + 1]
    if name == 's' then
      for record in settled_record.each_or_empty(value) do
        records[#records + 1] = record
      end
    else
      records[#records + 1] = name .. ' ' .. value
    end
  end
  return records
end

-- Walks from the entry behind `from` (`+`: from the newest) to older ones, not beyond `oldest`, an entry's id or `-`, until each context of
-- `wanted`, a set of ids, is found. Answers with what was found, id -> { attempt, state }, where the next step begins (nil: nothing is
-- left), and the newest entry that was seen.
function ends.walk(from, oldest, wanted)
  local STEP, ENTRIES_MAX, BYTES_MAX = 8, 64, 262144
  local found, left, newest = {}, 0, nil
  for _ in pairs(wanted) do
    left = left + 1
  end
  local entries_seen, bytes = 0, 0
  while true do
    local entries = redis.call('XREVRANGE', keys.events, from == '+' and '+' or '(' .. from, oldest, 'COUNT', STEP)
    for _, entry in ipairs(entries) do
      newest = newest or entry[1]
      from = entry[1]
      bytes = bytes + #entry[2][2]
      for id, state, attempt in settled_record.each_end(entry[2][2]) do
        if wanted[id] and not found[id] then -- the newest end of a context counts
          found[id] = { attempt, state }
          left = left - 1
        end
      end
    end
    entries_seen = entries_seen + #entries
    if #entries < STEP or left == 0 then
      return found, nil, newest
    end
    if entries_seen >= ENTRIES_MAX or bytes >= BYTES_MAX then
      return found, from, newest
    end
  end
end

-- The newest entries from `since` on, an entry's id or its ms, or `(` and an entry behind which they are: the newest first, few where
-- they are great; and whether there are more.
function ends.newest(since)
  local GREAT, FEW, MANY = 1024, 4, 64
  local first = redis.call('XREVRANGE', keys.events, '+', since, 'COUNT', 1)[1]
  if not first then
    return {}, false
  end
  local most = #first[2][2] > GREAT and FEW or MANY
  local entries = redis.call('XREVRANGE', keys.events, '+', since, 'COUNT', most + 1)
  local more = #entries > most
  entries[most + 1] = nil
  return entries, more
end

-- How many ended in the last minute, state -> number, and since when these are all of them, ms, as the newest entries tell.
function ends.lately(now)
  local LATELY_MS = 60000
  local since, counts = math.max(now - LATELY_MS, 0), {}
  local entries, more = ends.newest(record.int(since))
  for _, entry in ipairs(entries) do
    for _, state in settled_record.each_end(entry[2][2]) do
      counts[state] = (counts[state] or 0) + 1
    end
  end
  if more then
    since = tonumber(forms.ms_of_entry(entries[#entries][1]))
  end
  return counts, since
end

return ends
