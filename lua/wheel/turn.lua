#!lua flags=allow-oom
--[[
Script   wheel/turn
Purpose  One visit to one partition: take what is due from the wheel, turn due times of jobs into contexts by their misfire and
         overlap policies, arm the next firings, and claim as many due contexts as the offered workers have permits for. What finds
         no permit waits in its ready set.

KEYS     1 wheel    zset  score = ms, member by its first byte: digit context, @ job, ! a scan, # start deadline, & outbox,
                          % parts for certain workers                {tw:p}:wheel
           computed: {tw:p}:held :retry :fair :backlog :events :dead :wake :fans :quarantine :stats
             :shares :left :stopped :contended and :ready: :tags: :route: :job:
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
           handlers comma-separated. Of one without a permit only these matter: where many queues wait, only those of handlers that some
                    worker here has are looked at
         and for lanes, behind the workers, a random number, 1..2147483646, and how many lanes follow, 0..256; then three for each:
           queue    `<group> <handler> c=<lane>`
           mode     rotate | count | use | recent | least | first | random | hash, and behind a space what a context takes of
                    its worker's resources, `<name>=<amount>` comma-separated
           workers  `<number of the worker above>:<score>:<step>`, comma-separated, in the order of the lane
         and last, where groups have limits, `limits` and a line for each thing to know of them (lua/parts/shares.lua)

Reply    { 'TURNED', now_ms, next_ms | '', more, claims, backlog, plan, outbox, scan, counts, opens, looks, pinned, reports, held_back,
             untold }
           next_ms  score of the wheel's head; more: 1 when due entries are left
           claims   { worker, context member as it waited }...  the attempt claimed is the member's and one
           backlog  { queue, how many wait }...  at most 64, those of handlers above first; a queue is `<group> <handler>`, and its lane
                    where it has one
           plan     jobs whose planned due times ran low or out
           outbox   `<follower> <context> <state>`... to deliver and then to confirm with wheel/delivered
           scan     1 when leases have to be looked at (lease/reap)
           counts   how many due times became contexts, how many were skipped, how many missed, how many records were put aside, and how
                    many offers, lanes and workers of lanes could not be read and were left out
           opens    contexts that a tracker has to split (fan/open), as they wait, without their bodies; at most 64
           looks    `<root> <worker>...` whose parts wait for these workers: are they alive? (fan/unpin)
           pinned   { worker, queue }... for which parts wait; at most 64
           reports  { limit, report, holds, unspent, wanted, waiting }...  to be shared (limit/share)
           held_back  1 when something waits for a limit, 2 when a limit was asked for that nothing was known of
           untold   1 when not all that waits was told of
Raises   BAD_ARG    an argument is out of range; nothing was written

Cost     O(limit * log(wheel)); at most 60 + 16 * limit commands, 5 more for each lane it claims of, 60 more for each context that expires
         or is replaced; where groups have limits, 12 more for each limit that it meets, 64 at most besides those of what it claims and
         of what ended, one for each context that it sets aside, at most 2000 of a queue, and one for each 16 entries of :left; where more
         than 32 queues wait, 6 more for each handler of the workers: what nobody serves costs nothing
Holds    W1 W2 W3 W4 W6 W9 W10
Repeat   Takes what is due then. A lost reply is repaired by the end of the dispatch leases; due times are decided once.
]]
-- @prelude
-- @part arming
-- @part fairness
-- @part ready
-- @part queues
-- @part limits
-- @part aside
-- @part traces
-- @part ending
-- @part shares
-- @part admitting
-- @part reports
-- @part set_aside
-- @part fans
-- @part fanning
-- @part locate
-- @part cancelling
-- @part firing
-- @part due_times
-- @part due_jobs
-- @part expiring
-- @part claiming
-- @part routing
-- @part sources
-- @part fan_sources
-- @part telling
-- @part restoring
local LOOK_AGAIN_MS = 1000 -- an outbox entry, and a scan, is offered to the next tracker after this

