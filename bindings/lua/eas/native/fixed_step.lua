--- fixed_step: what the sampling of a light curve is like.
--
--   local report = fixed_step.verify(lc)             -- report.verification, report.noise, ...
--   local report = fixed_step.verify(lc, { compat = "peer" })   -- the prototype's rule for verification

local ffi = require "ffi"
local native = require "eas.native"
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

return fixed_step
