--- tls_settings: what a tls search can be told, by the names of transitleastsquares, and the templates.

local settings = {}

-- Days and solar units: default, help.
settings.rows = {
  period_min = { 0, "trial periods are longer than this" },
  period_max = { nil, "and not longer than this", type = "number" },
  R_star = { 1, "radius of the star; with M_star it sets the period grid" },
  M_star = { 1, "mass of the star" },
  R_star_min = { 0.13, "shortest durations: those of this radius and M_star_min" },
  M_star_min = { 0.1, "see R_star_min" },
  R_star_max = { 3.5, "longest durations: those of this radius and M_star_max" },
  M_star_max = { 1, "see R_star_max" },
  n_transits_min = { 2, "least transits in the light curve; sets the longest period" },
  oversampling_factor = { 3, "of the period grid" },
  duration_grid_step = { 1.1, "each duration over the one before" },
  transit_depth_min = { 1e-5, "shallower mean depths are not tried" },
  T0_fit_margin = { 0.01, "step of starts and trial epochs, in durations" },
  transit_template = { "default", "shape of the transit", one_of = { "default", "grazing", "box" } },
  u = { nil, "coefficients of limb_dark; {0.4804, 0.1867} (a star like the Sun) if not given", type = "table" },
  limb_dark = { "quadratic", "law of limb darkening", one_of = { "quadratic", "linear", "uniform" } },
  weights = { "auto", "1 / flux_err^2: auto (if known), errors, none", one_of = { "auto", "errors", "none" } },
}

-- Orbit of each template: day, planet's radius and axis over the star's, degree.
local TEMPLATE = {
  default = { period = 12.9, radius_ratio = 0.03, axis = 23.1, inclination = 89.21 },
  grazing = { period = 12.9, radius_ratio = 0.03, axis = 23.1, inclination = math.deg(math.acos(0.99 / 23.1)) },
  box = { period = 29, radius_ratio = 0.1, axis = 26.9, inclination = 90, law = "uniform" },
}

function settings.fail(format, ...) error("tls: " .. format:format(...), 0) end
local fail = settings.fail

-- Setting, lower bound, upper bound; true: the lower bound is excluded.
local RANGES = {
  { "R_star", 0, 1e4, true }, { "R_star_min", 0, 1e4, true }, { "R_star_max", 0, 1e4, true }, { "M_star", 0, 1e3, true },
  { "M_star_min", 0, 1e3, true }, { "M_star_max", 0, 1e3, true }, { "period_min", 0, math.huge }, { "period_max", 0, math.huge, true },
  { "n_transits_min", 1, 1e6 }, { "oversampling_factor", 0, 100, true }, { "duration_grid_step", 1.001, 10 },
  { "transit_depth_min", -1, 1 }, { "T0_fit_margin", 0, 0.1 },
}

--- What is given over the defaults, checked.
function settings.of(given)
  local set = {}
  for name, row in pairs(settings.rows) do if name ~= "compat" then set[name] = row[1] end end
  for name, value in pairs(given or {}) do set[name] = value end
  set.period_max = set.period_max or math.huge
  for _, r in ipairs(RANGES) do
    local name, value = r[1], set[r[1]]
    if not (type(value) == "number" and value >= r[2] and value <= r[3] and not (r[4] and value == r[2])) then
      fail("%s is %s; it must be %s %g%s", name, tostring(value), r[4] and ">" or ">=", r[2],
        r[3] < math.huge and (" and <= %g"):format(r[3]) or "")
    end
  end
  if set.R_star_max < set.R_star_min or set.M_star_max < set.M_star_min then
    fail("R_star_max and M_star_max must not be below R_star_min and M_star_min")
  end
  if set.period_max <= set.period_min then
    fail("period_max %g d must be longer than period_min, %g d", set.period_max, set.period_min)
  end
  set.peer = set.compat == "peer"
  return set
end

--- Limb darkening of a template: orbit, law and its two coefficients; of the template's own where none is given.
function settings.template(set)
  local own = TEMPLATE[set.transit_template] or fail("transit_template is '%s'; it must be default, grazing or box",
    tostring(set.transit_template))
  local u, law = set.u, set.limb_dark
  if u == nil and own.law then return own, own.law, 0, 0 end
  if law ~= "quadratic" and law ~= "linear" and law ~= "uniform" then
    fail("limb_dark is '%s'; it must be quadratic, linear or uniform", tostring(law))
  end
  u = u or { 0.4804, 0.1867 }
  local a, b = u[1] or 0, u[2] or 0
  if type(a) ~= "number" or type(b) ~= "number" or math.abs(a) > 2 or math.abs(b) > 2 then
    fail("u must be one or two numbers between -2 and 2")
  end
  return own, law, law == "uniform" and 0 or a, law == "quadratic" and b or 0
end

return settings
