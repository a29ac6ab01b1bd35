#!lua flags=allow-oom
--[[
Script   repair/quarantine
Purpose  Put a record that no script can use aside, with where it was, so that nothing stumbles over it and a person can look at it.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:quarantine {tw:p}:stats, and the key that has the record
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           key        that has it, without the partition: wheel, held, retry, fair, fans, jobs, dead, events, a ready set, queue or active
                      hash, or the hash of a split context
           at         its score; of a hash its field (of a split context `root`), or `hex:` and its bytes where it is no text; of events the
                      id of its entry
           text       how the member begins, also as `hex:` and its bytes (none: it is empty), or `sha1:` and the digest of all of it;
                      of a hash the value's digest or anything
           why        in words, at most 500 bytes

Reply    { 'REPAIRED', what was done }
         { 'CLEAN' }   it is no longer there
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(log(entries) + 1000 members of one score, or records of one entry); at most 30 commands
Holds    W1 W9
Repeat   Idempotent: the second call is CLEAN. The newest 1,000 records are kept.
]]
-- @use args
-- @use history/ends
-- @use keys
-- @use quarantine
-- @use zsets
-- @use records/queue_name
-- @use records/redis_key
-- @use args/forms
local LOOKED = 1000 -- members of one score
local given = args.only_named('now_ms key at text why')
local now = args.now_of(given)
local name = args.text_of(given, 'key', 300)
local at, text = given.at or args.bad('at', 'must be given'), args.text_of(given, 'text', 4096)
local why = args.text_of(given, 'why', 500)
local kind, target = redis_key.kind_of(name), keys.base .. name
local digest = forms.digest_of(text)

local function done(record)
  quarantine.put(now, name, at, why, record)
  return { 'REPAIRED', 'put aside' }
end

local begins = forms.bytes_of(text) or text
local function is_it(member)
  if begins == '' then
    return member == ''
  end
  return digest and redis.sha1hex(member) == digest or string.sub(member, 1, #begins) == begins
end

local SORTED = { wheel = true, jobs = true, dead = true, ready = true, queue = true }
local HASHES = { held = true, retry = true, active = true, fair = true, fans = true }
if HASHES[kind] or (kind == 'fan' and at == 'root') then
  local value = redis.call('HGET', target, at)
  local field = not value and forms.bytes_of(at)
  if field then
    at = field
    value = redis.call('HGET', target, at)
  end
  if not value or (digest and redis.sha1hex(value) ~= digest) then
    return { 'CLEAN' }
  end
  redis.call('HDEL', target, at)
  return done(at .. ' ' .. value)
end
-- Entries do not change: the other records of this one come again as the newest.
local function of_events()
  if not forms.is_entry(at) then
    args.bad('at', 'must be an entry', at)
  end
  local entry = redis.call('XRANGE', target, at, at)[1]
  local kept, bad = {}, {}
  for _, record in ipairs(entry and ends.records(entry) or {}) do
    table.insert(is_it(record) and bad or kept, record)
  end
  if #bad == 0 then
    return { 'CLEAN' }
  end
  redis.call('XDEL', target, at)
  if #kept > 0 then
    ends.add(table.concat(kept, '\n'))
  end
  return done(table.concat(bad, '\n'))
end

if kind == 'events' then
  return of_events()
end
if not SORTED[kind] then
  args.bad('key', 'must be a place of contexts or jobs', name)
end
if not forms.is_score(at) then
  args.bad('at', 'must be a score', at)
end
local members = redis.call('ZRANGE', target, at, at, 'BYSCORE', 'LIMIT', 0, LOOKED)
if #members == LOOKED and not digest then
  members = { zsets.find(target, tonumber(at), text) }
end
for _, member in ipairs(members) do
  if is_it(member) then
    redis.call('ZREM', target, member)
    if kind == 'ready' and redis.call('EXISTS', target) == 0 then
      redis.call('ZREM', keys.backlog, queue_name.of_set(redis_key.set_of_ready(name)))
    end
    return done(member)
  end
end
return { 'CLEAN' }
