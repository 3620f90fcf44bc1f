-- transit_search_tls: the limb-darkened transit that fits a light curve best.
--   input     lightcurve
--   output    periodogram, debugging (optional, alike): period, chi2, sr, power_raw, power, depth, duration
--   settings  search_settings.* (eas.native.tls_settings), days and solar units; lc_duration truncates the light curve
--   metadata  period, sde, fap, depth, duration, t0, snr, transit_times, ...; outcome, target_period; credible, vetting
local eas = require "eas"
local tls = require "eas.native.tls"
local transit = require "lib.transit"

return eas.task(function(task)
  local set = transit.settings(task, tls.rows)
  local lc = transit.input(task, set)
  local search = tls.new(lc, set)
  task:info("%d periods to %.3f days, %d points", search.n_periods, search.periods[search.n_periods - 1], search.n_points)
  transit.search(task, search)

  local best = search:best()
  for _, text in ipairs(search.warnings) do task:warn("%s", text) end
  if not best.found then task:warn("%s", best.why) end
  transit.periodogram(task, search, best)
  transit.found(task, lc, best, "tls")
end)
