-- python_moments: moments of the flux, by a program in Python that is part of this pack.
--   input     lightcurve (text)
--   output    histogram (optional)
--   settings  scale: unit of the results, in the light curve's
--   metadata  mean, std, skewness
local eas = require "eas"
local external = require "lib.external"

local settings = {
  scale = { 1, "factor of mean and std" },
}

return eas.task(function(task)
  local set = task:settings(settings)
  local path = task:input_path "lightcurve"
  local text = external.run(task, { "/usr/bin/python3", task.pack .. "/bin/moments.py", path, tostring(set.scale) })
  local results = {}
  for name, value in text:gmatch "(%S+) (%S+)" do results[name] = tonumber(value) end
  external.hand_over(task, { histogram = "histogram.txt" })
  task:set(results)
end)
