--- tls_results: what a finished tls search says: the best period, its transits, the periodogram.
-- In the conventions of the peer depth and depth_mean are levels of flux (0.999), otherwise fractions that are missing (0.001).

local ffi = require "ffi"
local native = require "eas.native"
local lib = native.load "tls"

---@class eas.tls
local results = {}
local NAN = 0 / 0
local EPOCH = { peer = 1, plain = 0, ivar = 2 }

local function kernel_of(set)
  local k = math.max(1, math.floor(30 * set.oversampling_factor))
  return k + (k % 2 == 0 and 1 or 0)
end

--- Signal residue and power of every trial; computed once.
---@return table period, sr, power_raw, power (arrays)
function results:spectrum()
  if self.spectrum_made then return self.spectrum_made end
  local n, kernel = self.n_periods, kernel_of(self.set)
  local out = { sr = native.array(n), power_raw = native.array(n), power = native.array(n), raw = ffi.new "eas_tls_spectrum" }
  local work = native.array(n + kernel)
  out.found = 0 == lib.eas_tls_spectrum_of(self.trials, self.periods.data, n, kernel, out.sr.data, out.power_raw.data,
    out.power.data, work.data, out.raw)
  native.keep(work)
  self.spectrum_made = out
  return out
end

-- Why no trial is better than another.
local function why_not(self)
  local set = self.set
  local first, last = 0, 0
  for i = 0, self.n_periods - 1 do
    if self.trials[i].chi2 == math.huge then first = first + 1 end
    if self.trials[i].start >= 0 then last = last + 1 end
  end
  if last > 0 then return "every trial period fits as well as any other" end
  if first == self.n_periods then
    return "no duration can be tried: it would be between samples; raise R_star_max or give denser data"
  end
  return ("no depth above transit_depth_min = %g ppm; try --set transit_depth_min=%g"):format(set.transit_depth_min * 1e6,
    math.min(set.transit_depth_min / 10, 1e-6))
end

-- The epoch, then all numbers of the candidate and its transits.
local function measure(self, period, row, depth)
  local job, set = self.job, self.set
  local work = native.aligned(lib.eas_tls_work_size(job))
  local t0, stats = ffi.new "double[1]", ffi.new "eas_tls_stats"
  local weights = set.peer and EPOCH.peer or self.ivar and EPOCH.ivar or EPOCH.plain
  self.phase_ties = tonumber(lib.eas_tls_ties(job, work))
  native.check(lib.eas_tls_epoch_of(job, period, row, depth, weights, work, t0), "tls")
  local n = tonumber(lib.eas_tls_transit_count(job, period, t0[0]))
  local list = ffi.new("eas_tls_transit[?]", n)
  native.check(lib.eas_tls_stats_of(job, period, t0[0], row, set.peer and 1 or 0, work, list, n, stats), "tls")
  return t0[0], stats, list, n
end

-- Of a curve without noise a ratio to it is unknown, not infinite.
local function known(ratio) return math.abs(ratio) < math.huge and ratio or NAN end

local function add_transits(out, list, n, level)
  out.transit_times, out.transit_depths, out.transit_depths_uncertainties = {}, {}, {}
  out.per_transit_count, out.snr_per_transit, out.snr_pink_per_transit = {}, {}, {}
  for k = 0, n - 1 do
    local transit = list[k]
    out.transit_times[k + 1], out.transit_depths[k + 1] = transit.time, level(transit.depth)
    out.transit_depths_uncertainties[k + 1], out.per_transit_count[k + 1] = transit.depth_err, tonumber(transit.n)
    out.snr_per_transit[k + 1], out.snr_pink_per_transit[k + 1] = known(transit.snr), known(transit.snr_pink)
  end
end

local function add_stats(out, stats, level)
  out.duration, out.snr = stats.duration, known(stats.snr)
  out.depth_mean, out.depth_mean_err = level(stats.depth_mean), stats.depth_mean_err
  out.depth_mean_odd, out.depth_mean_odd_err = level(stats.depth_odd), stats.depth_odd_err
  out.depth_mean_even, out.depth_mean_even_err = level(stats.depth_even), stats.depth_even_err
  out.odd_even_mismatch, out.noise, out.noise_pink = known(stats.odd_even_mismatch), stats.noise, stats.noise_pink
  out.transit_count, out.distinct_transit_count = tonumber(stats.n_transits), tonumber(stats.n_distinct)
  out.empty_transit_count = out.transit_count - out.distinct_transit_count
  out.in_transit_count = tonumber(stats.n_inside)
  out.before_transit_count, out.after_transit_count = tonumber(stats.n_before), tonumber(stats.n_after)
