--- bls: box-fitting least squares search for periodic transits.
--
--   local search = bls.new(lc, bls.period_grid(lc, set), set)
--   for done, total in search:run(threads) do ... end
--   local best = search:best()
--
-- Settings, days: durations (a list), or duration_min, duration_max, n_durations (0.05, 0.2, 10);
-- oversample (10), objective "likelihood" or "snr", weights "errors", "none" or "auto" (errors if
-- there are any), compat "peer": astropy's conventions, without weights; share: a search of the same samples with
-- the same weights, whose tables of them are used. bls.together(list) runs several searches as one.

local ffi = require "ffi"
local native = require "eas.native"
local samples = require "eas.native.samples"
local lib = native.load "bls"

local bls = {}

local OBJECTIVE = { likelihood = 0, snr = 1 }
local WRAP = { full = 0, peer = 1 }
local PATH = { fast = 0, reference = 1, fold = 2, rows = 3, edges = 4 }
local PATH_NAME = { [1] = "reference", [2] = "fold", [3] = "rows", [4] = "edges" }

local function choice(names, value, what)
  local got = names[value]
  if got == nil then error(("bls: unknown %s '%s'"):format(what, tostring(value)), 3) end
  return got
end

--- The durations a search tries, in its order.
---@param set table|nil settings, see above
---@return eas.array
function bls.durations(set)
  if set.durations then return samples.array(set.durations) end
  local lo, hi, n = set.duration_min or 0.05, set.duration_max or 0.2, set.n_durations or 10
  if lo == hi then n = 1 end
  local out, step = native.array(n), n > 1 and (hi - lo) / (n - 1) or 0
  for i = 0, n - 1 do out[i] = lo + i * step end
  if n > 1 then out[n - 1] = hi end
  return out
end

local function shortest(durations)
  local least = math.huge
  for i = 0, tonumber(durations.n) - 1 do least = math.min(least, durations[i]) end
  return least
end

--- The grid of a search without its memory: n trials, period(i) and the (broken) index(period) of a period.
---@param lc table light curve
---@param set table|nil settings, see above
---@return table durations, shortest, n, period, index, fill
function bls.grid(lc, set)
  local s, durations = samples.of(lc), bls.durations(set)
  local span, least = s.n > 1 and s.time[s.n - 1] - s.time[0] or 0, shortest(durations)
  local factor, lo, hi = set.frequency_factor or 2, set.period_min or 0.5, set.period_max or span / 2
  local step, one = factor * least / span ^ 2, native.array(1)
  local grid = { durations = durations, shortest = least }
  grid.n = tonumber(lib.eas_bls_grid_count(span, least, factor, lo, hi))
  function grid.fill(i, n, out) lib.eas_bls_grid(span, least, factor, lo, i, n, out) end
  function grid.period(i)
    grid.fill(i, 1, one.data)
    return one[0]
  end
  function grid.index(period) return (1 / lo - 1 / period) / step end
  return grid
end

--- Trial periods in equal steps of frequency, from period_min (0.5) to period_max (half of the light
--- curve), frequency_factor (2) times min(duration) / span^2 apart. Empty if there is none.
---@param lc table light curve
---@param set table|nil settings, see above
---@return eas.array
function bls.period_grid(lc, set)
  local grid = bls.grid(lc, set)
  local out = native.array(grid.n)
  if grid.n > 0 then grid.fill(0, grid.n, out.data) end
  return out
end

---@class eas.bls
---@field n_points integer samples searched
---@field n_periods integer
local search = {}
search.__index = search

--- 1 / error^2 of each sample, or nil: 1 each.
---@param s eas.samples
---@param set table settings, see above
---@return eas.array|nil
function bls.weights(s, set)
  local wanted = set.compat == "peer" and "none" or set.weights or "auto"
  if wanted ~= "none" and wanted ~= "auto" and wanted ~= "errors" then
    error(("bls: unknown weights '%s'"):format(tostring(wanted)), 3)
  end
  if wanted == "none" then return nil end
  if not s.flux_err then
    if wanted == "errors" then error("bls: weights 'errors', but not every sample has one", 3) end
    return nil
  end
  local ivar = native.array(s.n)
  for i = 0, s.n - 1 do ivar[i] = 1 / (s.flux_err[i] * s.flux_err[i]) end
  return ivar
end

