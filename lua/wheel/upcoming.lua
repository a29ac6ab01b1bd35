#!lua flags=no-writes
--[[
Script   wheel/upcoming
Purpose  Read one page of what users have in the wheel of a partition, the earliest first, without bodies: contexts, next firings of jobs,
         and start deadlines. Pages follow the order of the wheel, as those of context/list do.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:job:
ARGV     1 names    of those behind it, in their order, with a space between them
           position?  where an earlier page ended, or a point (lib/contexts/pages)
           limit      entries, integer, 1..100
           look?      entries looked at, integer, 1..6400; 6400 where it is absent
           kinds?     only these, with a space between them: run, retry, job, deadline
           prefix?    only what belongs to a job whose name begins so, or, where it ends in a slash, to no job of that namespace
           group?     only for it
           handler?   only for it
           until?     only what comes before this, ms

Reply    { 'PAGE', fields... }
           position?   where the next page begins; none: there is no more
           unreadable? keys of a wrong type
           looked?     entries
           cost?       what the call cost, in entries
           points?     of each item, where the list goes on behind it
           items       { kind, name, score, facts }...
           kind  run, retry, deadline: name is a context, facts `<attempt, or 0> <group> <handler> <priority>`
                 job: name is a job, facts `<next due ms, or 0> <group> <handler> <priority>`
                 unreadable: a record that does not follow its grammar
Raises   BAD_ARG    an argument is out of range

Cost     O(look + log(wheel)); at most 30 + 2 * look commands where all are jobs
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use bounds
-- @use contexts/pages
-- @use keys
-- @use reading
-- @use record
-- @use records/context_id
-- @use records/context_record
-- @use records/queue_name
-- @use records/wheel_entry
-- @use replies
-- @use args/forms
local LIMIT_MAX, NAME_BYTES, KINDS_BYTES = 100, 220, 64
local LOOKUP = 4 -- a job costs as much as so many entries that are read one behind the other
local BYTES_OF_ONE = 8192 -- of a job cost as much as one more

local given = args.only_named('position limit look kinds prefix group handler until')
local kinds = given.kinds and ' ' .. args.text_of(given, 'kinds', KINDS_BYTES) .. ' '
local prefix = given.prefix and args.text_of(given, 'prefix', NAME_BYTES) or ''
local group = given.group and args.text_of(given, 'group', NAME_BYTES)
local handler = given.handler and args.text_of(given, 'handler', NAME_BYTES)
local last = args.int_or_nil(given, 'until', 0, bounds.INSTANT_MAX)
last = last and '(' .. record.int(last) or '+inf'

local function take(kind)
  return not kinds or string.find(kinds, ' ' .. kind .. ' ', 1, true) ~= nil
end

local function take_name(name)
  return string.sub(name, 1, #prefix) == prefix
end

local function take_names(of_group, of_handler)
  return (not group or of_group == group) and (not handler or of_handler == handler)
end

-- What belongs to no job has no name that could begin so: it is in a namespace as a whole.
local function take_context(id)
  local job = context_id.job_of(id)
  local is_in = job and take_name(job) or not job and (prefix == '' or prefix == context_id.namespace_of(id) .. '/')
  return is_in and not context_id.is_subtask(id)
end

-- One that is chosen; `facts` is its number, group, handler and priority.
local function add(point, kind, name, score, ...)
  pages.items[#pages.items + 1] = { kind, name, score, table.concat({ ... }, ' ') }
  pages.points[#pages.points + 1] = point
end

local function add_unreadable(point, score)
  add(point, 'unreadable', '', score)
end

local function add_context(member, score, point)
  local id, attempt, of_group, of_handler = context_record.chosen_by(member)
  local head = id and context_record.usable_head(member)
  if not head then
    return add_unreadable(point, score)
  end
  local kind = attempt == '0' and 'run' or 'retry'
  if take(kind) and take_context(id) and take_names(of_group, of_handler) then
    local _, priority = context_record.split_head(head)
    add(point, kind, id, score, attempt, of_group, of_handler, priority)
  end
end

local function add_job(job, score, point)
  if not take('job') or not take_name(job) then
    return
  end
  if not forms.is_plain(job) then
    return add_unreadable(point, score)
  end
  pages.spend(LOOKUP)
  local fields = reading.call({}, 'HMGET', keys.job(job), 'next', 'tmpl')
  if not fields[2] then
    return
  end
  pages.spend(math.floor(#fields[2] / BYTES_OF_ONE))
  local of_group, of_handler, priority = context_record.split_rest(fields[2])
  local due = forms.number_before(fields[1] or '') or '0'
  if not of_group then
    return add_unreadable(point, score)
  end
  if take_names(of_group, of_handler) then
    add(point, 'job', job, score, due, of_group, of_handler, priority)
  end
end

local function add_deadline(member, score, point)
  local id, queue, priority = wheel_entry.split_start_deadline(member)
  local of_group = id and queue_name.group_of(queue)
  local of_handler = id and queue_name.handler_of(queue)
  if not of_handler then
    return add_unreadable(point, score)
  end
  if take('deadline') and take_context(id) and take_names(of_group, of_handler) then
    add(point, 'deadline', id, score, '0', of_group, of_handler, priority)
  end
end

pages.open(args.int_of(given, 'limit', 1, LIMIT_MAX), args.int_or_nil(given, 'look', 1, pages.LOOK_MAX) or pages.LOOK_MAX, false)
local next = pages.of_zset(KEYS[1], given.position or '', '-inf', last, nil, function(member, score, point)
  local kind = wheel_entry.kind_of(member)
  if kind == wheel_entry.JOB then
    pages.see(#member)
    add_job(wheel_entry.name_of(member), score, point)
  elseif kind == wheel_entry.DEADLINE then
    pages.see(#member)
    add_deadline(member, score, point)
  elseif wheel_entry.is_context(kind) then
    pages.see(#member)
    add_context(member, score, point)
  else
    pages.pass(1) -- the scheduler's own
  end
end)
local reply = { 'PAGE', 'items', pages.items }
replies.tell_list(reply, 'points', pages.points)
replies.tell_number(reply, 'looked', pages.looked)
replies.tell_number(reply, 'cost', pages.cost())
return reading.page(reply, next or '')
