-- binning: passes a light curve of the cadence that was asked for, whose mean is that of its input.
local eas = require "eas"
local check = require "lib.qc_lightcurve"

return eas.qc(function(attempt)
  local made = attempt.outputs.lightcurve
  if attempt.ending ~= "ok" or not made then return false end
  local mean, before = check.mean(made.lightcurve), check.mean(attempt:input "lightcurve")
  local report, step = check.whole(attempt, made.lightcurve), attempt.metadata.sampling_cadence / 86400
  local off = math.abs(report.sampling_interval / step - 1)
  attempt:require("cadence", made.lightcurve.n < 4 or off <= 1e-3, report.sampling_interval, ("%.9g day"):format(step))
  attempt:require("mean flux", math.abs(mean - before) <= 0.01 * math.abs(before), mean, ("%.6g +- 1 %%"):format(before), "warn")
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
