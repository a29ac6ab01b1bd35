-- Module records/limit_name: what a limit is called: `<group>`, or `<group> k=<key>`. The key where it lies has `:` in place of the space.
local limit_name = {}
local find, match = string.find, string.match

function limit_name.of_key(group, key)
  return group .. ' k=' .. key
end

-- What the limits of the keys of a group begin with.
function limit_name.before_key(group)
  return group .. ' k='
end

function limit_name.is_of_key(name)
  return find(name, ' k=', 1, true) ~= nil
end

function limit_name.group_of(name)
  return match(name, '^%S+')
end

function limit_name.key_of(name)
  return match(name, ' k=(.*)$')
end

-- Group and key of that of a key.
function limit_name.split(name)
  return match(name, '^(%S+) k=(%S+)$')
end

-- The limit of a key in Redis, without what stands before its group.
function limit_name.of_set(name)
  return (string.gsub(name, ':', ' '))
end

return limit_name
