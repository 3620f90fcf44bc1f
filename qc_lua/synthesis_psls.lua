-- synthesis_psls: passes a light curve that has the times, noise and transits that its specs ask for.
local eas = require "eas"
local check = require "lib.qc_synthesis"
local psls = require "lib.psls"

return eas.qc(function(attempt)
  local made, set = attempt.outputs.lightcurve, attempt.metadata
  if attempt.ending ~= "ok" or not made then return false end
  check.times(attempt, made.lightcurve)
  check.noise(attempt, made.lightcurve, math.sqrt(set.noise ^ 2 + set.star_step ^ 2))
  check.transits(attempt, made.lightcurve, psls.deficit(set), set.noise, set.star_rms, set.drift)
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
