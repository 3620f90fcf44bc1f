-- null: waits, and does nothing: for trying out a job, and for measuring the engine.
--   settings  duration (s)
local eas = require "eas"

local settings = {
  duration = { 10, "seconds to wait" },
}

return eas.task(function(task)
  local set = task:settings(settings)
  if set.duration < 0 then error(("duration is %g s; it must be >= 0"):format(set.duration)) end
  if set.duration > 0 then task:sleep(set.duration) end
end)
