-- transit_search_fbls: the strongest periodic box in a light curve by fast folding; hybrid: then bls_reference's exact answer.
--   input     lightcurve
--   output    periodogram, debugging (optional, alike): period, power, depth, duration, t0
--   settings  search_settings.*, days; lc_duration truncates the light curve; hybrid takes frequency_factor, oversample too
--   metadata  period, power, depth, duration, t0, sde, ...; outcome, target_period; credible, vetting
local eas = require "eas"
local fbls = require "eas.native.fbls"
local hybrid = require "eas.native.bls_hybrid"
local transit = require "lib.transit"

local settings = {
  period_min   = { 0.5, "shortest trial period" },
  period_max   = { nil, "longest; half of the light curve if not given", type = "number" },
  duration_min = { 0.05, "shortest transit" },
  duration_max = { 0.2, "longest transit" },
  n_durations  = { 10, "durations tried, evenly spaced" },
  tau          = { nil, "bin; the cadence, or duration_min / 10 if that is longer", type = "number" },
  growth       = { 1.1, "factor of bins over each 1.1^3 in period; 1: bins of one width" },
  weights      = { "auto", "1 / flux_err^2: auto (if known), errors, none", one_of = { "auto", "errors", "none" } },
  hybrid       = { false, "evaluate bls_reference's trials exactly where fast folding finds something" },
}

return eas.task(function(task)
  local set = transit.settings(task, settings)
  local lc = transit.input(task, set)
  set.period_max = set.period_max or lc:duration() / 2
  transit.check_limits(set)
  local search = (set.hybrid and hybrid or fbls).new(lc, set)
  transit.run(task, lc, search, set.hybrid and "bls" or "fbls")
end)
