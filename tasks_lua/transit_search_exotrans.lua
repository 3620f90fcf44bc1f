-- transit_search_exotrans: exotrans-like search: wavelet filter, box search, removal, and again until nothing is left.
--   input     lightcurve, as it is: the filter takes variability and jumps off
--   output    periodogram, debugging (optional, alike): period, power, sde of the first pass
--   settings  search_settings.*, days; lc_duration truncates the light curve
--   metadata  period, depth, duration, t0, sde of the strongest; detections: of all, with alias; n_detections, jumps,
--             pieces; outcome, target_period; credible, vetting
local eas = require "eas"
local exotrans = require "eas.native.exotrans"
local transit = require "lib.transit"

local settings = {
  period_min   = { 0.6, "shortest trial period" },
  period_max   = { nil, "longest; half of the light curve if not given", type = "number" },
  star_radius  = { 1, "of the Sun" },
  star_mass    = { 1, "of the Sun" },
  oversampling = { 3, "of the grid of periods" },
  sde_min      = { 7, "significance below which the search stops" },
  iterations   = { 15, "passes at most" },
  filter       = { true, "take variability off by wavelets" },
}

return eas.task(function(task)
  local set = transit.settings(task, settings)
  local lc = transit.input(task, set)
  set.period_max = set.period_max or lc:duration() / 2
  transit.check_periods(set)
  local search = exotrans.new(lc, set)
  local filtered = search.lc
  task:info("%d periods, %d points, %s pieces", search.n_periods, lc.n, tostring(search.info.pieces or 1))
  transit.search(task, search)
  local best = search:best()
  transit.periodogram(task, search, best)
  transit.found(task, lc, best, "exotrans", { vetted = filtered, sde_pass = 7, sde_fail = 7 })
end)
