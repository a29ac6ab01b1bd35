#!lua flags=allow-oom
--[[
Script   fan/refuse
Purpose  End an attempt of a due context that cannot be split, say because fewer workers live than have to succeed.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:backlog :ready: :retry :events :dead :wake :fans and of its job :job: :active: :queue: :runs:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 names    of those behind it, in their order, with a space between them
           now_ms?    integer; absent: the server clock (only tests pass it)
           waiting    `<id> <attempt>:<failures> <group> <handler> <priority>` of the context, as it waits
           random     integer, 0..999999
           message    why, at most 1024 bytes
           deleted?   1: its job is gone, no attempt follows

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
-- @use zsets
-- @use records/context_id
-- @use records/context_record
-- @use records/settled_record
-- @use records/queue_name
-- @use args/forms
local given = args.only_named('now_ms waiting random message deleted')
local now = args.now_of(given)
local id, counts, group, _, priority = forms.split_waiting(given.waiting or '')
if not id or not context_id.due_of(id) then
  args.bad('waiting', 'must be id, counts, group, handler and priority', given.waiting)
end
local random = args.int_of(given, 'random', 0, 999999) / 1000000
local message = args.text_of(given, 'message', settled_record.MESSAGE_BYTES)
local queue = queue_name.to_split(group)
local zset = ready_sets.key_of(queue)
local deleted = given.deleted == '1'
if not deleted and (given.deleted or '') ~= '' then
  args.bad('deleted', 'must be 1 or empty', given.deleted)
end
if deleted and redis.call('EXISTS', keys.job(context_id.job_of(id) or '')) == 1 then
  return { 'GONE' }
end
local member = zsets.find(zset, ready_sets.score(priority, context_id.due_of(id)), id .. ' ' .. counts .. ' ')
if not member then
  return { 'GONE' }
end
ready.remove(queue, zset, member)
local attempt, failures, rest = select(2, context_record.split(member))
local endings = ending.new()
local verdict = finishing.fail_attempt(endings, now, id, { attempt = attempt + 1, failures = failures, rest = rest, worker = '-',
  claimed = now,
  cancel = '-' }, { state = 'failed', message = message, random = random, final = deleted })
ending.flush(endings, now)
return { verdict }
