-- lib.synthesis: from specs (Jupiter radii, AU, seconds) to the model that eas.native.transit_model computes.
local transit_model = require "eas.native.transit_model"

local synthesis = {}

synthesis.specs = {
  duration         = { 730, "day" },
  t0               = { 1, "day from the start to the first mid-transit (inferior conjunction)" },
  eccentricity     = { 0, "0 <= e < 1; periastron is at inferior conjunction" },
  star_radius      = { transit_model.sun_in_jupiters, "Jupiter radii" },
  planet_radius    = { 1, "Jupiter radii" },
  orbital_period   = { 365, "day" },
  semi_major_axis  = { 1, "AU" },
  orbital_angle    = { 0, "degree from edge-on" },
  impact_parameter = { nil, "stellar radii; if given, orbital_angle is ignored", type = "number" },
  noise            = { 0, "standard deviation in 25 s, relative" },
  mes_assume_noise = { nil, "noise in 25 s that mes assumes; noise if not given", type = "number" },
  sampling_cadence = { 25, "s" },
  threads          = { 1, "kept for old job files; results do not depend on it" },
}

-- Noise of one sample: that of 25 s, averaged down.
function synthesis.noise(set)
  return set.noise * math.sqrt(25 / set.sampling_cadence)
end

function synthesis.model(set)
  if not (set.sampling_cadence > 0 and set.duration > 0 and set.noise >= 0) then
    error("specs: sampling_cadence and duration must be > 0, noise >= 0", 0)
  end
  local model = transit_model.geometry(set)
  model.n = math.ceil(set.duration * 86400 / set.sampling_cadence - 1e-9)
  model.step, model.period, model.t0 = set.sampling_cadence / 86400, set.orbital_period, set.t0
  model.eccentricity, model.noise = set.eccentricity, synthesis.noise(set)
  model.mes_noise = set.mes_assume_noise and set.mes_assume_noise * math.sqrt(25 / set.sampling_cadence)
  return model
end

return synthesis