local now = now_ms(1)
local lease_ms = arg_int(2, 'lease_ms', 100, 3600000)
local limit = arg_int(3, 'limit', 1, ITEMS_MAX)
local workers_count = arg_int(4, 'workers', 0, ITEMS_MAX)
if #ARGV < 4 + 4 * workers_count then
  bad_arg('workers', 'must be four values each', #ARGV - 4)
end

local wheel_key = KEYS[1]
local offers, workers, unread = read_offers(4, workers_count)
local args = #ARGV
if string.sub(ARGV[args], 1, 6) == 'limits' then
  shares.read(ARGV[args], now)
  args = args - 1
end
routing.read_lanes(offers, 4 + 4 * workers_count, workers, args)
local claims, endings = new_claims(now, lease_ms, limit), new_endings()
local fresh, fresh_order = {}, {}
local visit = { now = now, limit = limit, claims = claims, endings = endings, aside = 0, claimed = {}, fired = 0, skipped = 0, missed = 0,
  more = 0, plan = {}, again = {}, out = {}, gone = {} }
local again = visit.again -- score, member: entries that stay in the wheel
local outbox, scan, looks, retried, taken = {}, 0, {}, {}, {}
local waiting, untold = nil, false

-- A context that became due in this turn: `counts` is `<attempt>:<failures>`, `queue` where it would wait.
function visit.add_fresh(queue, id, counts, rest, options, member)
  local list = fresh[queue]
  if not list then
    list = { group = string.match(queue, '^%S+') }
    fresh[queue] = list
    fresh_order[#fresh_order + 1] = queue
  end
  list[#list + 1] = { id, counts, rest, options, member }
end

function visit.drop_fresh(id)
  for _, queue in ipairs(fresh_order) do
    for i = #fresh[queue], 1, -1 do
      if fresh[queue][i][1] == id then
        table.remove(fresh[queue], i)
      end
    end
  end
end

-- Puts a fresh context into its ready set, unless its start deadline is over (trackers that paused find both due at once).
local function make_ready(id, counts, rest, options, member)
  if is_late(now, id, counts, options) then
    end_expired(endings, now, id, counts, rest)
  else
    add_ready(endings.ready, id, member, rest)
  end
end

local told_handlers
local function handlers_told()
  told_handlers = told_handlers or queues.told(workers_count, args)
  return told_handlers
end

-- The queues in which something waits that concern this turn; read again only after one was written.
local function backlog()
  if not waiting then
    waiting, untold = queues_for(handlers_told, untold)
  end
  return waiting
end

-- Writes what became ready in this turn so far to where it is found.
local function place_ready()
  if next(endings.ready) then
    flush_ready(endings.ready)
    endings.ready, waiting = {}, nil
  end
end

-- The same with the fresh contexts.
function visit.place_fresh()
  local lists, order = fresh, fresh_order
  fresh, fresh_order = {}, {}
  for _, queue in ipairs(order) do
    for _, context in ipairs(lists[queue]) do
      make_ready(unpack(context))
    end
  end
  place_ready()
end

-- A context that did not start by its deadline ends as expired, wherever it waits.
local expire = made_on_call(function()
  -- The member of a context that waits without a started attempt; refused ones did not start.
  local function find_waiting(zset, score, id)
    local member = score and find_member(zset, score, id .. ' ')
    return member and string.find(member, '^%S+ %d+:0 ') and member
  end

  return function(entry)
    place_ready()
    local id, queue, priority = string.match(entry, '^#(%d+%.%d+%.%S+) (%S+ .+) ([0-4])$')
    if not id then
      return leave_aside(visit, 'wheel', entry)
    end
    local zset = ready_key(queue)
    local score = score_in(queue, id, tonumber(priority))
    local member = find_waiting(zset, score, id)
    local shared = queue
    local others = not member and score and is_fair(queue)
    for _, other in ipairs(others and queues.of(string.match(queue, '^%S+ %S+')) or {}) do
      if not member and string.sub(other, 1, #shared) == shared then -- its key may be at its limit
        queue, zset = other, ready_key(other)
        member = find_waiting(zset, score, id)
      end
    end
    if member then
      remove_ready(queue, zset, member)
    elseif job_of(id) then
      zset = key('queue', job_of(id))
      member = find_waiting(zset, due_of(id), id)
      if member then
        redis.call('ZREM', zset, member)
      end
    end
    if member then
      local counts, rest = string.match(member, '^%S+ (%S+) (.*)$')
      visit.out[#visit.out + 1] = member
      end_expired(endings, now, id, counts, rest)
    end
  end
end)

-- Takes what is due from the wheel: at most `limit` entries, and not much more than TURN_BYTES.
local function take_due()
  local due, due_bytes, page = {}, 0, math.min(limit, PAGE)
  while page > 0 do
    local found = redis.call('ZRANGE', wheel_key, '-inf', now, 'BYSCORE', 'LIMIT', #due, page)
    for _, entry in ipairs(found) do
      due[#due + 1] = entry
      due_bytes = due_bytes + #entry
    end
    visit.more = #found == page and 1 or 0
    page = visit.more == 1 and math.min(limit - #due, math.floor((TURN_BYTES - due_bytes) * #due / due_bytes)) or 0
  end
  if #due > 0 then
    redis.call('ZREMRANGEBYRANK', wheel_key, 0, #due - 1)
  end
  return due
end

local function decide(entry, kind)
  if kind == 64 then -- '@'
    due_jobs.fire(visit, string.sub(entry, 2))
  elseif entry == '!reap' then -- the scan itself sets the time of the next one
    scan = 1
    again[#again + 1] = now + LOOK_AGAIN_MS
    again[#again + 1] = entry
  elseif string.find(entry, '^!limits') then
    local at, cursor = reports.look(now, string.match(entry, ' (%d+)$') or '0')
    if at then
      again[#again + 1] = at
      again[#again + 1] = cursor == '0' and '!limits' or '!limits ' .. cursor
    end
  elseif kind == 35 then -- '#'
    expire(entry)
  elseif kind == 37 then -- '%'
    local look = telling.look(endings, string.sub(entry, 2))
    if look then
      looks[#looks + 1] = look
      again[#again + 1] = now + fans.LOOK_MS
      again[#again + 1] = entry
    end
  elseif string.find(entry, '^&%S+ %d+%.%d+%.%S+ %l[%l_]+$') then
    outbox[#outbox + 1] = string.sub(entry, 2)
    again[#again + 1] = now + LOOK_AGAIN_MS
    again[#again + 1] = entry
  else
    leave_aside(visit, 'wheel', entry)
  end
end

local function turn()
  taken = take_due()
  for _, entry in ipairs(taken) do
    local kind = string.byte(entry) or 0
    if kind >= 48 and kind <= 57 then -- a digit: a context
      local queue, id, counts, rest, options = open_member(entry)
      if not queue then
        leave_aside(visit, 'wheel', entry)
      else
        if string.byte(counts) ~= 48 then
          retried[#retried + 1] = id
        end
        if string.byte(counts) ~= 48 and string.find(id, '~', 1, true) then
          telling.due_again(endings, id, counts, rest)
        else
          visit.add_fresh(queue, id, counts, rest, options, entry)
        end
      end
    else
      decide(entry, kind)
    end
  end
  if #retried > 0 then
    redis.call('HDEL', BASE .. 'retry', unpack(retried))
  end

  for _, fan in ipairs(endings.fans.order) do
    if not fan.over then
      fans.flush_waiting(fan, now)
      waiting = nil
    end
  end

  -- Fresh contexts are claimed directly only when nothing of their group waits and all of them find a permit; else priority decides
  -- among everything that is ready.
  place_ready()
  if shares.groups and set_aside.resume(now, backlog()) then
    waiting = nil
  end
  local contended, fresh_of_group, fresh_count = {}, {}, 0
  for _, queue in ipairs(backlog()) do
    if offer_for(offers, queue) or offers[string.match(queue, '^(.+) /') or ''] then -- what nobody offers competes for no permit
      contended[string.match(queue, '^%S+')] = true
    end
  end
  for _, queue in ipairs(fresh_order) do
    local list = fresh[queue]
    fresh_of_group[list.group] = (fresh_of_group[list.group] or 0) + #list
    fresh_count = fresh_count + #list
  end
  for _, queue in ipairs(fresh_order) do
    local offer, group = offer_for(offers, queue), fresh[queue].group
    if offer and (offer.free < fresh_of_group[group] or fresh_count > limit) then
      contended[group] = true
    end
  end
  for _, queue in ipairs(fresh_order) do
    local list, offer = fresh[queue], offer_for(offers, queue)
    local enough = offer and not contended[list.group] and not (shares.groups and shares.groups[list.group])
    for _, context in ipairs(list) do
      local id, counts, rest, options, member = unpack(context)
      local worker = enough and has_room(claims) and not is_late(now, id, counts, options) and pick(offer, options)
      if worker then
        claim(claims, worker, id, counts, rest, options, member)
      else
        make_ready(id, counts, rest, options, member)
      end
    end
  end
  place_ready()

  -- The queues for which permits are offered.
  local function offered_sources()
    local sources, split = {}, {}
    for _, queue in ipairs(backlog()) do
      local offer = offer_for(offers, queue)
      if offer then
        sources[#sources + 1] = ready_source(queue, offer)
      elseif string.find(queue, ' /', 1, true) then
        split[#split + 1] = queue
      end
    end
    if split[1] then
      part_sources.add(sources, endings, split, offers)
    end
    return sources
  end
  if workers_count > 0 and has_room(claims) and claim_from(visit, offered_sources()) then
    waiting = nil
  end

  -- What waits in the queues of a group, for what it asks of its limit: not what is to be split, nor what waits for the limit of its key.
  local function waiting_of_group(group)
    local count = 0
    for _, queue in ipairs(backlog()) do
      local apart = string.find(queue, ' !fan', 1, true) or string.find(queue, ' k=%S')
      if string.match(queue, '^%S+') == group and not apart then
        local zset = ready_key(queue)
        count = count + (zset and redis.call('ZCARD', zset) or 100)
      end
    end
    return count
  end

  flush_claims(claims)
  visit.held = true
  write_many('ZADD', wheel_key, again)
  local reported = {}
  if shares.groups then -- has limits looked at no later than `again` says
    set_aside.place()
    reported = reports.flush(now, waiting_of_group)
    waiting = nil
  end
  routing.flush_routes()
  if next(endings.ready) then
    waiting = nil
  end
  if fanned.flush_claims(endings, now) then
    waiting = nil
  end
  flush_endings(endings, now)
  visit.done = true

  local head = redis.call('ZRANGE', wheel_key, 0, 0, 'WITHSCORES')
  local told = telling.new()
  for _, queue in ipairs(telling.in_order(now, backlog(), untold, handlers_told)) do
    if shares.groups and set_aside.holds(queue, visit.claimed) then
      telling.tell_lane(told, queue)
    elseif told.looked < telling.LOOKED_MOST then
      telling.tell(visit, told, endings, queue)
    end
  end
  return { 'TURNED', now, head[2] and int(tonumber(head[2])) or '', visit.more, claims.told, told.sizes, visit.plan, outbox, scan,
    { visit.fired, visit.skipped, visit.missed, visit.aside, unread + routing.unread }, told.opens, looks, told.pinned, reported,
    shares.groups and reports.held_back() or 0, (untold or telling.is_full(told)) and 1 or 0 }
end

local done, reply = pcall(turn)
if not done then
  if not visit.done then
    restoring.restore(visit, taken)
  end
  error(reply, 0)
end
return reply
