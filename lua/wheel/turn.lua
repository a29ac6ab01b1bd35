#!lua flags=allow-oom
--[[
Script   wheel/turn
Purpose  One visit to one partition: take what is due from the wheel, turn due times of jobs into contexts by their misfire and
         overlap policies, arm the next firings, and claim as many due contexts as the offered workers have permits for. What finds
         no permit waits in its ready set.

KEYS     1 wheel    zset  score = ms, member by its first byte: digit context, @ job, ! a scan, # start deadline, & outbox,
                          % parts for certain workers                {tw:p}:wheel
           computed: {tw:p}:held :retry :fair :backlog :events :dead :wake :fans :quarantine :stats
             :limit_shares :limit_released :limit_waiting :limit_contended and :ready: :tags: :route: :job:
             :active: :queue: :ledger: :runs: :fan: :parts: :results: :result: :dedup:
             of what ended contexts leave :traces :untraced :traced: :spaces: :subtraced: :log: :progress: :result: :split:
ARGV     1 now_ms   integer, or empty for the server clock (only tests pass it)
         2 lease_ms dispatch lease of a claim, integer, 100..3600000
         3 limit    entries taken from the wheel, due times decided, and contexts claimed, integer, 1..1000
         4 workers  how many follow, integer, 0..1000; then four for each:
           worker   id
           group    its group
           permits  free ones, integer, 0..1000000; a `+` behind them: another turn has more of them in hand; and behind a space
                    what is free of its resources, `<name>=<amount>` comma-separated
           handlers comma-separated, or `=<number>` for those of an earlier worker of its group. Of one without a permit only these
                    matter: where many queues wait, only those of handlers that some worker here has are looked at
         and for placements, behind the workers, a random number, 1..2147483646, and how many placements follow, 0..256; then three for
         each:
           queue    `<group> <handler> c=<placement>`
           mode     rotate | count | use | recent | least | first | random | hash, and behind a space what a context takes of
                    its worker's resources, `<name>=<amount>` comma-separated
           workers  `<number of the worker above>:<score>:<step>`, comma-separated, in the order of the placement
         and last, where groups have limits, `limits` and a line for each thing to know of them (lua/lib/limits/shares.lua)

Reply    { 'TURNED', fields... }
           now_ms
           next_ms? score of the wheel's head
           more?    1 when due entries are left
           claims?  { worker, context member as it waited }...  the attempt claimed is the member's and one
           backlog? { queue, how many wait }...  at most 64, those of handlers above first; a queue is `<group> <handler>`, and its
                    placement where it has one
           plan?    jobs whose planned due times ran low or out
           outbox?  `<follower> <context> <state>`... to deliver and then to confirm with wheel/delivered
           scan?    1 when leases have to be looked at (lease/reap)
           fired?   due times that became contexts
           skipped? due times that the overlap policy skipped
           missed?  due times that were missed
           aside?   records that were put aside
           unread?  offers, placements and workers of placements that could not be read and were left out
           opens?   contexts that a tracker has to split (fan/open), as they wait, without their bodies; at most 64
           looks?   `<root> <worker>...` whose parts wait for these workers: are they alive? (fan/unpin)
           pinned?  { worker, queue }... for which parts wait; at most 64
           reports? { fields... }...  what is to be shared, as limit/share takes it: limit report holds unspent wanted waiting
           limited? 1 when something waits for a limit, 2 when a limit was asked for that nothing was known of
           untold?  1 when not all that waits was told of
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(limit * log(wheel)); at most 60 + 16 * limit commands, 5 more for each placement it claims of, 60 more for each context that
         expires, 32 at most, or is replaced; where groups have limits, 12 more for each limit that it meets, 64 at most besides those of
         what it claims and of what ended, one for each context that it sets aside, at most 2000 of a queue, and one for each 16 entries of
         :limit_released; where more than 32 queues wait, 6 more for each handler of the workers: what nobody serves costs nothing
Holds    W1 W2 W3 W4 W6 W9 W10
Repeat   Takes what is due then. A lost reply is repaired by the end of the dispatch leases; due times are decided once.
]]
-- @use args
-- @use bounds
-- @use claims/claiming
-- @use claims/restoring
-- @use claims/routing
-- @use limits/admission
-- @use limits/shares
-- @use turns/due_entries
-- @use turns/fresh_claims
-- @use turns/visits
-- @use turns/waiting_claims
-- @use turns/written
local now, lease_ms = args.now(1), args.int(2, 'lease_ms', 100, 3600000)
local limit, count = args.int(3, 'limit', 1, bounds.ITEMS_MAX), args.int(4, 'workers', 0, bounds.ITEMS_MAX)
if #ARGV < 4 + 4 * count then
  args.bad('workers', 'must be four values each', #ARGV - 4)
end
local offers, workers, unread = claiming.read_offers(4, count)
local last = #ARGV
if string.sub(ARGV[last], 1, 6) == 'limits' then
  shares.read(ARGV[last], now)
  admission.open()
  last = last - 1
end
routing.read_placements(offers, 4 + 4 * count, workers, last)
local visit = visits.new({ now = now, lease_ms = lease_ms, limit = limit, workers = count, last = last, offers = offers, unread = unread })
return restoring.unless_done(visit, function()
  due_entries.take(visit)
  due_entries.decide(visit)
  fresh_claims.claim(visit)
  waiting_claims.claim(visit)
  written.flush(visit)
  return written.reply(visit)
end)
