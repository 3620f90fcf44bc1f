-- synthesis_batman: passes a light curve that has the times, noise and transits that its specs ask for.
local eas = require "eas"
local check = require "lib.qc_synthesis"
local synthesis = require "lib.synthesis"
local transit_model = require "eas.native.transit_model"

return eas.qc(function(attempt)
  local made, set = attempt.outputs.lightcurve, attempt.metadata
  if attempt.ending ~= "ok" or not made then return false end
  check.times(attempt, made.lightcurve)
  check.noise(attempt, made.lightcurve, synthesis.noise(set))
  check.transits(attempt, made.lightcurve, transit_model.deficit(synthesis.model(set)), synthesis.noise(set))
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
