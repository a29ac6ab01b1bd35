-- Prelude: pure local helpers that every script gets in front of its body, and the words and limits they share.
-- Nothing here has an input besides its parameters, KEYS and ARGV, and nothing here writes.

-- Ready sets are ordered by priority, then by due time: each priority has a span of its own above every due time.
local PRIORITY_SPAN = 17592186044416 -- 2^44 ms, the year 2527
local PRIORITY_MAX = 4
local LEASE_MS = 10000 -- a running lease where the context names none
local GRACE_MS = 5000 -- between a cancellation and the end of its attempt
local ATTEMPTS_MAX = 3 -- where the context names no max_attempts
local ATTEMPT_MAX = 4294967295 -- of attempts and failures: a greater number is damage, and nobody else could read it
local INSTANT_MAX = 9007199254740991 -- ms; Lua's numbers are exact up to here
local ITEMS_MAX = 1000 -- of one call; unpack fails at 8,000 values and an item has up to four
local FEW = 4 -- members read at once where one is looked for
local TRIM_EVERY = 16 -- a bounded list is at most this much longer than its bound
local REAP_STEP_MS = 250 -- lease scans of one partition are at least this far apart

-- Integers above 2^53 are not expected; tostring() would print those above 1e14 with an exponent. Printing one costs as much as a small
-- command and most are the same few times, so each is printed once in a call.
local printed = {}
local function int(number)
  local text = printed[number]
  if not text then
    text = string.format('%.0f', number)
    printed[number] = text
  end
  return text
end

-- What few calls need is made when it is first asked for: Redis runs the whole text of a script in each call, and making a function costs
-- as much as a small command, the more the more names stand around it. `make` adds functions to `part`.
local function on_demand(part, make)
  return setmetatable(part, { __index = function(_, name)
    setmetatable(part, nil)
    make()
    return part[name]
  end })
end

-- The same for one function, which `make` returns.
local function made_on_call(make)
  local made
  return function(...)
    made = made or make()
    return made(...)
  end
end

local function bad_arg(name, rule, given)
  error({ err = 'BAD_ARG ' .. name .. ' ' .. rule .. ', given ' .. string.sub(tostring(given), 1, 80) })
end

local function arg_int(index, name, low, high)
  local value = tonumber(ARGV[index])
  if not value or value ~= math.floor(value) or value < low or value > high then
    bad_arg(name, 'must be an integer from ' .. int(low) .. ' to ' .. int(high), ARGV[index])
  end
  return value
end

local function arg_text(index, name, most)
  local value = ARGV[index]
  if not value or #value == 0 or #value > most then
    bad_arg(name, 'must have 1 to ' .. int(most) .. ' bytes', value)
  end
  return value
end

-- Redis' clock decides. Only tests pass a time of their own.
local function now_ms(index)
  if ARGV[index] and ARGV[index] ~= '' then
    return arg_int(index, 'now_ms', 0, INSTANT_MAX)
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- `{tw:7}:` of the partition that KEYS[1] belongs to; keys with a name in them are built from it, so they share its hash tag.
local BASE = string.match(KEYS[1] or '', '^(.-}:)') or ''

local function key(kind, name)
  return BASE .. kind .. ':' .. name
end

-- True when the partition had neither split contexts nor contexts that run under limits: most have none, and are asked once in a call.
local plain
local function is_plain()
  if plain == nil then
    plain = redis.call('EXISTS', BASE .. 'fans', BASE .. 'shares') == 0
  end
  return plain
end

local function partition()
  return string.match(BASE, ':(%d+)}:$')
end

-- Parts of a context id: <partition>.<due ms>.<unique>[@<job>].
local function due_of(id)
  return tonumber(string.match(id, '^%d+%.(%d+)%.'))
end

local function job_of(id)
  return string.match(id, '@(.+)$')
end

-- True for what a job's own trigger created: its unique part is `f`, with digits behind it where the job was registered after that due
-- time.
local function is_scheduled(id)
  return string.find(id, '%.f%d*@') ~= nil
end

-- Whether digits are a number of attempts, and whether they are an instant; mostly their length tells.
local function is_count(digits)
  return #digits < 10 or tonumber(digits) <= ATTEMPT_MAX
end

local function is_instant(digits)
  return #digits < 16 or tonumber(digits) <= INSTANT_MAX
end

-- A context member is `<id> <attempt>:<failures> <rest>`, its rest `<group> <handler> <priority> <options> <body>`.
local function split_member(member)
  local id, attempt, failures, rest = string.match(member, '^(%S+) (%d+):(%d+) (.*)$')
  if not id or not is_count(attempt) or not is_count(failures) then
    return nil
  end
  return id, tonumber(attempt), tonumber(failures), rest
end

local function split_rest(rest)
  return string.match(rest, '^(%S+) (%S+) (%d) (%S+) ')
end

local function member_of(id, attempt, failures, rest)
  return id .. ' ' .. int(attempt) .. ':' .. int(failures) .. ' ' .. rest
end

-- Options are `-` or `k=v,k=v`; see docs/keyspace.md for the letters. No value has a `=`, so a letter is found without a pattern.
local marks = {} -- `<letter>=` of those that were looked for: joining texts costs as much as finding one
local function option(options, letter)
  local mark = marks[letter]
  if not mark then
    mark = letter .. '='
    marks[letter] = mark
  end
  local at = string.find(options, mark, 1, true)
  return at and string.match(options, '^[^,]*', at + 2) or nil
