--- fixed_step: what the sampling of a light curve is like.
--
--   local report = fixed_step.verify(lc)             -- report.verification, report.noise, ...
--   local report = fixed_step.verify(lc, { compat = "peer" })   -- the prototype's rule for verification
--   local even = fixed_step.raster(lc)               -- even.flux[i] at even.start + i * even.step

local ffi = require "ffi"
local native = require "eas.native"
local samples = require "eas.native.samples"
local lib = native.load "fixed_step"

local fixed_step = {}

-- field of the kernel's report -> name in ours
local NAMES = {
  n = "n_points", n_finite = "n_finite", n_flagged = "n_flagged", n_duplicate = "n_duplicate",
  time_min = "verification_time_min", time_max = "verification_time_max",
  flux_min = "verification_flux_min", flux_max = "verification_flux_max",
  duration = "duration", interval = "sampling_interval", n_ideal = "n_ideal", errors = "errors",
  gaps = "gaps", gap_longest = "gap_longest", gap_total = "gap_total", fill_factor = "fill_factor",
  noise = "noise", noise_1h = "noise_1h",
}

--- Step, gaps and noise of a light curve, all its samples looked at; numbers that cannot be had are NaN.
---@param lc table light curve
---@param options table|nil compat: "peer" (or true) for the prototype's tolerance and rounding
---@return table verification (boolean), verification_time_min/max, verification_flux_min/max, sampling_interval (day),
---  n_ideal, errors, n_points, n_finite, n_flagged, n_duplicate, duration, gaps, gap_longest, gap_total,
---  fill_factor, noise, noise_1h
function fixed_step.verify(lc, options)
  local compat = options and options.compat
  local job, raw = ffi.new "eas_fixed_step_job", ffi.new "eas_fixed_step_report[1]"
  job.n, job.time, job.flux, job.out = lc.n, lc.time.data, lc.flux.data, raw
  if lc.flag then job.flag = lc.flag.data end
  job.set.compat = (compat == true or compat == "peer") and 1 or 0
  native.check(lib.eas_fixed_step_check(job), "fixed_step", nil, 2)
  native.whole(lib, "eas_fixed_step_run", job, 1, lib.eas_fixed_step_work_size(job), { lc, raw })
  local out = { verification = raw[0].fixed == 1 }
  for field, name in pairs(NAMES) do out[name] = raw[0][field] end
  return out
end

--- A light curve on an even raster: each sample at the nearest point, no time moved by more than half a step; points
--- without a sample get the median. Barycentric times keep their place: the raster's step is the mean one.
---@param lc table light curve; flagged and non-finite samples are left out
---@param options table|nil compat: "peer" (or true): as the prototype, which takes samples within 1e-4 day of steps of
---  whole seconds and fills with 1; fill: "median" (1 with compat), or a number
---@return table n, start, step (day), flux, present (arrays; present is 1 where a sample is), filled, shared, offset_most
function fixed_step.raster(lc, options)
  options = options or {}
  local s, compat = samples.of(lc), options.compat == true or options.compat == "peer"
  local interval = fixed_step.verify({ n = s.n, time = s.time, flux = s.flux }, { compat = compat }).sampling_interval
  local raster = ffi.new "eas_fixed_step_raster"
  raster.n, raster.time, raster.flux, raster.compat = s.n, s.time.data, s.flux.data, compat and 1 or 0
  raster.interval = interval == interval and interval or 0
  if raster.interval == 0 then error(("fixed_step: %d usable samples have no sampling interval"):format(s.n), 2) end
  local code = lib.eas_fixed_step_raster_plan(raster)
  if code == native.codes.EGRID then
    error(("fixed_step: %d samples over %.6g d in steps of %.6g d: nearly every point would be empty")
      :format(s.n, s.time[s.n - 1] - s.time[0], interval), 2)
  end
  native.check(code, "fixed_step", nil, 2)
  local n = tonumber(raster.m)
  local out = { n = n, start = raster.start, step = raster.step, flux = native.array(n), present = native.array(n) }
  raster.out = out.flux.data
  native.check(lib.eas_fixed_step_raster_fill(raster), "fixed_step")
  native.keep(s)
  out.filled, out.shared, out.offset_most = tonumber(raster.filled), tonumber(raster.shared), raster.offset_most
  local fill = options.fill or (compat and 1 or "median")
  if fill == "median" then fill = s.flux:median() end
  for i = 0, n - 1 do
    local x = out.flux.data[i]
    out.present.data[i] = x == x and 1 or 0
    if x ~= x then out.flux.data[i] = fill end
  end
  return out
end

return fixed_step
