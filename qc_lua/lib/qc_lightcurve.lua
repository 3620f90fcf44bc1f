-- lib.qc_lightcurve: is a light curve that was made of others whole?
local fixed_step = require "eas.native.fixed_step"

local check = {}

-- Samples, times, and how much of it is there.
function check.whole(attempt, lc)
  local report = fixed_step.verify(lc)
  local share = lc.n > 0 and report.n_finite / lc.n or 0
  attempt:require("samples", lc.n >= 2, lc.n, ">= 2")
  attempt:require("finite share", share >= 0.5, share, ">= 0.5")
  attempt:require("finite share, strict", share >= 0.95, share, ">= 0.95", "warn")
  attempt:require("fill factor", lc.n < 4 or report.fill_factor >= 0.5, report.fill_factor, ">= 0.5", "warn")
  attempt:check { name = "longest gap", value = report.gap_longest, verdict = "note" }
  return report
end

-- Mean of the finite fluxes; NaN if there are none.
function check.mean(lc)
  local sum, n = 0, 0
  for i = 0, lc.n - 1 do
    local x = lc.flux[i]
    if x - x == 0 then sum, n = sum + x, n + 1 end
  end
  return sum / n
end

return check