-- What the kernel would refuse without saying which: an error at the caller of bls.new.
local function check_settings(self, oversample)
  local least, most = math.huge, 0
  for i = 0, tonumber(self.durations.n) - 1 do
    local d = self.durations[i]
    if not (d > 0 and d < math.huge) then error(("bls: duration %g d; it must be > 0"):format(d), 3) end
    least, most = math.min(least, d), math.max(most, d)
  end
  if not (oversample >= 1 and oversample <= 1000 and oversample % 1 == 0) then
    error(("bls: oversample %g; it must be a whole number, 1 .. 1000"):format(oversample), 3)
  end
  for i = 0, self.n_periods - 1 do
    local p = self.periods[i]
    if not (p > most) then
      error(("bls: trial period %g d is not longer than the longest duration, %g d: raise period_min or lower duration_max")
        :format(p, most), 3)
    end
    if not (p * oversample / least <= 1e7) then error(("bls: trial period %g d has over 1e7 phase bins"):format(p), 3) end
  end
end

--- A search of lc over periods; nothing is computed yet.
---@param lc table light curve; flagged and non-finite samples are left out; several searches of one may share its samples.of
---@param periods eas.array|number[] day, each longer than the longest duration
---@param set table|nil settings, see above
---@return eas.bls
function bls.new(lc, periods, set)
  set = set or {}
  local s, durations = samples.of(lc), bls.durations(set)
  periods = samples.array(periods)
  local share = set.share and set.share.samples == s and set.share or nil
  local self = setmetatable({ samples = s, durations = durations, periods = periods, share = share,
                              ivar = share and share.ivar, n_points = s.n, n_periods = tonumber(periods.n),
                              objective = set.objective or "likelihood", peer = set.compat == "peer" }, search)
  if s.n < 3 then error(("bls: %d usable samples of %d, at least 3 are needed"):format(s.n, s.n + s.dropped), 2) end
  if self.n_periods == 0 then error("bls: no trial period: the light curve is too short for these limits", 2) end

  check_settings(self, set.oversample or 10)
  if not share then self.ivar = bls.weights(s, set) end

  local job = ffi.new "eas_bls_job"
  self.peaks = ffi.new("eas_bls_peak[?]", self.n_periods)
  job.n, job.n_period = s.n, self.n_periods
  job.time, job.flux, job.period, job.out = s.time.data, s.flux.data, periods.data, self.peaks
  if self.ivar then job.ivar = self.ivar.data end
  if share then
    job.flux_zero = share.job.flux_zero
  else
    local scratch = native.array(s.n)
    job.flux_zero = lib.eas_bls_median(s.flux.data, s.n, scratch.data)
    native.keep(scratch)
  end
  if share and share.plan then job.share = share.plan end
  job.set.duration, job.set.n_duration = durations.data, durations.n
  job.set.oversample = set.oversample or 10
  job.set.objective = choice(OBJECTIVE, self.objective, "objective")
  job.set.wrap = choice(WRAP, set.wrap or (self.peer and "peer" or "full"), "wrap")
  job.set.path = choice(PATH, set.path or "fast", "path")
  native.check(lib.eas_bls_check(job), "bls", nil, 2)
  self.job = job
  if job.set.path ~= PATH.reference then
    self.plan = native.aligned(lib.eas_bls_plan_size(job))
    job.plan = self.plan
    native.check(lib.eas_bls_prepare(job), "bls")
  end
  self.path = PATH_NAME[lib.eas_bls_path(job)]
  return self
end

