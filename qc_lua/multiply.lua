-- multiply: passes a product that is the product of its inputs, at the times of the first.
local eas = require "eas"
local check = require "lib.qc_lightcurve"

return eas.qc(function(attempt)
  local made = attempt.outputs.lightcurve
  if attempt.ending ~= "ok" or not made then return false end
  local a, b, lc = attempt:input "lightcurve_1", attempt:input "lightcurve_2", made.lightcurve
  local mean, expected = check.mean(lc), check.mean(a) * check.mean(b)
  check.whole(attempt, lc)
  attempt:require("times", lc.n <= a.n and a.n - lc.n <= 2, lc.n, ("those of lightcurve_1, %d"):format(a.n))
  attempt:require("mean flux", math.abs(mean / expected - 1) < 0.05, mean, ("%.6g +- 5 %%"):format(expected), "warn")
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
