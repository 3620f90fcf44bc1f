-- lib.synthesis: from specs (Jupiter radii, AU, seconds) to the model that eas.native.transit_model computes.
local transit_model = require "eas.native.transit_model"

local synthesis = {}

synthesis.specs = {
  duration         = { 730, "day" },
  t0               = { 1, "day from the start to the first mid-transit (inferior conjunction)" },
  eccentricity     = { 0, "0 <= e < 1" },
  omega            = { 90, "degree, argument of periastron; 90: periastron is at inferior conjunction" },
  star_radius      = { transit_model.sun_in_jupiters, "Jupiter radii" },
  planet_radius    = { 1, "Jupiter radii" },
  orbital_period   = { 365, "day" },
  semi_major_axis  = { 1, "AU" },
  orbital_angle    = { 0, "degree from edge-on" },
  impact_parameter = { nil, "stellar radii; if given, orbital_angle is ignored", type = "number" },
  planets          = { nil, "list of planets: objects with settings of their own; what one does not say is as above",
                       type = "table" },
  law              = { "quadratic", "limb darkening", one_of = { "quadratic", "linear", "uniform" } },
  limb_darkening   = { { 0.1, 0.3 }, "u1 and u2" },
  supersample      = { 1, "instants per exposure" },
  exposure_time    = { nil, "s, where supersample is above 1; sampling_cadence if not given", type = "number" },
  noise            = { 0, "standard deviation in 25 s, relative" },
  mes_assume_noise = { nil, "noise in 25 s that mes assumes; noise if not given", type = "number" },
  sampling_cadence = { 25, "s" },
  threads          = { 1, "kept for old job files; results do not depend on it" },
}

local OF_A_PLANET = { "t0", "eccentricity", "omega", "planet_radius", "orbital_period", "semi_major_axis", "orbital_angle",
  "impact_parameter" }
local known = {}
for _, name in ipairs(OF_A_PLANET) do known[name] = true end

-- Noise of one sample: that of 25 s, averaged down.
function synthesis.noise(set)
  return set.noise * math.sqrt(25 / set.sampling_cadence)
end

-- A planet with all its settings: what it does not say of itself is as in the specs.
local function complete(own, set, where)
  if type(own) ~= "table" then error(("%s is a %s, not an object"):format(where, type(own)), 0) end
  for name, value in pairs(own) do
    if not known[name] then error(("%s: unknown setting '%s'"):format(where, tostring(name)), 0) end
    if type(value) ~= "number" then error(("%s: %s takes a number"):format(where, name), 0) end
  end
  local planet = {}
  for _, name in ipairs(OF_A_PLANET) do
    local value = own[name]
    if value == nil then value = set[name] end
    planet[name] = value
  end
  if own.orbital_angle and not own.impact_parameter then planet.impact_parameter = nil end
  if planet.impact_parameter then planet.orbital_angle = nil end
  return planet
end

-- Completes the specs: every planet says all of itself, and the first stands for all in what a light curve is known by.
function synthesis.complete(set)
  local list = {}
  for i, own in ipairs(set.planets or { {} }) do list[i] = complete(own, set, "specs: planet " .. i) end
  if #list == 0 then error("specs: planets is an empty list", 0) end
  for _, name in ipairs(OF_A_PLANET) do set[name] = list[1][name] end
  if set.planets then set.planets, set.mutual_eclipses = list, "ignored" end
  return set
end

-- Orbits and sizes of the planets of completed specs, as transit_model takes them.
function synthesis.orbits(set)
  local list = {}
  for i, planet in ipairs(set.planets or { set }) do
    list[i] = transit_model.geometry(setmetatable({ star_radius = set.star_radius }, { __index = planet }))
    list[i].period, list[i].t0 = planet.orbital_period, planet.t0
    list[i].eccentricity, list[i].omega = planet.eccentricity, planet.omega
  end
  return list
end

-- The model of completed specs, for transit_model.light_curve.
function synthesis.model(set)
  if not (set.sampling_cadence > 0 and set.duration > 0 and set.noise >= 0) then
    error("specs: sampling_cadence and duration must be > 0, noise >= 0", 0)
  end
  local day = 86400
  return { planets = synthesis.orbits(set), n = math.ceil(set.duration * day / set.sampling_cadence - 1e-9),
           step = set.sampling_cadence / day, law = set.law, limb_darkening = set.limb_darkening,
           supersample = set.supersample, exposure = (set.exposure_time or set.sampling_cadence) / day,
           noise = synthesis.noise(set),
           mes_noise = set.mes_assume_noise and set.mes_assume_noise * math.sqrt(25 / set.sampling_cadence) }
end

return synthesis
