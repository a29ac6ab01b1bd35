#!lua flags=allow-oom
--[[
Script   fan/refuse
Purpose  End an attempt of a due context that cannot be split, say because fewer workers live than have to succeed.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:backlog :ready: :retry :events :dead :wake :fans and of its job :job: :active: :queue: :runs:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 waiting  `<id> <attempt>:<failures> <group> <handler> <priority>` of the context, as it waits
         3 random   integer, 0..999999
         4 message  why, at most 1024 bytes
         5 deleted  1 when its job is gone: then no attempt follows; else empty

Reply    { 'RETRYING' }   it waits for its next attempt
         { 'SETTLED' }    its attempts are used up
         { 'GONE' }       it does not wait there any more, or its job is there after all: nothing was written
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(log(ready)); at most 40 commands
Holds    W1 W2 W4 W7
Repeat   The second call answers GONE.
]]
-- @use args
-- @use contexts/ending
-- @use fan_out/finishing
-- @use keys
-- @use contexts/ready
-- @use ready_sets
-- @use record
-- @use zsets
local now = args.now(1)
local id, counts, group, priority = string.match(ARGV[2] or '', '^(%S+) (%d+:%d+) (%S+) %S+ ([0-4])$')
if not id or not record.due_of(id) then
  args.bad('waiting', 'must be id, counts, group, handler and priority', ARGV[2])
end
local random = args.int(3, 'random', 0, 999999) / 1000000
local message = args.text(4, 'message', record.MESSAGE_BYTES)
local queue = group .. ' !fan'
local zset = ready_sets.key_of(queue)
local deleted = ARGV[5] == '1'
if not deleted and (ARGV[5] or '') ~= '' then
  args.bad('deleted', 'must be 1 or empty', ARGV[5])
end
if deleted and redis.call('EXISTS', keys.job(record.job_of(id) or '')) == 1 then
  return { 'GONE' }
end
local member = zsets.find(zset, ready_sets.score(priority, record.due_of(id)), id .. ' ' .. counts .. ' ')
if not member then
  return { 'GONE' }
end
ready.remove(queue, zset, member)
local _, attempt, failures, rest = record.split_member(member)
local endings = ending.new()
local verdict = finishing.fail_attempt(endings, now, id, { attempt = attempt + 1, failures = failures, rest = rest, worker = '-',
  claimed = now,
  cancel = '-' }, { state = 'failed', message = message, random = random, final = deleted })
ending.flush(endings, now)
return { verdict }
