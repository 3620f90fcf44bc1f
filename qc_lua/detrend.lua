-- detrend: passes a light curve that is 1 in the middle, lost few samples, and is no noisier than before.
local eas = require "eas"

return eas.qc(function(attempt)
  local made, m = attempt.outputs.lightcurve, attempt.metadata
  if attempt.ending ~= "ok" or not made then return false end
  local median = made.lightcurve:clean().flux:median()
  attempt:require("samples", made.lightcurve.n == m.n_points, made.lightcurve.n, tostring(m.n_points))
  attempt:require("median flux", math.abs(median - 1) <= 0.01, median, "1 +- 0.01")
  attempt:require("samples lost", m.n_lost <= 0.5 * m.n_points, m.n_lost, "half of them")
  attempt:require("noise", m.noise_after <= 1.1 * m.noise_before + 1e-12, m.noise_after, "1.1 of that before", "warn")
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
