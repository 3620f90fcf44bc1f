-- lib.fold: means of a light curve in bins of phase around mid-transit, with the errors of the means.
local eas = require "eas"

local fold = {}

-- set: period, t0, half (day on each side), bins. Returns columns for eas.table: phase, flux, flux_err (NaN below two
-- samples), count; and how many bins are empty.
function fold.table(lc, set)
  local n, period, half = set.bins, set.period, set.half
  local sum, square, count = eas.array(n), eas.array(n), eas.array(n)
  for i = 0, lc.n - 1 do
    local k = math.floor(((lc.time[i] - set.t0 + period / 2) % period - period / 2 + half) / (2 * half) * n)
    if k >= 0 and k < n then
      sum[k], square[k], count[k] = sum[k] + lc.flux[i] - 1, square[k] + (lc.flux[i] - 1) ^ 2, count[k] + 1
    end
  end
  local phase, flux, err, empty = eas.array(n), eas.array(n), eas.array(n), 0
  for k = 0, n - 1 do
    local m = count[k]
    phase[k], flux[k], err[k] = (k + 0.5) / n * 2 * half - half, 1 + sum[k] / m, eas.nan
    if m > 1 then err[k] = math.sqrt(math.max(0, square[k] - sum[k] ^ 2 / m) / (m * (m - 1))) end
    if m == 0 then empty = empty + 1 end
  end
  return { n = n, columns = { "phase", "flux", "flux_err", "count" }, phase = phase, flux = flux, flux_err = err,
           count = count }, empty
end

-- Where the fold is lowest: flux and phase; NaN where all is empty.
function fold.lowest(columns)
  local low, at = columns.flux:min(), eas.nan
  for k = columns.n - 1, 0, -1 do if columns.flux[k] == low then at = columns.phase[k] end end
  return low, at
end

return fold
