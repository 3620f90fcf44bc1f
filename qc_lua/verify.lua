-- verify: passes when its numbers are there, finite, and agree with each other.
local eas = require "eas"

return eas.qc(function(attempt)
  if attempt.ending ~= "ok" then return false end
  local m = attempt.metadata
  local n = m.n_points or 0
  attempt:require("verification is true or false", type(m.verification) == "boolean", m.verification)
  attempt:require("points", n > 0, n, "> 0")
  attempt:require("times", (m.verification_time_min or 1) <= (m.verification_time_max or 0), m.verification_time_max)
  attempt:require("fluxes", (m.verification_flux_min or 1) <= (m.verification_flux_max or 0), m.verification_flux_max)
  attempt:require("finite", (m.n_finite or 0) > 0.5 * n, m.n_finite, "> half of the points")
  attempt:require("fill factor", (m.fill_factor or 0) >= 0.5, m.fill_factor, ">= 0.5", "warn")
  return #attempt.failed == 0
end)
