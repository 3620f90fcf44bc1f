--- psls: a solar-like star as PLATO's cameras see it.
--
--   local star = psls.template "main_sequence"
--   local made = psls.light_curve { n = 4320, cadence = 600, star = star, noise = 1000, seed = task.seed }
--   made.flux (mean 1), made.flag, made.star_rms, made.star_step

local ffi = require "ffi"
local native = require "eas.native"
local lib = native.load "psls"

local psls = {}

local KIND = { main_sequence = 0, red_giant = 1 }
local NAME = { [0] = "main_sequence", "red_giant" }
local STAR = { "magnitude", "teff", "logg", "mass", "radius", "numax", "delta_nu", "dpi", "coupling", "activity_sigma",
  "activity_tau" }
local PART = { oscillation = 1, granulation = 2, activity = 4 }
local NUMBERS = { "numax", "delta_nu", "mass", "radius", "bolometric", "width", "height_max", "amplitude_max", "gamma_max", "gamma",
  "epsilon", "d01", "d02", "d03", "curvature", "orders", "nsr" }

local function fill(to, star)
  local kind = KIND[star.pattern]
  if not kind then error(("psls: unknown pattern '%s'"):format(tostring(star.pattern)), 4) end
  to.pattern, to.parts = kind, 0
  for _, name in ipairs(STAR) do to[name] = star[name] or 0 end
  for name, bit in pairs(PART) do if star[name] then to.parts = to.parts + bit end end
  return to
end

--- A star to start from: "main_sequence" (like 16 Cyg B, V = 10) or "red_giant" (V = 12.5).
---@param name "main_sequence"|"red_giant"
---@return table star pattern, magnitude, teff, logg, mass, radius, numax, delta_nu (uHz; 0: by mass and radius), dpi, coupling,
---  activity_sigma (ppm), activity_tau (day), and booleans oscillation, granulation, activity
function psls.template(name)
  local raw = ffi.new "eas_psls_star"
  if not KIND[name] then error(("psls: there is no template '%s'; main_sequence, red_giant"):format(tostring(name)), 2) end
  native.check(lib.eas_psls_template(KIND[name], raw), "psls")
  local star = { pattern = NAME[raw.pattern] }
  for _, field in ipairs(STAR) do star[field] = raw[field] end
  for part, bit in pairs(PART) do star[part] = math.floor(raw.parts / bit) % 2 == 1 end
  return star
end

--- What follows from a star: numax, delta_nu, ... (tasks_native/psls.h); nsr is by magnitude, ppm in an hour, one camera.
---@param star table of psls.template
---@return table
function psls.describe(star)
  local raw = ffi.new "eas_psls_numbers"
  native.check(lib.eas_psls_describe(fill(ffi.new "eas_psls_star", star), raw), "psls: the star", nil, 2)
  local out = { granulation_a = {}, granulation_b = {}, granulation_h = {} }
  for _, name in ipairs(NUMBERS) do out[name] = raw[name] end
  for i = 0, 1 do
    for _, name in ipairs { "granulation_a", "granulation_b", "granulation_h" } do out[name][i + 1] = raw[name][i] end
  end
  return out
end

-- Modes of the star's pattern, or those that are given: { nu, width, height } in uHz, uHz, ppm^2/uHz.
local function modes_of(star, resolution, given)
  if not given then
    local list = ffi.new("eas_psls_mode[?]", lib.EAS_PSLS_MODES_MAX)
    return list, native.check(lib.eas_psls_modes(star, resolution, list), "psls: the modes", nil, 3)
  end
  if #given > lib.EAS_PSLS_MODES_MAX then error(("psls: %d modes, at most %d"):format(#given, lib.EAS_PSLS_MODES_MAX), 3) end
  local list = ffi.new("eas_psls_mode[?]", math.max(#given, 1))
  for i, mode in ipairs(given) do
    local nu, width, height = tonumber(mode.nu), tonumber(mode.width), tonumber(mode.height)
    if not (nu and width and height) then error(("psls: mode %d needs nu, width and height"):format(i), 3) end
    list[i - 1].nu, list[i - 1].width, list[i - 1].height = nu, width, height
    list[i - 1].n, list[i - 1].l = tonumber(mode.n) or 0, tonumber(mode.l) or 0
  end
  return list, #given
end

local function job_of(set, keep)
  local job, n = ffi.new "eas_psls_job", set.n
  job.n, job.length, job.cadence = n, lib.eas_psls_length(n), set.cadence
  job.groups, job.cameras, job.group_shift = set.groups or 4, set.cameras or 6, set.group_shift or 6.25
  job.noise, job.drift, job.seed = set.noise or 0, set.drift or 0, set.seed or 1
  job.mask_updates, job.drift_step = set.mask_updates or 0, set.drift_step or 0
  fill(job.star, set.star)
  local length = tonumber(job.length)
  keep.modes, job.n_mode = modes_of(job.star, 1e6 / (length * set.cadence), set.modes)
  keep.spectrum, keep.buffer, keep.series = native.array(length + 2), native.array(length), native.array(length)
  keep.flux, keep.flag = native.array(n), ffi.new("uint32_t[?]", n)
  job.mode, job.spectrum, job.buffer, job.series = keep.modes, keep.spectrum.data, keep.buffer.data, keep.series.data
  job.flux, job.flag = keep.flux.data, keep.flag
  return job, length
end

--- A light curve of mean 1, without transits. n, cadence (s), star; groups (4) of cameras (6), group_shift (6.25 s); noise: ppm of
--- one camera and sample; drift, drift_step: relative scatter in a quarter of one camera; mask_updates: in a quarter
--- (0); seed; modes: a list instead of the star's own; threads; on_progress(done, total).
---@param set table settings
---@return table n, flux, flag (2: mask update), star_rms and star_step (ppm: scatter of samples, of differences / sqrt 2), n_modes
function psls.light_curve(set)
  local cadence = set.cadence
  if not (type(set.n) == "number" and set.n >= 2) then error(("psls: %s samples; at least 2"):format(tostring(set.n)), 2) end
  if not (type(cadence) == "number" and cadence > 0 and cadence < 1e9) then error("psls: cadence must be > 0 s", 2) end
  local keep = {}
  local job, length = job_of(set, keep)
  native.check(lib.eas_psls_check(job), "psls", nil, 2)
  local size, threads = lib.eas_psls_work_size(job), set.threads or 1
  for done in native.run(lib, "eas_psls_run", job, length / 2 + 1, size, threads, keep) do
    if set.on_progress then set.on_progress(done, length) end
  end
  native.whole(lib, "eas_psls_transform", job, 1, size, keep)
  for done in native.run(lib, "eas_psls_sample", job, set.n, size, threads, keep) do
    if set.on_progress then set.on_progress(math.min(length, length / 2 + done / 2), length) end
  end
  lib.eas_psls_normalise(keep.flux.data, set.n)
  local scatter = ffi.new "double[2]"
  lib.eas_psls_scatter(job, scatter, scatter + 1)
  return { n = set.n, flux = keep.flux, flag = { n = set.n, data = keep.flag }, star_rms = scatter[0], star_step = scatter[1],
           n_modes = tonumber(job.n_mode) }
end

return psls
