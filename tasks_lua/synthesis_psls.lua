-- synthesis_psls: a solar-like star with transiting planets, as PLATO's cameras see it.
--   output    lightcurve
--   settings  specs.*: lib/psls.lua lists them
--   metadata  specs; noise, star_rms, star_step (relative); integrated_transit_power, pixels_in_transit,
--             pixels_out_of_transit, mes, snr; also on the file
local eas = require "eas"
local psls = require "lib.psls"
local synthesis = require "lib.synthesis"
local transit_model = require "eas.native.transit_model"

return eas.task(function(task)
  local set = synthesis.complete(task:settings { specs = psls.specs }.specs)
  set.master_seed = set.master_seed or task.seed
  local deficit = psls.deficit(set, task.threads)
  local made = psls.star(set, task.threads, function(done, total) task:progress(done, total) end)

  local lc = eas.lightcurve(made.n, set)
  for i = 0, made.n - 1 do
    lc.time[i] = i * set.sampling_cadence / 86400
    lc.flux[i] = made.flux[i] * (1 - deficit[i])
    lc.flux_err[i], lc.flag[i] = set.noise, made.flag.data[i]
  end
  for name, value in pairs(transit_model.summarize(deficit, psls.mes_noise(set))) do set[name] = value end
  task:info("%d samples of %g s, %d of them in transit, %d modes", made.n, set.sampling_cadence, set.pixels_in_transit, made.n_modes)
  task:output("lightcurve", lc)
  task:set(set)
end)
