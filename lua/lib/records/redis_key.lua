-- Module records/redis_key: what keys are called: `{<prefix>:<partition>}:<kind>[:<name>]`, of the cluster without a partition.
-- lua/lib/keys.lua makes them.
local redis_key = {}
local find, match = string.find, string.match

-- All up to the kind; empty for another key.
function redis_key.base_of(key)
  return match(key, '^(.-}:)') or ''
end

function redis_key.prefix_of(key)
  return match(key, '^{([^:}]*)')
end

-- The partition of what keys begin with, as a text.
function redis_key.partition_of(base)
  return match(base, ':(%d+)}:$')
end

-- Of a name behind the base: its kind, and its kind with what stands behind it (empty where nothing does).
function redis_key.kind_of(name)
  return match(name, '^%a+')
end

function redis_key.split(name)
  return match(name, '^(%a+):?(.*)$')
end

-- Kind and name of one of many; nil for one of its kind.
function redis_key.split_one(name)
  return match(name, '^(%l+):(.+)$')
end

-- The queue's name in that of a ready set.
function redis_key.set_of_ready(name)
  return match(name, '^ready:(.*)$')
end

-- Handler and last part of `<handler>:<root>[:<worker>]`, what the list of parts is called.
function redis_key.split_parts(name)
  return match(name, '^[^:]+'), match(name, ':([^:]+)$')
end

-- A job's full name has its namespace.
function redis_key.has_namespace(job)
  return find(job, '/', 1, true) ~= nil
end

return redis_key
