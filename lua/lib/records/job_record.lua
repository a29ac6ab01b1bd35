-- Module records/job_record: the fields of a job that are texts with parts. `plan` has due times, ascending; `followers` has
-- `<follower>:<state>`, also where they wait for the job to be registered; `followed_by` has namespaces; `after` is `<upstream> <state>`,
-- `surplus` `<active>:<waiting>`; `zones` is an edition of the time zone table, like 2026f. Of a partition it is `<oldest>[ <edition>]`.
-- @use record
local job_record = {}
local find, gmatch, gsub, match = string.find, string.gmatch, string.gsub, string.match
local int = record.int

-- Each due time of a plan, as a text.
function job_record.each_due(plan)
  return gmatch(plan, '%d+')
end

-- The due times that a job knows: the next one and its plan.
function job_record.dues_of(next, plan)
  local dues = {}
  for due in gmatch(next .. ' ' .. plan, '%d+') do
    dues[#dues + 1] = tonumber(due)
  end
  return dues
end

function job_record.first_due(plan)
  return tonumber(match(plan, '^%d+'))
end

-- The last one, as a text.
function job_record.last_due(plan)
  return match(plan, '(%d+)$')
end

function job_record.is_planned(plan, due)
  return find(' ' .. plan .. ' ', ' ' .. due .. ' ', 1, true) ~= nil
end

function job_record.follower(name, on)
  return name .. ':' .. on
end

-- Each follower, and the state that it follows on.
function job_record.each_follower(followers)
  return gmatch(followers, '(%S+):(%a+)')
end

-- The namespace that its full name begins with.
function job_record.namespace_of(job)
  return match(job, '^[^/]+')
end

-- Whether the ends of a job start a follower: one of its own namespace, or of one that it names.
function job_record.lets_follow(job, followed_by, follower)
  local namespace = job_record.namespace_of(follower)
  if namespace == job_record.namespace_of(job) then
    return true
  end
  return namespace ~= nil and find(' ' .. followed_by .. ' ', ' ' .. namespace .. ' ', 1, true) ~= nil
end

function job_record.upstream_of(after)
  return match(after, '^%S*')
end

function job_record.surplus(active, waiting)
  return int(active) .. ':' .. int(waiting)
end

function job_record.is_edition(text)
  return find(text, '^%d%d%d%d%l%l?$') ~= nil
end

-- The edition that stands before due times; nil where none does.
function job_record.edition_before(text)
  return match(text, '^(%d%d%d%d%l%l?)$') or match(text, '^(%d%d%d%d%l%l?) ')
end

-- The oldest edition of a partition, and the one that somebody plans anew with, or ''; nil for what says nothing.
function job_record.split_zones(text)
  return match(text, '^(%d%d%d%d%l%l?) ?(%S*)$')
end

-- A definition as cmsgpack can read it: its empty body is a binary, a type that cmsgpack does not know.
function job_record.readable_spec(spec)
  return (gsub(spec, '\164body\196%z', '\164body\160'))
end

return job_record