--- Iterates over (done, total) trials of several searches while they run, one after the other without a break.
---@param list eas.bls[] prepared: of a fast path
---@param threads integer|nil 1
function bls.together(list, threads)
  local part, n = ffi.new("const eas_bls_job *[?]", #list), 0
  for i, one in ipairs(list) do
    part[i - 1], n = one.job, n + one.n_periods
  end
  local parts = ffi.new("eas_bls_parts", { #list, part })
  return native.run(lib, "eas_bls_parts_run", parts, n, lib.eas_bls_parts_work_size(parts), threads or 1, { list, part })
end

--- Iterates over (done, total) while the search runs.
---@param threads integer|nil 1
function search:run(threads)
  return native.run(lib, "eas_bls_run", self.job, self.n_periods, lib.eas_bls_work_size(self.job), threads or 1, self)
end

--- One trial by the definition, whatever path the search took.
local function evaluate(self, index)
  local job, out = ffi.new("eas_bls_job", self.job), ffi.new "eas_bls_peak[1]"
  job.set.path, job.n_period, job.period, job.out = PATH.reference, 1, self.job.period + index, out
  native.whole(lib, "eas_bls_run", job, 1, lib.eas_bls_work_size(job), { self, out })
  return ffi.new("eas_bls_peak", out[0])
end

--- Noise per sample: what turns errors of unit weights into errors of flux.
local function noise_of(self)
  local s, zero = self.samples, self.job.flux_zero
  local deviation, scratch = native.array(s.n), native.array(s.n)
  for i = 0, s.n - 1 do deviation[i] = math.abs(s.flux[i] - zero) end
  local median = lib.eas_bls_median(deviation.data, s.n, scratch.data)
  native.keep(deviation, scratch)
  return 1.4826 * median
end

local function harvest(self, out, peak)
  local scale = (self.ivar or self.peer) and 1 or noise_of(self)
  out.power, out.depth, out.depth_err = peak.power, peak.depth, peak.depth_err * scale
  out.log_likelihood, out.duration = peak.log_likelihood, peak.duration
  out.t0, out.transit_time = peak.t0, peak.t0
  out.depth_snr = out.depth_err > 0 and out.depth / out.depth_err or 0 / 0 -- of a curve without noise it is unknown
  return out
end

--- The strongest trial. `found` is false, and every number NaN, if no box fits anywhere.
---@return table period, power, depth, depth_err, depth_snr, log_likelihood, duration, t0, sde, index, ...
function search:best()
  local spectrum = ffi.new "eas_bls_spectrum"
  local found = lib.eas_bls_spectrum_of(self.peaks, self.n_periods, spectrum) == 0
  local out = { found = found, n_periods = self.n_periods, n_points = self.n_points, objective = self.objective,
                period_first = self.periods[0], period_last = self.periods[self.n_periods - 1],
                sde = spectrum.sde, period = 0 / 0 }
  if not found then
    return harvest(self, out, ffi.new("eas_bls_peak", { 0 / 0, 0 / 0, 0 / 0, 0 / 0, 0 / 0, 0 / 0 }))
  end
  out.index = tonumber(spectrum.index)
  out.period = self.periods[out.index]
  return harvest(self, out, evaluate(self, out.index))
end

local STATS = { "depth_odd", "depth_odd_err", "depth_even", "depth_even_err", "depth_phased", "depth_phased_err",
  "depth_half", "depth_half_err", "harmonic_amplitude", "harmonic_delta_log_likelihood", "delta_chi2", "power_norm" }

--- Vetting numbers of a box (search:best() or a table with period, duration, t0): depths of odd, even,
--- opposite and half-period transits, sine against box, samples and gain of each transit.
---@param box table|nil search:best() if not given
---@return table numbers, NaN where they cannot be had
function search:stats(box)
  box = box or self:best()
  local most = 10000
  local count, gain, raw = native.array(most), native.array(most), ffi.new "eas_bls_stats"
  local rc = lib.eas_bls_stats_of(self.job, box.period, box.duration, box.t0, raw, count.data, gain.data, most)
  if rc ~= 0 then return nil, "no sample in transit" end
  local out = { n_transits = tonumber(raw.n_transits), n_transits_with_data = tonumber(raw.n_transits_with_data),
                n_in_transit = tonumber(raw.n_in_transit), transits = {} }
  for _, name in ipairs(STATS) do out[name] = raw[name] end
  for i = 0, math.min(most, out.n_transits) - 1 do
    local number = tonumber(raw.first_transit) + i
    out.transits[i + 1] = { time = box.t0 + number * box.period, samples = count[i], gain = gain[i] }
  end
  return out
end

--- All trials as columns: period, power, depth, duration, t0.
---@return table n, columns and an array of each
function search:periodogram()
  local n = self.n_periods
  local out = { n = n, columns = { "period", "power", "depth", "duration", "t0" }, period = self.periods,
                power = native.array(n), depth = native.array(n), duration = native.array(n), t0 = native.array(n) }
  for i = 0, n - 1 do
    local peak = self.peaks[i]
    out.power[i], out.depth[i], out.duration[i], out.t0[i] = peak.power, peak.depth, peak.duration, peak.t0
  end
  return out
end

return bls
