-- detrend: takes the slow trend off a light curve; transits that are known are kept out of it.
--   input     lightcurve
--   output    lightcurve (flux over its trend); trend (optional): the trend as a light curve
--   settings  days, below; period, t0, duration: one planet to be kept out; transits: a list of such
--   metadata  window, longest_transit, noise_before, noise_after, n_clipped, n_points, n_lost
local eas = require "eas"
local detrend = require "eas.native.detrend"
local planets = require "lib.planets"

local settings = planets.settings {
  method          = { "biweight", "which trend", one_of = { "biweight", "median", "savgol", "cosine", "lowess" } },
  window          = { nil, "width of a window; three times the longest transit if not given", type = "number" },
  break_tolerance = { nil, "a longer step between samples parts them; half of the window if not given", type = "number" },
  edge_cutoff     = { 0, "this near to the ends of a piece there is no trend" },
  cval            = { 5, "biweight: what is farther off, in median deviations, does not count" },
  clip            = { 5, "robust sigmas above the trend from which a sample is flagged; 0: none" },
  period_max      = { nil, "longest period to be looked for; half of the light curve if not given", type = "number" },
  star_radius     = { 1, "of the Sun" },
  star_mass       = { 1, "of the Sun" },
  compat          = { nil, "peer: the windows of wotan", one_of = { "peer", "prototype" } },
}

return eas.task(function(task)
  local set = task:settings(settings)
  local lc = task:input("lightcurve")
  local longest = detrend.longest_transit(set.period_max or lc:duration() / 2, { radius = set.star_radius, mass = set.star_mass })
  set.window, set.transits = set.window or 3 * longest, planets.list(set)
  if set.window < 2 * longest then task:warn("a window of %.2f d eats transits of %.2f d", set.window, longest) end
  if set.compat then set.compat = "peer" end
  local work = detrend.new(lc, set)
  for done, total in work:run(task.threads) do task:progress(done, total) end

  local flat, clipped = work:flat(set.clip)
  task:output("lightcurve", flat)
  if task:wants "trend" then task:output("trend", planets.with_flux(lc, work:trend_array())) end
  task:set { method = set.method, window = set.window, longest_transit = longest, n_points = lc.n, n_clipped = clipped,
             noise_before = lc:clean():normalise():noise(), noise_after = flat:clean():noise(),
             n_lost = lc:clean().n - flat:clean().n }
end)
