-- error: never passes, since a task that is made to fail and did not is wrong.
local eas = require "eas"

return eas.qc(function(attempt)
  return false, attempt.ending == "ok" and "ended well, though it fails by design" or nil
end)
