-- lib.qc_synthesis: is a synthetic light curve what its specs ask for?
local fixed_step = require "eas.native.fixed_step"

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

-- expected: scatter from one sample to the next, without transits.
function check.noise(attempt, lc, expected)
  local found, median = fixed_step.verify(lc).noise, lc.flux:median()
  attempt:require("median flux", math.abs(median - 1) <= 0.01, median, "1 +- 0.01")
  if lc.n < FEW then return end
  if expected == 0 then
    attempt:require("noise", found < 1e-9, found, "< 1e-9")
  else
    local ratio, low = found / expected, 0.9 - 4 / math.sqrt(lc.n) -- a median of differences scatters by 1.4 / sqrt(n)
    attempt:require("noise over expected", ratio >= low and ratio <= 2, ratio, ("%.2f to 2"):format(low))
    attempt:require("noise", ratio <= 1.3, found, ("<= %.3g"):format(1.3 * expected), "warn")
  end
end

-- Samples in transit, transits, their sums in the model and in the light curve, the largest deficit.
local function compare(lc, deficit)
  local s = { n = 0, events = 0, model = 0, found = 0, depth = 0 }
  local before = 0
  for i = 0, math.min(lc.n, #deficit) - 1 do
    local d = deficit[i]
    if d > 0 then
      s.n, s.model, s.found = s.n + 1, s.model + d, s.found + 1 - lc.flux[i]
      if before == 0 then s.events = s.events + 1 end
    end
    if d > s.depth then s.depth = d end
    before = d
  end
  return s
end

-- Against the model's deficit, computed anew: catches a wrong t0, period or depth. sigma: white noise of a sample;
-- slow: scatter that lasts as long as a transit; drift: what lasts longer.
function check.transits(attempt, lc, deficit, sigma, slow, drift)
  local set, s = attempt.metadata, compare(lc, deficit)
  slow, drift = slow or 0, drift or 0
  attempt:require("pixels in transit", set.pixels_in_transit == s.n, set.pixels_in_transit, tostring(s.n))
  if s.n > 0 then
    local off = math.abs(s.found - s.model) / s.n
    local error_of_mean = sigma / math.sqrt(s.n) + slow / math.sqrt(s.events) + drift
    attempt:require("mean depth off the model", off <= 5 * error_of_mean + 1e-12, off, "5 sigma")
    attempt:require("mean depth, strict", off <= 3 * error_of_mean + 1e-12, off, "3 sigma", "warn")
  end
  local low, high = lc.flux:range()
  local room = 8 * sigma + 6 * slow + 8 * drift + 1e-12
  attempt:require("smallest flux", low > 1 - 1.5 * s.depth - room, low, "1 - 1.5 depth - 8 sigma")
  attempt:require("largest flux", high < 1 + room, high, "1 + 8 sigma")
end

return check
