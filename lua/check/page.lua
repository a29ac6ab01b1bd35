#!lua flags=no-writes
--[[
Script   check/page
Purpose  Read a step of one place of a partition, without bodies. What stays in the place during a walk is seen at least once. Events come
         with the newest first, so that no walk is outrun by those that are written meanwhile.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:held :retry :fair :fans :jobs :dead :events :ready: :queue: :active:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 key      without its partition: wheel, held, retry, fair, fans, jobs, dead, events,
                    ready:<group>:<handler>, queue:<job> or active:<job>
         3 cursor   of an earlier reply; `0` to begin
         4 count    entries wanted, integer, 1..500; a small place comes at once

Reply    { 'PAGE', fields... }
           now_ms
           cursor   `0`: there is no more
           items    { text, extra, digest }...
           sorted sets: text is the member, that of a context without its body; extra its score
           hashes: text is the field; extra its value, a held one without its body
           events: text is a settled record; extra the entry it is in
           dead: text is the settled record, and behind it the rest without its body
           digest: SHA-1 of the whole text (of a hash: of the value) where it does not follow the grammar, and is cut; else empty
Raises   BAD_ARG    an argument is out of range

Cost     O(count); at most 2 commands
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use history/ends
-- @use keys
-- @use records/context_record
-- @use records/held_value
-- @use records/wheel_entry
-- @use args/forms
-- @use records/dead_record
-- @use records/redis_key
-- @use records/settled_record
local COUNT_MAX = 500
local SHOWN = 200 -- bytes of a text that does not follow the grammar

local now = args.now(1)
local name = args.text(2, 'key', 300)
local cursor = args.text(3, 'cursor', 41)
local count = args.int(4, 'count', 1, COUNT_MAX)
if not forms.is_cursor(cursor) then
  args.bad('cursor', 'must be of an earlier reply', cursor)
end
local kind = redis_key.kind_of(name)
local items = {}

local function add(text, extra, whole)
  items[#items + 1] = { text or string.sub(whole, 1, SHOWN), extra, text and '' or redis.sha1hex(whole) }
end

local function of_member(member, score)
  if kind == 'jobs' or (kind == 'wheel' and not wheel_entry.is_context(wheel_entry.kind_of(member))) then
    add(member, score)
  elseif kind == 'dead' then
    add(dead_record.sound_head(member), score, member)
  else
    add(context_record.head_of(member), score, member)
  end
end

local function of_field(field, value)
  if kind == 'held' then
    local head = held_value.head_of(value)
    items[#items + 1] = { field, head or string.sub(value, 1, SHOWN), head and '' or redis.sha1hex(value) }
  else
    items[#items + 1] = { field, value, '' }
  end
end

local SORTED = { wheel = true, jobs = true, dead = true, ready = true, queue = true }
local HASHES = { held = true, retry = true, fair = true, active = true, fans = true }
if SORTED[kind] then
  local scanned = redis.call('ZSCAN', keys.base .. name, cursor, 'COUNT', count)
  cursor = scanned[1]
  for i = 1, #scanned[2], 2 do
    of_member(scanned[2][i], scanned[2][i + 1])
  end
elseif HASHES[kind] then
  local scanned = redis.call('HSCAN', keys.base .. name, cursor, 'COUNT', count)
  cursor = scanned[1]
  for i = 1, #scanned[2], 2 do
    of_field(scanned[2][i], scanned[2][i + 1])
  end
elseif kind == 'events' then
  local entry = redis.call('XREVRANGE', keys.base .. name, cursor == '0' and '+' or '(' .. cursor, '-', 'COUNT', 1)[1]
  cursor = entry and entry[1] or '0'
  for _, record in ipairs(entry and ends.records(entry) or {}) do
    add(settled_record.is_sound(record) and record, cursor, record)
  end
else
  args.bad('key', 'must be one of a partition that has entries', name)
end
return { 'PAGE', 'now_ms', now, 'cursor', cursor, 'items', items }
