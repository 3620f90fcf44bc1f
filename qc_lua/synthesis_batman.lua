-- synthesis_batman: passes a light curve that has the times, noise and transits that its specs ask for.
local eas = require "eas"
local check = require "lib.qc_synthesis"

return eas.qc(function(attempt)
  local made = attempt.outputs.lightcurve
  if attempt.ending ~= "ok" or not made then return false end
  check.times(attempt, made.lightcurve)
  check.noise(attempt, made.lightcurve)
  check.transits(attempt, made.lightcurve)
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
