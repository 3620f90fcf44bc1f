-- synthesis_batman: the light curve of a star with one transiting planet, or several, and white noise.
--   output    lightcurve
--   settings  specs.*: lib/synthesis.lua lists them
--   metadata  specs, integrated_transit_power, pixels_in_transit, pixels_out_of_transit, mes; also on the file
local eas = require "eas"
local synthesis = require "lib.synthesis"
local transit_model = require "eas.native.transit_model"

return eas.task(function(task)
  local set = synthesis.complete(task:settings { specs = synthesis.specs }.specs)
  local model = synthesis.model(set)
  model.seed, model.threads = task.seed, task.threads
  model.on_progress = function(done, total) task:progress(done, total) end

  local made = transit_model.light_curve(model)
  for name, value in pairs(made.summary) do set[name] = value end
  task:info("%d samples of %g s, %d of them in transit", made.n, set.sampling_cadence, set.pixels_in_transit)
  task:output("lightcurve", eas.lightcurve(made, set))
  task:set(set)
end)
