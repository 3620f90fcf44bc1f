-- lib.psls: from the specs of synthesis_psls to a star, its cameras and its transits.
local eas = require "eas"
local psls = require "eas.native.psls"
local synthesis = require "lib.synthesis"
local transit_model = require "eas.native.transit_model"

local model = {}
local DAY, GROUP_SHIFT, EXPOSED = 86400, 6.25, 22 / 25 -- s; s from group to group; of the cadence
local DRIFT = { low = 0.002, medium = 0.006, high = 0.012 } -- of one camera in a quarter

model.specs = {
  mode                     = { "main_sequence", "the star", one_of = { "main_sequence", "red_giant" } },
  nsr                      = { 73, "noise of one camera in an hour, ppm" },
  nsr_source               = { "user", "user: nsr as given; magnitude: by the star's", one_of = { "user", "magnitude" } },
  enable_transits          = { true, "with the planet" },
  enable_random_noise      = { true, "with white noise" },
  enable_oscillations      = { true, "with modes of oscillation" },
  enable_granulation       = { true, "with granulation" },
  enable_activity          = { true, "with activity, where the star has it" },
  enable_systematics       = { false, "with a drift in each quarter of 90 days: a stand-in" },
  drift_level              = { "low", "of enable_systematics and mask_updates", one_of = { "low", "medium", "high" } },
  mask_updates             = { false, "with steps where a mask is updated, three in a quarter: a stand-in" },
  number_camera_groups     = { 4, "1 to 4" },
  number_cameras_per_group = { 6, "1 to 6" },
  master_seed              = { nil, "whole number; the task's seed if not given", type = "number" },
  modes                    = { nil, "list of { nu, width, height }, uHz and ppm^2/uHz, instead of the star's own", type = "table" },
  limb_darkening           = { { 0.25, 0.75 }, "u1 and u2" },
  supersample              = { 5, "instants per exposure" },
  peer_phase               = { false, "first transit at t0 + period / 4, across the middle of the star: as PSLS did" },
}
for _, name in ipairs { "duration", "t0", "eccentricity", "omega", "star_radius", "planet_radius", "orbital_period", "semi_major_axis",
  "orbital_angle", "impact_parameter", "planets", "sampling_cadence" } do
  model.specs[name] = synthesis.specs[name]
end

-- Light that the planets take, of samples at the middle of all groups' exposures.
function model.deficit(set, threads)
  local n, step = model.samples(set), set.sampling_cadence / DAY
  local total, groups = eas.array(n), set.number_camera_groups
  if not set.enable_transits then return total end
  local planets = synthesis.orbits(set)
  for _, planet in ipairs(set.peer_phase and planets or {}) do
    planet.t0, planet.inclination, planet.eccentricity = planet.t0 + planet.period / 4, 90, 0
  end
  for group = 1, groups do
    local shift = (group - (groups + 1) / 2) * GROUP_SHIFT / DAY
    transit_model.deficit({ n = n, step = step, start = shift, planets = planets, threads = threads, supersample = set.supersample,
                            limb_darkening = set.limb_darkening, exposure = EXPOSED * step }, total)
  end
  for i = 0, n - 1 do total[i] = total[i] / groups end
  return total
end

function model.samples(set)
  if not (set.sampling_cadence > 0 and set.duration > 0) then error("specs: sampling_cadence and duration must be > 0", 0) end
  local n = math.floor(set.duration * DAY / set.sampling_cadence + 1e-9)
  if n < 2 then error("specs: duration is less than two samples", 0) end
  return n
end

local function check(set)
  local whole = { { "number_camera_groups", 1, 4 }, { "number_cameras_per_group", 1, 6 }, { "master_seed", 0, 2 ^ 53 } }
  for _, row in ipairs(whole) do
    local x = set[row[1]]
    if not (x % 1 == 0 and x >= row[2] and x <= row[3]) then
      error(("specs: %s is %g; it takes a whole number, %d to %.0f"):format(row[1], x, row[2], row[3]), 0)
    end
  end
  if not (set.nsr >= 0 and set.nsr < 1e9) then error(("specs: nsr is %g; it must be >= 0"):format(set.nsr), 0) end
end

-- The star without transits, mean 1, and what is known of it, into set.
function model.star(set, threads, on_progress)
  check(set)
  local star = psls.template(set.mode)
  star.oscillation, star.granulation = set.enable_oscillations, set.enable_granulation
  star.activity = star.activity and set.enable_activity
  local is, cameras = psls.describe(star), set.number_camera_groups * set.number_cameras_per_group
  if set.nsr_source == "magnitude" then set.nsr = is.nsr end
  local noise, drift = set.enable_random_noise and 60 * set.nsr / math.sqrt(set.sampling_cadence) or 0, DRIFT[set.drift_level]
  local made = psls.light_curve { n = model.samples(set), cadence = set.sampling_cadence, star = star, modes = set.modes, noise = noise,
    groups = set.number_camera_groups, cameras = set.number_cameras_per_group, group_shift = GROUP_SHIFT, seed = set.master_seed,
    drift = set.enable_systematics and drift or 0, mask_updates = set.mask_updates and 3 or 0, drift_step = drift,
    threads = threads, on_progress = on_progress }
  set.magnitude, set.effective_temperature, set.numax, set.delta_nu = star.magnitude, star.teff, is.numax, is.delta_nu
  set.model_star_radius = is.radius * transit_model.sun_in_jupiters
  set.noise, set.star_rms, set.star_step = noise / math.sqrt(cameras) * 1e-6, made.star_rms * 1e-6, made.star_step * 1e-6
  set.drift = (set.enable_systematics or set.mask_updates) and drift / math.sqrt(cameras) or 0
  set.stand_ins = set.enable_systematics and "modes of oscillation, drift" or "modes of oscillation"
  return made
end

-- Noise of a sample that MES assumes.
function model.mes_noise(set)
  return 3.15e-4 * set.nsr / 73 * math.sqrt(25 / set.sampling_cadence)
end

return model
