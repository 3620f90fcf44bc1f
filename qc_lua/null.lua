-- null: passes when it ended well; there is nothing to look at.
local eas = require "eas"

return eas.qc(function(attempt)
  return attempt.ending == "ok", "did not end well"
end)
