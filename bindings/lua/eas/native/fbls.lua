--- fbls: box search by fast folding. All trial periods share their partial sums: tens of times as fast as bls, on a
--- grid of its own (a drift of one bin over the light curve from trial to trial) and blurred by half a bin.
--
--   local search = fbls.new(lc, set)
--   for done, total in search:run(threads) do ... end
--   local best = search:best()
--
-- Settings, days: period_min (0.5), period_max (half of the light curve); durations, or duration_min, duration_max,
-- n_durations (0.05, 0.2, 10); tau, the bin (the cadence, or a tenth of the shortest duration if that is longer); growth
-- (1.1) widens bins with period; sign "dips" or "both"; weights "errors", "none" or "auto"; compat "peer": GERBLS'.

local ffi = require "ffi"
local native = require "eas.native"
local bls = require "eas.native.bls"
local samples = require "eas.native.samples"
local lib = native.load "fbls"

local fbls = {}

local OBJECTIVE = { delta_chi2 = 0, likelihood = 1 }
local SIGN = { dips = 0, both = 1 }
local PATH = { fast = 0, reference = 1 }
local NAN = 0 / 0

local function choice(names, value, what)
  local got = names[value]
  if got == nil then error(("fbls: unknown %s '%s'"):format(what, tostring(value)), 3) end
  return got
end

local function cadence(s)
  local steps = native.array(s.n - 1)
  for i = 0, s.n - 2 do steps[i] = s.time[i + 1] - s.time[i] end
  return steps:median()
end

---@class eas.fbls
---@field n_points integer samples searched
---@field n_periods integer
local search = {}
search.__index = search

-- What the kernel would refuse without saying which: an error at the caller of fbls.new.
local function check(self, set, span)
  local job = self.job
  local function refuse(format, ...) error("search_settings: " .. format:format(...), 3) end
  if job.set.n_duration > 64 then refuse("%d durations; fbls takes 64", self.durations.n) end
  for i = 0, tonumber(self.durations.n) - 1 do
    if not (self.durations[i] > 0 and self.durations[i] < math.huge) then refuse("duration %g d", self.durations[i]) end
  end
  if not (job.set.tau > 0) then refuse("tau %g d; it must be > 0", job.set.tau) end
  if not (job.set.growth >= 1 and job.set.growth <= 10) then refuse("growth %g; 1 .. 10", job.set.growth) end
  if not (job.set.period_min >= 4 * job.set.tau) then
    refuse("period_min %g d is shorter than four bins of %g d", job.set.period_min, job.set.tau)
  end
  if not (job.set.period_max >= job.set.period_min) then
    refuse("period_max %g d is below period_min, %g d", job.set.period_max, job.set.period_min)
  end
  if not (job.set.period_max <= 10 * span) then refuse("period_max %g d is over ten light curves", job.set.period_max) end
  if not (span / job.set.tau <= 8 * self.n_points + 1e5) then
    error(("fbls: %d samples over %g d are mostly gap: use bls, or a longer tau than %g d"):format(self.n_points, span,
      job.set.tau), 3)
  end
end