end

local function option_number(options, letter, default)
  return tonumber(option(options, letter)) or default
end

-- When a context must have started, nil without a start deadline. For one that was asked to run again it counts from then (`d`).
local function start_by(id, options)
  local span = tonumber(option(options, 's'))
  return span and math.min(due_of(id) + option_number(options, 'd', 0) + span, INSTANT_MAX)
end

-- The queue in which a context waits for a permit: `<group> <handler>`, behind them its lane, as `c=<lane>`, where its options name one,
-- and behind that ` k=` where they name a key.
-- What a tracker has to split waits apart, as no worker offers to run it.
local function queue_of(queue, options)
  if options == '-' then
    return queue
  end
  if string.find(options, 'm=1', 1, true) then
    return string.match(queue, '^[^ :]+') .. ' !fan'
  end
  local at = string.find(options, 'c=', 1, true)
  if at then
    queue = queue .. ' ' .. string.match(options, '^c=[^,]*', at)
  end
  return string.find(options, 'k=', 1, true) and queue .. ' k=' or queue
end

-- True for a queue of contexts with keys, and for its ready set: they do not wait in the order of their due times (part fairness). With a
-- key behind the `=` it is that of one which is at its limit (part limits).
local function is_fair(queue)
  return string.find(queue, '[ :]k=') ~= nil
end

-- The ready set of a queue; nil for subtasks, which wait in lists.
local function ready_key(queue)
  if string.find(queue, ' /', 1, true) then
    return nil
  end
  return key('ready', (string.gsub(queue, ' ', ':')))
end

local function ready_score(priority, due)
  return (PRIORITY_MAX - priority) * PRIORITY_SPAN + due
end

-- Where `id` stands in the ready set of a queue, if it waits there: one with a key is in an index. Nil when it cannot be there.
local function score_in(queue, id, priority)
  if is_fair(queue) then
    return tonumber(redis.call('HGET', BASE .. 'fair', id) or nil)
  end
  return ready_score(priority, due_of(id))
end

-- Whether what a held value begins with can be used.
local function is_held(attempt, failures, claimed, expires, deadline, cancel)
  return is_count(attempt) and is_count(failures) and is_instant(claimed) and is_instant(expires) and is_instant(deadline)
    and (cancel == '-' or is_instant(string.match(cancel, '^[%a_]+@(%d+)$') or string.rep('9', 16)))
end

-- A held value is `<attempt>:<failures> <worker> <claimed> <expires> <deadline>[<limits>] <cancel> <rest>`. Of one that does not follow
-- the grammar every part is nil.
local function split_held(value)
  local attempt, failures, worker, claimed, expires, deadline, under, cancel, rest =
    string.match(value, '^(%d+):(%d+) (%S+) (%d+) (%d+) (%d+)(%l*) (%S+) (.*)$')
  if not rest or not is_held(attempt, failures, claimed, expires, deadline, cancel) then
    return {}
  end
  return {
    attempt = tonumber(attempt),
    failures = tonumber(failures),
    worker = worker,
    claimed = tonumber(claimed),
    expires = tonumber(expires),
    deadline = tonumber(deadline),
    under = under,
    cancel = cancel,
    rest = rest,
  }
end

local function held_value(held)
  return int(held.attempt) .. ':' .. int(held.failures) .. ' ' .. held.worker .. ' ' .. int(held.claimed) .. ' '
    .. int(held.expires) .. ' ' .. int(held.deadline) .. (held.under or '') .. ' ' .. held.cancel .. ' ' .. held.rest
end

-- Redis is started with the host's collation, so Lua's `<` on strings is not the byte order of a sorted set.
local function bytes_before(left, right)
  for i = 1, math.min(#left, #right) do
    local l, r = string.byte(left, i), string.byte(right, i)
    if l ~= r then
      return l < r
    end
  end
  return #left < #right
end

-- The member of `zset` at `score` that starts with `prefix`. Mostly few share a score; among many it is found by halving, as members of
-- one score lie in byte order.
local function find_member(zset, score, prefix)
  if score ~= score then
    return nil -- of a text that is not a number
  end
  local few = redis.call('ZRANGE', zset, int(score), int(score), 'BYSCORE', 'LIMIT', 0, FEW)
  for _, member in ipairs(few) do
    if string.sub(member, 1, #prefix) == prefix then
      return member
    end
  end
  if #few < FEW then
    return nil
  end
  local low = redis.call('ZCOUNT', zset, '-inf', '(' .. int(score))
  local high = redis.call('ZCOUNT', zset, '-inf', int(score)) - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', zset, middle, middle)[1]
    if string.sub(member, 1, #prefix) == prefix then
      return member
    end
    if bytes_before(member, prefix) then
      low = middle + 1
    else
      high = middle - 1
    end
  end
  return nil
end

-- Appends to a list that keeps the newest; `kept` tells how many, and is asked at every sixteenth entry only.
local function push_bounded(list, values, kept)
  local length = redis.call('RPUSH', list, unpack(values))
  if length % TRIM_EVERY < #values then
    local most = kept()
    if length > most then
      redis.call('LTRIM', list, -most, -1)
    end
  end
end
