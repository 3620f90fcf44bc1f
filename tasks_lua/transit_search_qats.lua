-- transit_search_qats: transits whose intervals may vary (QATS), on a light curve put on an even raster.
--   input     lightcurve
--   output    periodogram, debugging (optional, alike): period, delta_min, delta_max, q, s_best, m_best of every trial
--   settings  search_settings.*, days; lc_duration truncates the light curve
--   metadata  period, transit_count, period_span, first_transit, last_transit (mid-times), depth, duration, t0, s_best,
--             sde, transit_times, ttv, transit_depths, ...; outcome, target_period; credible, vetting
local eas = require "eas"
local qats = require "eas.native.qats"
local transit = require "lib.transit"

local settings = {
  duration_min      = { 0.05, "shortest transit" },
  duration_max      = { 0.2, "longest transit" },
  duration_count    = { 16, "durations tried, evenly spaced" },
  period_min        = { 4, "shortest interval" },
  period_max        = { nil, "longest; the light curve over min_transit_count if not given", type = "number" },
  min_transit_count = { 2, "transits that the longest interval leaves room for" },
  max_ttv_mag       = { 0.0005, "how much intervals vary, relative; at least one cadence" },
  periodic          = { false, "also try strictly periodic trains" },
  clip              = { 5, "robust sigmas above the median from which a sample is left out" },
}

return eas.task(function(task)
  local set = transit.settings(task, settings)
  local lc = transit.input(task, set)
  set.period_max = set.period_max or lc:duration() / set.min_transit_count
  transit.check_limits(set)
  local search = qats.new(lc, set)

  task:info("%d trials of %d cadences, %d of them empty", search.n_periods, search.raster.n, search.raster.filled)
  transit.search(task, search)

  local best = search:best()
  transit.periodogram(task, search, best)
  transit.found(task, lc, best, "qats", { vetted = qats.straighten(lc, best), sde_pass = 6.5, sde_fail = 6 })
end)
