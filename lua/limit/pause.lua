#!lua flags=allow-oom
--[[
Script   limit/pause
Purpose  Pause a group, so that none of its contexts starts, or resume it. Trackers learn of it within about a second. Its limits stay.

KEYS     1 limits   hash  group -> its limits as JSON; `!`: how often they changed, and when last, ms    {tw}:limits
           computed: {tw}:pauses
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?  integer; absent: the server clock (only tests pass it)
           group    id
           resume?  1: it is paused no more
           by?      token of who pauses it, at most 16 bytes
           note?    why, at most 400 bytes

Reply    { 'PAUSED', since_ms }   it is, since then
         { 'RESUMED' }            it is not
         { 'PAUSES_FULL' }        as many groups are paused as may
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(1); at most 7 commands
Holds    W9 W10
Repeat   A second pause replaces the note, and keeps since when; a second call changes nothing else but the count of changes.
]]
-- @use args
-- @use keys
-- @use records/group_pause
-- @use records/limit_share
local PAUSES_MAX = 1000
local BY_BYTES, NOTE_BYTES = 16, 400
local given = args.only_named('now_ms group resume by note')
local now = args.now_of(given)
local group = args.text_of(given, 'group', 128)
local by, note = given.by or '', given.note or ''
if #by > BY_BYTES or not group_pause.is_word(by) then
  args.bad('by', 'must be letters and digits, at most ' .. BY_BYTES, by)
elseif #note > NOTE_BYTES then
  args.bad('note', 'must have at most ' .. NOTE_BYTES .. ' bytes', note)
end

local function count_change()
  local changes = limit_share.count_changes(redis.call('HGET', KEYS[1], '!') or '')
  redis.call('HSET', KEYS[1], '!', limit_share.changes_text(changes + 1, now))
end

local known = redis.call('HGET', keys.pauses, group)
if given.resume then
  if known then
    count_change()
    redis.call('HDEL', keys.pauses, group)
  end
  return { 'RESUMED' }
end
if not known and redis.call('HLEN', keys.pauses) >= PAUSES_MAX then
  return { 'PAUSES_FULL' }
end
local since = known and tonumber(group_pause.since_of(known)) or now
count_change()
redis.call('HSET', keys.pauses, group, group_pause.text(since, by, note))
return { 'PAUSED', since }
