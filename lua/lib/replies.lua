-- Module replies: replies whose values have names. What is nothing is left out, as Redis makes each element of a reply anew.
local replies = {}

-- Adds a value, if there is one.
function replies.tell(reply, name, value)
  if value then
    reply[#reply + 1], reply[#reply + 2] = name, value
  end
end

-- Adds a number that is not 0.
function replies.tell_number(reply, name, number)
  if number ~= 0 then
    reply[#reply + 1], reply[#reply + 2] = name, number
  end
end

-- Adds a list that is not empty.
function replies.tell_list(reply, name, list)
  if list[1] then
    reply[#reply + 1], reply[#reply + 2] = name, list
  end
end

return replies
