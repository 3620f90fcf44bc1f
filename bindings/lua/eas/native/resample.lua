--- resample: a light curve on another raster, its flux conserved.
--
--   local new = resample.onto(lc, other.time)      -- new.n, time, flux, flux_err, flag, covered

local bit = require "bit"
local ffi = require "ffi"
local native = require "eas.native"
local samples = require "eas.native.samples"
local lib = native.load "resample"

local resample = {}

-- A step only where the raster has gaps to find: the median spacing.
local function step_of(time, n)
  if n < 2 then return 0 end
  local scratch = native.array(n)
  return math.abs(lib.eas_resample_step(time.data, n, scratch.data))
end

--- Means of lc over the pixels of the raster `times` (array or list, day, rising or falling). Holes and gaps of lc
--- stay holes: an output pixel less than half covered is NaN and flagged 4. compat = "peer" (or true): as the
--- Python prototype, which stretches pixels over gaps and counts what is outside as 0.
---@param lc table light curve; times strictly increasing
---@param times eas.array|number[]
---@param options table|nil compat, step (day, of the output raster; the median spacing if absent), threads
---@return table n, time, flux, flux_err, flag, covered
function resample.onto(lc, times, options)
  options = options or {}
  times = samples.array(times)
  local n, m = tonumber(lc.n), tonumber(times.n)
  local out = { n = m, time = times, flux = native.array(m), flux_err = native.array(m), covered = native.array(m),
                flag = { n = m, data = ffi.new("uint32_t[?]", m) } }
  local job = ffi.new "eas_resample_job"
  job.n, job.time, job.flux, job.m, job.new_time = n, lc.time.data, lc.flux.data, m, times.data
  if lc.flux_err then job.flux_err = lc.flux_err.data end
  if lc.flag then job.flag = lc.flag.data end
  job.set.compat = (options.compat == true or options.compat == "peer") and 1 or 0
  job.set.step_in, job.set.step_out = step_of(lc.time, n), options.step or step_of(times, m)
  job.out_flux, job.out_err, job.out_flag = out.flux.data, out.flux_err.data, out.flag.data
  job.out_covered = out.covered.data
  native.check(lib.eas_resample_check(job), "resample", nil, 2)
  local size = lib.eas_resample_work_size(job)
  for _ in native.run(lib, "eas_resample_run", job, m, size, options.threads or 1, { lc, out }) do end -- luacheck: ignore
  return out
end

--- Flags of a sample that is made of others: those of any of them.
resample.flags = bit.bor

return resample
