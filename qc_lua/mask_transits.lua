-- mask_transits: passes a light curve in which enough is left to be searched.
local eas = require "eas"

return eas.qc(function(attempt)
  local made, m = attempt.outputs.lightcurve, attempt.metadata
  if attempt.ending ~= "ok" or not made then return false end
  local expected = m.mode == "remove" and m.n_points - m.n_masked or m.n_points
  attempt:require("samples", made.lightcurve.n == expected, made.lightcurve.n, tostring(expected))
  attempt:require("samples left", m.n_left >= 5, m.n_left, ">= 5")
  attempt:require("samples masked", m.n_masked <= 0.5 * m.n_points, m.n_masked, "half of them", "warn")
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
