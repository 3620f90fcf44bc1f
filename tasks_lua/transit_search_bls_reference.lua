-- transit_search_bls_reference: the strongest periodic box in a light curve, by log-likelihood.
--   input     lightcurve
--   output    periodogram, debugging (optional, alike): period, power, depth, duration, t0 (hybrid: of the filter)
--   settings  search_settings.*, days; lc_duration truncates the light curve
--   metadata  period, power, depth, duration, t0, sde, ...; outcome, target_period; credible, vetting
local eas = require "eas"
local bls = require "eas.native.bls"
local hybrid = require "eas.native.bls_hybrid"
local transit = require "lib.transit"

local settings = {
  period_min       = { 0.5, "shortest trial period" },
  period_max       = { nil, "longest; half of the light curve if not given", type = "number" },
  duration_min     = { 0.05, "shortest transit" },
  duration_max     = { 0.2, "longest transit" },
  n_durations      = { 10, "durations tried, evenly spaced" },
  frequency_factor = { 2, "step of frequency, in duration_min / span^2" },
  oversample       = { 10, "phase bins per shortest transit" },
  objective        = { "likelihood", "what is made largest", one_of = { "likelihood", "snr" } },
  hybrid           = { false, "only where fast folding finds something: the same answer, much sooner; sde is an estimate" },
  weights          = { "auto", "1 / flux_err^2: auto (if known), errors, none", one_of = { "auto", "errors", "none" } },
}

return eas.task(function(task)
  local set = transit.settings(task, settings)
  local lc = transit.input(task, set)
  set.period_max = set.period_max or lc:duration() / 2
  transit.check_limits(set)
  local search = set.hybrid and hybrid.new(lc, set) or bls.new(lc, bls.period_grid(lc, set), set)
  transit.run(task, lc, search, "bls")
end)