end

local NUMBERS = { "period_uncertainty", "depth", "depth_mean", "depth_mean_err", "duration", "t0", "snr", "depth_snr", "rp_rs",
  "odd_even_mismatch", "fap", "power" }

local function nothing(self, out, raw)
  for _, name in ipairs(NUMBERS) do out[name] = NAN end
  out.period, out.why, out.transit_count, out.distinct_transit_count = NAN, why_not(self), 0, 0
  out.sde, out.sde_raw, out.chi2_min, out.transit_times = 0, 0, raw.chi2_min, {}
  if self.set.peer then out.t0, out.depth = 0, 1 end
  return out
end

-- The peer takes the duration of the least chi2, whatever the period; ours is that of the period.
local function row_of(self, raw)
  local best, least = self.trials[raw.index], self.trials[raw.index_chi2]
  if self.set.peer then return least.row, best.depth, tonumber(raw.index) end
  if best.start >= 0 then return best.row, best.depth, tonumber(raw.index) end
  return least.row, least.depth, tonumber(raw.index_chi2)
end

--- The strongest trial. `found` is false and `why` tells the reason, if there is none; then numbers are NaN.
---@return table period, period_uncertainty, sde, sde_raw, fap, depth, duration, t0, snr, rp_rs, odd_even_mismatch, transit_times, ...
function results:best()
  local spectrum = self:spectrum()
  local raw, peer = spectrum.raw, self.set.peer
  local out = { found = spectrum.found, n_periods = self.n_periods, n_points = self.n_points, n_points_used = self.n_points,
                period_first = self.periods[0], period_last = self.periods[self.n_periods - 1],
                template_model = peer and "peer" or "exact" }
  if not spectrum.found then return nothing(self, out, raw) end
  local row, depth, index = row_of(self, raw)
  out.index, out.index_chi2_min = index, tonumber(raw.index_chi2)
  out.period, out.period_uncertainty = self.periods[index], raw.uncertainty
  out.sde, out.sde_raw, out.power, out.fap = raw.sde, raw.sde_raw, raw.sde, lib.eas_tls_fap(raw.sde)
  out.chi2_min, out.chi2red_min = raw.chi2_min, raw.chi2_min / (self.n_points - 4)

  local function level(x) return peer and 1 - x or x end
  local t0, stats, list, n = measure(self, out.period, row, depth)
  out.t0, out.depth, out.phase_ties = t0, level(depth), self.phase_ties
  out.rp_rs = math.sqrt(math.max(depth, 0) * (1 - self.u1 / 3 - self.u2 / 6))
  add_stats(out, stats, level)
  add_transits(out, list, n, level)
  out.depth_snr = out.snr
  if out.empty_transit_count >= 0.33 * out.transit_count then
    self.warnings[#self.warnings + 1] = ("%d of %d transits without data: the true period may be double")
      :format(out.empty_transit_count, out.transit_count)
  end
  return out
end

--- All trials as columns: period, chi2, sr, power_raw, power, depth, duration.
---@return table n, columns and an array of each
function results:periodogram()
  local n, spectrum = self.n_periods, self:spectrum()
  local out = { n = n, columns = { "period", "chi2", "sr", "power_raw", "power", "depth", "duration" }, period = self.periods,
                chi2 = native.array(n), sr = spectrum.sr, power_raw = spectrum.power_raw, power = spectrum.power,
                depth = native.array(n), duration = native.array(n) }
  local row = ffi.new "eas_tls_row"
  for i = 0, n - 1 do
    local trial = self.trials[i]
    out.chi2[i], out.depth[i], out.duration[i] = trial.chi2, self.set.peer and 1 - trial.depth or trial.depth, NAN
    if trial.start >= 0 and lib.eas_tls_row_of(self.job, trial.row, row) == 0 then out.duration[i] = row.duration * self.periods[i] end
  end
  return out
end

return results
