-- multiply: one light curve times another, brought onto its times: transits into a quiet star.
--   inputs    lightcurve_1, whose times are kept; lightcurve_2
--   output    lightcurve
--   settings  compat: "prototype" leaves out the first and last sample, with errors as of a sum
--   metadata  of both light curves (also on the file); metadata_conflicts: names whose values differed
local rasters = require "lib.rasters"
local eas = require "eas"

local settings = {
  compat = { nil, "prototype: without the first and last sample", one_of = { "prototype", "peer" } },
}

return eas.task(function(task)
  local set = task:settings(settings)
  local product = rasters.product(task:input("lightcurve_1"), task:input("lightcurve_2"), set.compat ~= nil)
  task:info("%d samples", product.n)
  task:output("lightcurve", product)
  task:set(product.metadata)
end)
