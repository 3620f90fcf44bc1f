-- verify: what a light curve's sampling is like, and whether it is of a fixed step.
--   input     lightcurve
--   settings  compat: "prototype" for its tolerance (1e-4 day) and whole-second steps
--   metadata  verification (true: fixed step), verification_time_min/max (day), verification_flux_min/max;
--             n_points, gaps, fill_factor, noise and more: docs/scripting.md
local eas = require "eas"
local fixed_step = require "eas.native.fixed_step"

local settings = {
  compat = { nil, "prototype: its tolerance and rounding", one_of = { "prototype", "peer" } },
}

return eas.task(function(task)
  local set = task:settings(settings)
  local lc = task:input("lightcurve")
  local report = fixed_step.verify(lc, { compat = set.compat ~= nil })
  report.n_duplicate = report.n_duplicate + lc.n_duplicate
  task:info("%d points, %.2f to %.2f d, %s", lc.n, report.verification_time_min, report.verification_time_max,
    report.verification and "fixed step" or ("%d samples off a fixed step"):format(report.errors))
  task:set(report)
end)
