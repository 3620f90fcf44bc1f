-- transit_search_bls_kovacs: the strongest periodic box in a light curve, by phase bins (Kovacs' eebls).
--   input     lightcurve
--   output    periodogram (optional): frequency, period, power, depth, duration, t0
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

  task:info("%d periods, %.3f to %.3f days, %d points", search.n_periods, set.period_min, set.period_max, lc.n)
  for done, total in search:run(task.threads) do task:progress(done, total) end

  local best = search:best()
  if task:wants "periodogram" then
    task:output("periodogram", eas.table(search:periodogram()), { sde = best.sde, period = best.period })
  end
  task:set(best)
  task:set(transit.compare_with_truth(lc.metadata, best, lc:duration()))
  task:set(transit.vet(lc, best, "bls_kovacs"))
end)
