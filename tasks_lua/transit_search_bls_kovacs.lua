-- transit_search_bls_kovacs: the strongest periodic box in a light curve, by phase bins (Kovacs' eebls).
--   input     lightcurve
--   output    periodogram, debugging (optional, alike): frequency, period, power, depth, duration, t0
--   settings  search_settings.*, days; lc_duration truncates the light curve; compat = "peer": nb 10, qmin 0.05, qmax 0.2
--   metadata  period, power, depth, qtran, in1, in2, duration, t0, sde, ...; outcome, target_period; credible, vetting
local eas = require "eas"
local bls_kovacs = require "eas.native.bls_kovacs"
local transit = require "lib.transit"

local settings = {
  period_min = { 0.5, "shortest trial period" },
  period_max = { nil, "longest; half of the light curve if not given", type = "number" },
  nb         = { nil, "phase bins of a period; 200", type = "number" },
  qmin       = { nil, "least fraction of a period in a box; 0.005", type = "number" },
  qmax       = { nil, "largest; 0.1", type = "number" },
  oversample = { 4, "trial frequencies in qmin / span" },
}

return eas.task(function(task)
  local set = transit.settings(task, settings)
  local lc = transit.input(task, set)
  set.period_max = set.period_max or lc:duration() / 2
  transit.check_periods(set)
  local search = bls_kovacs.new(lc, bls_kovacs.grid(lc, set), set)
  transit.run(task, lc, search, "bls_kovacs")
end)
