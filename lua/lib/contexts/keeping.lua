-- Module contexts/keeping: what a call took out of `held` and cannot bring elsewhere, as a key has another type than it should, is held
-- again when the error is raised (W1): its report comes again, or its lease runs out. Scripts do not undo what they wrote before an error.
-- @use keys
local keeping = {}

-- Runs `write`, which brings contexts elsewhere that were held with these values.
function keeping.unless_done(ids, values, write)
  local done, problem = pcall(write)
  if done then
    return
  end
  for i, id in ipairs(ids) do
    pcall(redis.call, 'HSETNX', keys.held, id, values[i])
  end
  error(problem, 0)
end

return keeping
