-- python_moments: passes when the program said all of its numbers.
local eas = require "eas"

return eas.qc(function(attempt)
  if attempt.ending ~= "ok" then return false end
  for _, name in ipairs { "mean", "std", "skewness" } do
    attempt:require(name, eas.is_finite(attempt.metadata[name]), attempt.metadata[name], "finite")
  end
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
