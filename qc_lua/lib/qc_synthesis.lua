-- lib.qc_synthesis: is a synthetic light curve what its specs ask for?
local fixed_step = require "eas.native.fixed_step"
local synthesis = require "lib.synthesis"
local transit_model = require "eas.native.transit_model"

local check = {}
local FEW = 200 -- samples below which a scatter says little

function check.times(attempt, lc)
  local set, report = attempt.metadata, fixed_step.verify(lc)
  local want, step = set.duration * 86400 / set.sampling_cadence, set.sampling_cadence / 86400
  attempt:require("samples", math.abs(lc.n - want) <= 1, lc.n, ("%.0f +- 1"):format(want))
  attempt:require("samples not finite", report.n_finite == lc.n, lc.n - report.n_finite, "0")
  attempt:require("start", lc.n > 0 and math.abs(lc.time[0]) <= 1e-9, lc.n > 0 and lc.time[0], "0 +- 1e-9 day")
  if lc.n >= 4 then
    local off = report.sampling_interval / step - 1
    attempt:require("cadence", math.abs(off) <= 1e-3, report.sampling_interval, ("%.9g day"):format(step))
    attempt:require("samples off the fixed step", report.errors == 0, report.errors, "0")
  end
end

function check.noise(attempt, lc)
  local expected, found = synthesis.noise(attempt.metadata), fixed_step.verify(lc).noise
  local median = lc.flux:median()
  attempt:require("median flux", math.abs(median - 1) <= 0.01, median, "1 +- 0.01")
  if lc.n < FEW then return end
  if expected == 0 then
    attempt:require("noise", found < 1e-9, found, "< 1e-9")
  else
    local ratio = found / expected
    attempt:require("noise over expected", ratio >= 0.9 and ratio <= 2, ratio, "0.9 to 2")
    attempt:require("noise", ratio <= 1.3, found, ("<= %.3g"):format(1.3 * expected), "warn")
  end
end

-- Against the model computed anew, without noise: catches a wrong t0, period or depth.
function check.transits(attempt, lc)
  local set = attempt.metadata
  local sigma, model = synthesis.noise(set), synthesis.model(set)
  model.noise, model.mes_noise = 0, nil
  local truth = transit_model.light_curve(model)
  local n, model_sum, found_sum, depth = 0, 0, 0, 0
  for i = 0, math.min(lc.n, truth.n) - 1 do
    local d = truth.deficit[i]
    if d > 0 then n, model_sum, found_sum = n + 1, model_sum + d, found_sum + 1 - lc.flux[i] end
    if d > depth then depth = d end
  end
  attempt:require("pixels in transit", set.pixels_in_transit == n, set.pixels_in_transit, tostring(n))
  if n > 0 then
    local off = math.abs(found_sum - model_sum) / n
    attempt:require("mean depth off the model", off <= 5 * sigma / math.sqrt(n) + 1e-12, off, "5 sigma")
    attempt:require("mean depth, strict", off <= 3 * sigma / math.sqrt(n) + 1e-12, off, "3 sigma", "warn")
  end
  local low, high = lc.flux:range()
  attempt:require("smallest flux", low > 1 - 1.5 * depth - 8 * sigma - 1e-12, low, "1 - 1.5 depth - 8 sigma")
  attempt:require("largest flux", high < 1 + 8 * sigma + 1e-12, high, "1 + 8 sigma")
end

return check
