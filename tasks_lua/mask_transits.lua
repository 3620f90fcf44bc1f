-- mask_transits: hides the transits of known planets, so that a search finds the next one.
--   input     lightcurve
--   output    lightcurve: flag 1 (bad) where a transit is; or, mode "remove", without those samples; "fill": flux 1 there
--   settings  period, t0, duration (days) of one planet, and/or transits: a list; mask_width, in durations; mode.
--             Nothing to mask, as where a search found nothing, leaves the light curve as it is
--   metadata  n_masked, n_left, n_planets
local eas = require "eas"
local detrend = require "eas.native.detrend"
local planets = require "lib.planets"

local settings = planets.settings {
  mode = { "flag", "what happens to samples in transit", one_of = { "flag", "remove", "fill" } },
}

local function keep(lc, mask, left)
  local new, k = eas.lightcurve(left, lc.metadata), 0
  for i = 0, lc.n - 1 do
    if mask[i] == 0 then
      for _, name in ipairs { "time", "flux", "flux_err", "flag" } do new[name][k] = lc[name][i] end
      k = k + 1
    end
  end
  return new
end

return eas.task(function(task)
  local set = task:settings(settings)
  local lc, list = task:input("lightcurve"), planets.list(set)
  local mask, masked = detrend.in_transit(lc.time, list, set.mask_width)
  local new = set.mode == "remove" and keep(lc, mask, lc.n - masked) or lc:copy()
  local level = lc:clean().flux:median()
  for i = 0, set.mode == "remove" and -1 or lc.n - 1 do
    if mask[i] == 1 and set.mode == "fill" then new.flux[i] = level end
    if mask[i] == 1 and set.mode == "flag" and new.flag[i] % 2 == 0 then new.flag[i] = new.flag[i] + 1 end
  end
  task:info("%d of %d samples are in transit", masked, lc.n)
  task:output("lightcurve", new)
  task:set { n_masked = masked, n_left = new:clean().n, n_points = lc.n, n_planets = #list, mode = set.mode }
end)
