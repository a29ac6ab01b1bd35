#!lua flags=no-writes
--[[
Script   context/list
Purpose  Read one page of the contexts in one place of a partition, those that fit the filters. Pages follow the order of the place: what
         moves between two calls may be missed or come twice, what stays is seen once, also while more come.

KEYS     1 wheel    zset  score = ms                                {tw:p}:wheel
           computed: {tw:p}:held :retry :backlog :events :dead :jobs :fans :stats :ready: :queue: :active: :runs: :job: :fan: :parts:
ARGV     1 names    of those behind it, in their order, with a space between them
           place      held, wheel, retry, ready, queue, fans, active, ends, dead or runs. `ends`: events, and the dead that are older
           position?  where an earlier page ended, or a point (lib/contexts/pages)
           limit      contexts, integer, 1..100
           job?       only its contexts. Needed for active and runs
           group?     only contexts for it
           states?    only in one of these, with a space between them
           look?      entries looked at, integer, 1..6400; 6400 where it is absent
           handler?   only contexts for it
           worker?    only what it runs, or ran last
           error?     only what ended with a message that has this in it, at most 1,024 bytes
           due_from?  only what was due first at this or later, ms
           due_to?    only what was due before this, ms
           ended_from? only what ended at this or later, ms
           ended_to?  only what ended before this, ms
           scan?      1: what lies in a hash comes in no order, however much it is
           heads?     1: the dead without their bodies
           since?     1: say since when everything that ended is in the place

Reply    { 'PAGE', fields... }
           position?   where the next page begins; none: there is no more
           unreadable? keys of a wrong type and names that are none
           looked?     entries
           cost?       what the call cost, in entries
           many?       1: too many lie in the hash to be put in order, nothing was read
           since?      ms; none, though it was asked for: nothing was let go
           points?     of each item, where the list goes on behind it
           items       { place, id, text, extra }...
           place  held, wheel, retry, ready, queue, waiting_for_subtasks: text is the held value or member, extra the score of wheel and
                  retry
                  settled: text is the settled record
                  dead: text is the member of the dead
                  unreadable: a record that does not follow its grammar
Raises   BAD_ARG    an argument is out of range

Cost     O(look + log(wheel)), of a hash in order O(its ids); at most 70 + limit * (60 + 170 * ready sets) commands where all are chosen
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use contexts/ended_pages
-- @use contexts/filters
-- @use contexts/live_pages
-- @use contexts/pages
-- @use reading
-- @use replies
local LIMIT_MAX = 100
local LIVE = { held = live_pages.held, wheel = live_pages.wheel, retry = live_pages.retry, ready = live_pages.ready,
  queue = live_pages.queue, fans = live_pages.fans, active = live_pages.active }
local ENDED = { ends = ended_pages.ends, dead = ended_pages.dead, runs = ended_pages.runs }

local given =
  args.only_named('place position limit job group states look handler worker error due_from due_to ended_from ended_to scan heads since')
local place, position = args.text_of(given, 'place', 16), given.position or ''
local limit = args.int_of(given, 'limit', 1, LIMIT_MAX)
filters.open(given)
local read = LIVE[place] or ENDED[place]
if not read then
  args.bad('place', 'must be held, wheel, retry, ready, queue, fans, active, ends, dead or runs', place)
end
if not filters.job and (place == 'active' or place == 'runs') then
  args.bad('job', 'must be given for ' .. place, '')
end
pages.open(limit, args.int_or_nil(given, 'look', 1, pages.LOOK_MAX) or pages.LOOK_MAX, given.heads == '1')
local next = read(position, given.scan == '1')
local reply = { 'PAGE', 'items', pages.items }
replies.tell_list(reply, 'points', pages.points)
replies.tell_number(reply, 'looked', pages.looked)
replies.tell_number(reply, 'cost', pages.cost())
replies.tell(reply, 'many', pages.many and 1)
if given.since == '1' and ENDED[place] then
  replies.tell_number(reply, 'since', ended_pages.complete_since(place))
end
return reading.page(reply, next or '')
