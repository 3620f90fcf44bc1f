-- binning: a light curve at another cadence, its flux conserved. What is less than half covered is NaN and flagged 4.
--   input     lightcurve
--   output    lightcurve
--   settings  cadence (s); compat: "prototype" stretches samples over gaps and sets the first and last flux to 1
--   metadata  of the light curve (also on the file); sampling_cadence
local eas = require "eas"
local rasters = require "lib.rasters"

local settings = {
  cadence = { nil, "s between samples", type = "number" },
  compat  = { nil, "prototype: stretches samples over gaps, first and last flux 1", one_of = { "prototype", "peer" } },
}

return eas.task(function(task)
  local set, lc = task:settings(settings), task:input("lightcurve")
  if not (set.cadence and set.cadence > 0) then error("binning: cadence, in seconds, must be given and > 0", 0) end
  local step = set.cadence / 86400
  local made = rasters.onto(lc, rasters.times(lc, step), { compat = set.compat ~= nil, step = step, threads = task.threads })
  local new = eas.lightcurve({ time = made.time, flux = made.flux, flux_err = made.flux_err, flag = made.flag }, lc.metadata)
  new.metadata.sampling_cadence = set.cadence
  if set.compat then new.flux[0], new.flux[new.n - 1] = 1, 1 end
  task:info("%d samples to %d", lc.n, new.n)
  task:output("lightcurve", new)
  task:set(new.metadata)
end)
