#!lua flags=no-writes
--[[
Script   placement/list
Purpose  Read which placements a step of one place of a partition needs. What stays in the place during a walk is seen at least once.

KEYS     1 wheel    zset  names the partition                       {tw:p}:wheel
           computed: {tw:p}:held :jobs :job: :queue: :fans :fan:
ARGV     1 place    wheel, held, jobs, fans or queue:<job>; the dead are let go of when nothing else has their placement
         2 cursor   of an earlier reply; `0` to begin

Reply    { 'WALKED', cursor, { placement... }, { job... } }  cursor `0`: there is no more; of jobs those in whose overlap queue something
         waits
Raises   BAD_ARG    an argument is out of range

Cost     O(100 entries); at most 3000 commands for jobs, 1100 for split contexts, 1 otherwise
Holds    W9
Repeat   Reads only.
]]
-- @use args
-- @use keys
-- @use records/context_options
-- @use records/context_record
-- @use records/held_value
-- @use args/forms
-- @use records/redis_key
local COUNT = 100 -- a small hash or set comes at once
local place, cursor = args.text(1, 'place', 300), ARGV[2]
if not cursor or not forms.is_digits(cursor) then
  args.bad('cursor', 'must be of an earlier reply', cursor)
end
local kind = redis_key.kind_of(place)
local placements, seen, waiting = {}, {}, {}

local function add(placement)
  if placement and placement ~= '' and not seen[placement] then
    seen[placement] = true
    placements[#placements + 1] = placement
  end
end

-- The placement that options say, nil where they could not be read.
local function add_of(options)
  add(options and context_options.value(options, 'c'))
end

local READS = {
  wheel = function(member) add_of(context_record.options_of(member)) end,
  queue = function(member) add_of(context_record.options_of(member)) end,
  held = function(_, value) add_of(select(3, held_value.limits_of(value))) end,
  fans = function(root) add(redis.call('HGET', keys.fan(root), 'placement')) end,
  jobs = function(job)
    add_of(select(4, context_record.split_rest(redis.call('HGET', keys.job(job), 'tmpl') or '')))
    if redis.call('EXISTS', keys.queue(job)) == 1 then
      waiting[#waiting + 1] = job
    end
  end,
}
if not READS[kind] then
  args.bad('place', 'must be one that has contexts or jobs', place)
end
local command = (kind == 'held' or kind == 'fans') and 'HSCAN' or 'ZSCAN'
local scanned = redis.call(command, keys.base .. place, cursor, 'COUNT', COUNT)
for i = 1, #scanned[2], 2 do
  READS[kind](scanned[2][i], scanned[2][i + 1])
end
return { 'WALKED', scanned[1], placements, waiting }
