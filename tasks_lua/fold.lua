-- fold: a light curve folded at a period, in bins of phase around mid-transit.
--   input     lightcurve
--   output    folded: a table of phase (day from mid-transit), flux, flux_err (of the mean), count
--   settings  period, t0 (days), bins, half_width (days; half of the period if not given)
--   metadata  n_bins, n_empty, n_folded, flux_min, phase_min (where the fold is lowest)
local eas = require "eas"
local fold = require "lib.fold"

local settings = {
  period     = { nil, "day", type = "number" },
  t0         = { nil, "day: any mid-transit; the first sample if not given", type = "number" },
  bins       = { 200, "of phase" },
  half_width = { nil, "day on each side of mid-transit; half of the period if not given", type = "number" },
}

return eas.task(function(task)
  local set = task:settings(settings)
  local lc = task:input("lightcurve"):clean()
  local period = set.period
  if not (eas.is_finite(period) and period > 0) then error("fold: period must be > 0 d", 0) end
  local half = set.half_width or period / 2
  if not (half > 0 and half <= period / 2) then error("fold: half_width must be > 0 and at most half of the period", 0) end
  if not (set.bins >= 1 and set.bins <= 1e6 and set.bins % 1 == 0) then
    error("fold: bins must be a whole number, 1 to 1000000", 0)
  end
  local t0 = set.t0 or (lc.n > 0 and lc.time[0] or 0)

  local columns, empty = fold.table(lc, { period = period, t0 = t0, half = half, bins = set.bins })
  local lowest, phase = fold.lowest(columns)
  task:output("folded", eas.table(columns, { phase = "d" }), { period = period, t0 = t0 })
  task:set { n_bins = set.bins, n_empty = empty, n_folded = columns.count:sum(), n_points = lc.n, flux_min = lowest,
             phase_min = phase, period = period, t0 = t0, half_width = half }
end)