--- A search of lc; nothing is computed yet.
---@param lc table light curve; flagged and non-finite samples are left out
---@param set table|nil settings, see above
---@return eas.fbls
function fbls.new(lc, set)
  set = set or {}
  local s, durations = samples.of(lc), bls.durations(set)
  if s.n < 3 then error(("fbls: %d usable samples of %d, at least 3 are needed"):format(s.n, s.n + s.dropped), 2) end
  local span, peer, shortest = s.time[s.n - 1] - s.time[0], set.compat == "peer", durations:min()
  local self = setmetatable({ samples = s, durations = durations, ivar = bls.weights(s, set), n_points = s.n }, search)
  local job = ffi.new "eas_fbls_job"
  self.job = job
  job.n, job.time, job.flux = s.n, s.time.data, s.flux.data
  if self.ivar then job.ivar = self.ivar.data end
  local to = job.set
  to.period_min, to.period_max = set.period_min or 0.5, set.period_max or span / 2
  to.tau = set.tau or (peer and cadence(s) or math.max(cadence(s), shortest / 10))
  to.growth, to.growth_power = set.growth or 1.1, 3
  to.duration, to.n_duration = durations.data, durations.n
  to.fraction_max = set.fraction_max or 0.5
  to.objective = choice(OBJECTIVE, set.objective or "delta_chi2", "objective")
  to.stride = set.stride or 1
  to.sign = choice(SIGN, set.sign or (peer and "both" or "dips"), "sign")
  to.path = choice(PATH, set.path or "fast", "path")
  check(self, set, span)
  native.check(lib.eas_fbls_check(job), "fbls", nil, 2)
  lib.eas_fbls_count(job)
  self.plan = native.aligned(lib.eas_fbls_plan_size(job))
  job.plan = self.plan
  native.check(lib.eas_fbls_prepare(job), "fbls")
  self.n_periods = tonumber(job.n_trial)
  self.peaks = ffi.new("eas_fbls_peak[?]", self.n_periods)
  job.out = self.peaks
  return self
end

--- Iterates over (done, total) while the search runs; what is counted are base periods.
---@param threads integer|nil 1
function search:run(threads)
  return native.run(lib, "eas_fbls_run", self.job, self.job.n_block, lib.eas_fbls_work_size(self.job), threads or 1, self)
end

-- What turns power of unit weights into delta chi^2.
local function noise_of(self)
  if self.ivar then return 1 end
  local s = self.samples
  local zero, deviation = s.flux:median(), native.array(s.n)
  for i = 0, s.n - 1 do deviation[i] = math.abs(s.flux[i] - zero) end
  return 1.4826 * deviation:median()
end

-- In the first period from the first sample on.
local function first_transit(self, peak) return self.samples.time[0] + (peak.t0 - self.samples.time[0]) % peak.period end

--- The strongest trial. `found` is false, and every number NaN, if no box fits anywhere.
---@return table period, power, dchi2, depth, depth_err, depth_snr, duration, t0, sde, index, period_step, ...
function search:best()
  local spectrum, job = ffi.new "eas_fbls_spectrum", self.job
  local found = lib.eas_fbls_spectrum_of(self.peaks, self.n_periods, spectrum) == 0
  local out = { found = found, n_periods = self.n_periods, n_points = self.n_points, sde = spectrum.sde, tau = job.set.tau,
                period_first = self.peaks[0].period, period_last = job.set.period_max, period = NAN, power = NAN, dchi2 = NAN,
                depth = NAN, depth_err = NAN, depth_snr = NAN, duration = NAN, t0 = NAN, period_step = NAN }
  if not found then return out end
  out.index = tonumber(spectrum.index)
  local peak, noise = self.peaks[out.index], noise_of(self)
  out.period, out.power, out.depth, out.duration = peak.period, peak.power, peak.depth, peak.duration
  out.t0, out.period_step = first_transit(self, peak), peak.step
  if job.set.objective == OBJECTIVE.delta_chi2 and noise > 0 then -- of a curve without noise they are unknown
    out.dchi2 = peak.power / noise ^ 2
    out.depth_snr = math.sqrt(out.dchi2)
    out.depth_err = math.abs(peak.depth) / out.depth_snr
  end
  return out
end

--- All trials as columns: period, power, depth, duration, t0.
---@return table n, columns and an array of each
function search:periodogram()
  local n = self.n_periods
  local out = { n = n, columns = { "period", "power", "depth", "duration", "t0" }, period = native.array(n),
                power = native.array(n), depth = native.array(n), duration = native.array(n), t0 = native.array(n) }
  for i = 0, n - 1 do
    local peak = self.peaks[i]
    out.period[i], out.power[i], out.depth[i], out.duration[i] = peak.period, peak.power, peak.depth, peak.duration
    out.t0[i] = first_transit(self, peak)
  end
  return out
end

return fbls
