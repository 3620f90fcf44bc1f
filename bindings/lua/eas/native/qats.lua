--- qats: search for transits whose intervals may vary, on an even raster.
--
--   local search = qats.new(lc, set)
--   for done, total in search:run(threads) do ... end
--   local best = search:best()
--
-- Settings, days: duration_min, duration_max, duration_count (0.05, 0.2, 16), period_min (4), period_max (half of the
-- light curve: duration / min_transit_count), max_ttv_mag (0.0005: relative, of an interval), periodic (also strictly
-- periodic trains), clip (5: what is so many sigma above the median is set to it), path "fast", "exact", "reference";
-- compat "peer": the raster, rounding and repeated last value of the prototype; spans and widths are the same in both.

local ffi = require "ffi"
local fixed_step = require "eas.native.fixed_step"
local native = require "eas.native"
local lib = native.load "qats"

local qats = {}
local PATH = { fast = 0, exact = 1, reference = 2 }
local WINDOW = 91 -- spans of the running median under the spectrum
local NAN = 0 / 0

local function median_of(list)
  table.sort(list)
  local n = #list
  return n % 2 == 1 and list[(n + 1) / 2] or 0.5 * (list[n / 2] + list[n / 2 + 1])
end

-- The prototype's sequence: in units of the standard deviation, six decimals, the last value twice.
local function peer_sequence(raster)
  local n, median, sigma = raster.n, raster.flux:median(), raster.flux:std()
  local y = native.array(n + 1)
  for i = 0, n - 1 do y[i] = tonumber(("%.6f"):format((raster.flux[i] - median) / sigma)) or 0 end
  if n > 0 then y[n] = y[n - 1] end
  return y, sigma
end

-- Ours: in robust units, 0 where no sample is, outliers above set to 0.
local function sequence(raster, clip)
  local n, kept, off = raster.n, {}, {}
  for i = 0, n - 1 do if raster.present[i] == 1 then kept[#kept + 1] = raster.flux[i] end end
  local median = median_of(kept)
  for i, v in ipairs(kept) do off[i] = math.abs(v - median) end
  local sigma = 1.4826 * median_of(off)
  if not (sigma > 0) then sigma = raster.flux:std() end
  local y, clipped = native.array(n), 0
  for i = 0, n - 1 do
    local x = raster.present[i] == 1 and (raster.flux[i] - median) / sigma or 0
    if x > clip then x, clipped = 0, clipped + 1 end
    y[i] = x
  end
  return y, sigma, clipped
end

-- Widths in cadences, truncated; a repeated one only where the prototype tries it again.
local function widths_of(set, step, peer)
  local lo, hi, n = set.duration_min or 0.05, set.duration_max or 0.2, set.duration_count or 16
  local list, real, seen = {}, {}, {}
  for i = 0, n - 1 do
    local exact = (n > 1 and lo + i * ((hi - lo) / (n - 1)) or lo) / step
    local q = math.floor(exact)
    if q >= 1 and (peer or not seen[q]) then
      list[#list + 1], real[#real + 1], seen[q] = q, exact, true
    end
  end
  return list, real
end

-- Spans of intervals {min, max} in cadences; and how many there were before rounding made some equal.
local function spans_of(set, step, longest)
  local ratio, lo = 1 + set.max_ttv_mag / 2, set.period_min
  local count = math.floor(math.log(longest / lo) / math.log(ratio))
  if not (count >= 1 and count <= 1e7) then return {}, 0 end
  local n = tonumber(lib.eas_qats_grid(lo / step, ratio, count, nil, nil))
  local a, b, list = ffi.new("uint32_t[?]", n), ffi.new("uint32_t[?]", n), {}
  lib.eas_qats_grid(lo / step, ratio, count, a, b)
  for i = 0, n - 1 do
    if set.periodic then list[#list + 1] = { a[i], a[i] } end
    list[#list + 1] = { a[i], b[i] }
  end
  return list, count
end

-- The job, and the array of its results, which the caller keeps.
local function job_of(self, trials, n, path)
  local job, out = ffi.new "eas_qats_job", ffi.new("eas_qats_peak[?]", math.max(n, 1))
  job.n, job.y, job.n_width, job.width = self.y.n, self.y.data, #self.widths, self.width
  job.n_trial, job.trial, job.out, job.path = n, trials, out, path
  return job, out
end

---@class eas.qats
---@field n_periods integer trials: widths times spans
local search = {}
search.__index = search

local function trial_table(self)
  local n = #self.widths * #self.spans
  local trials, k = ffi.new("eas_qats_trial[?]", math.max(n, 1)), 0
  for i, q in ipairs(self.widths) do
    for _, span in ipairs(self.spans) do
      if span[1] < q then
        error(("qats: intervals of %d cadences are shorter than a transit of %d: raise period_min"):format(span[1], q), 3)
      end
      trials[k].width, trials[k].step_min, trials[k].step_max = i - 1, span[1], span[2]
      k = k + 1
    end
  end
  return trials, n
end

--- A search of lc; nothing is computed yet.
---@param lc table light curve; flagged and non-finite samples are left out
---@param set table|nil settings, see above
---@return eas.qats
function qats.new(lc, set)
  set = setmetatable({}, { __index = set or {} })
  set.max_ttv_mag, set.period_min = set.max_ttv_mag or 0.0005, set.period_min or 4
  local peer, path = set.compat == "peer", PATH[set.path or "fast"]
  if not path then error(("qats: unknown path '%s'"):format(tostring(set.path)), 2) end
  local raster = fixed_step.raster(lc, { compat = peer })
  local self = setmetatable({ raster = raster, peer = peer, step = raster.step, n_points = raster.n - raster.filled }, search)
  if raster.n < 3 then error("qats: the light curve has fewer than 3 cadences", 2) end
  if peer then
    self.y, self.sigma = peer_sequence(raster)
  else
    self.y, self.sigma, self.clipped = sequence(raster, set.clip or 5)
  end
  if not (self.sigma > 0) then error("qats: the flux is constant: there is nothing to search", 2) end
  local span = lc.time[tonumber(lc.n) - 1] - lc.time[0]
  self.widths, self.real_widths = widths_of(set, raster.step, peer)
  self.spans, self.n_spans = spans_of(set, raster.step, set.period_max or span / (set.min_transit_count or 2))
  self.width = ffi.new("uint32_t[?]", math.max(#self.widths, 1), self.widths)
  self.trials, self.n_periods = trial_table(self)
  if self.n_periods == 0 then error("qats: no trial: the light curve is too short for these limits", 2) end
  self.job, self.peaks = job_of(self, self.trials, self.n_periods, path)
  native.check(lib.eas_qats_check(self.job), "qats", nil, 2)
  if path == PATH.fast then
    self.plan = native.aligned(lib.eas_qats_plan_size(self.job))
    self.job.plan = self.plan
    native.check(lib.eas_qats_prepare(self.job), "qats")
  end
  return self
end

--- Iterates over (done, total) while the search runs.
---@param threads integer|nil 1
function search:run(threads)
  return native.run(lib, "eas_qats_run", self.job, self.n_periods, lib.eas_qats_work_size(self.job), threads or 1, self)
end

-- Trials that may be the best one within what single precision leaves open, again in double precision: index of the
-- first of the best.
local function best_trial(self)
  local most, picked = 0, {}
  for i = 0, self.n_periods - 1 do most = math.max(most, self.peaks[i].s) end
  if most == 0 then return nil end
  for i = 0, self.n_periods - 1 do
    local peak = self.peaks[i]
    if peak.s >= most * (1 - 2.5e-7 * (peak.transits + 8)) then picked[#picked + 1] = i end
  end
  local trials = ffi.new("eas_qats_trial[?]", #picked)
  for k, i in ipairs(picked) do trials[k - 1] = self.trials[i] end
  local job, out = job_of(self, trials, #picked, self.job.path == PATH.reference and PATH.reference or PATH.exact)
  native.whole(lib, "eas_qats_run", job, #picked, lib.eas_qats_work_size(job), { self, trials, out })
  local best = 1
  for k = 2, #picked do if out[k - 1].s > out[best - 1].s then best = k end end
  return picked[best]
end

-- Starts of the boxes of a trial's best train, in cadences; and its score.
local function train_of(self, trial)
  local most = tonumber(self.y.n)
  local starts, peak = ffi.new("uint32_t[?]", most), ffi.new "eas_qats_peak[1]"
  local work = native.aligned(lib.eas_qats_train_work_size(self.job, trial))
  native.check(lib.eas_qats_train(self.job, trial, peak, starts, most, work), "qats")
  local list = {}
  for m = 1, peak[0].transits do list[m] = starts[m - 1] end
  return list, peak[0].s
end

--- The spectrum over spans: the best S of all widths, its running median taken off, over the scatter of what is left.
---@return table n, period, s, sde (arrays)
function search:spectrum()
  local n, n_width = #self.spans, #self.widths
  local out = { n = n, period = native.array(n), s = native.array(n), sde = native.array(n) }
  for k = 0, n - 1 do
    local span = self.spans[k + 1]
    out.period[k] = 0.5 * (span[1] + span[2]) * self.step
    for i = 0, n_width - 1 do out.s[k] = math.max(out.s[k], self.peaks[i * n + k].s) end
  end
  local half, sum, sum2 = (WINDOW - 1) / 2, 0, 0
  for k = 0, n - 1 do
    local near = {}
    for j = math.max(0, k - half), math.min(n - 1, k + half) do near[#near + 1] = out.s[j] end
    out.sde[k] = out.s[k] - median_of(near)
    sum, sum2 = sum + out.sde[k], sum2 + out.sde[k] ^ 2
  end
  local sigma = math.sqrt(math.max(0, sum2 / n - (sum / n) ^ 2))
  for k = 0, n - 1 do out.sde[k] = sigma > 0 and out.sde[k] / sigma or NAN end
  return out
end

-- Line through mid-times t0 + k period: period, t0, and what each time is off it.
local function ephemeris(times)
  local n, sk, st, skk, skt = #times, 0, 0, 0, 0
  for i, t in ipairs(times) do
    local k, x = i - 1, t - times[1]
    sk, st, skk, skt = sk + k, st + x, skk + k * k, skt + k * x
  end
  local slope = (skt - sk * st / n) / (skk - sk * sk / n)
  local t0, off = times[1] + (st - slope * sk) / n, {}
  for i, t in ipairs(times) do off[i] = t - (t0 + (i - 1) * slope) end
  return t0, off
end

local function events_of(self, out, starts, q)
  local y, depths, snrs, sum = self.y, {}, {}, 0
  for m, n in ipairs(starts) do
    local dip = 0
    for j = n, n + q - 1 do dip = dip - y[j] end
    depths[m], snrs[m], sum = dip / q * self.sigma, dip / math.sqrt(q), sum + dip
  end
  out.depth = sum / (#starts * q) * self.sigma
  out.depth_snr = sum / math.sqrt(#starts * q)
  out.transit_depths, out.transit_snrs = depths, snrs
end

--- The best train. `found` is false where no train of two boxes or more has a positive score.
---@return table period, t0, duration, depth, s_best, m_best, sde, delta_min, delta_max, q, indices, transit_times, ttv, ...
function search:best()
  local raster, index = self.raster, best_trial(self)
  local out = { found = false, n_periods = self.n_periods, n_points = self.n_points, grid_points = self.n_periods,
                delta_spans = self.n_spans, n_fixed_step = raster.n, n_filled = raster.filled, time_step = self.step,
                offset_most = raster.offset_most, n_clipped = self.clipped, period = NAN, s_best = 0, m_best = 0,
                power = 0, sde = NAN, period_first = self.spans[1][1] * self.step,
                period_last = self.spans[#self.spans][2] * self.step }
  if self.peer then
    out.n_filled_with_one = 0
    for i = 0, raster.n - 1 do if raster.flux[i] == 1 then out.n_filled_with_one = out.n_filled_with_one + 1 end end
  end
  if not index then return out end
  local trial = self.trials[index]
  local starts, s = train_of(self, index)
  local q, n_transits, half = self.widths[trial.width + 1], #starts, self.peer and 0 or 0.5 * self.step
  local times = {}
  for m, n in ipairs(starts) do times[m] = raster.start + n * self.step + (self.peer and 0 or (q - 1) * half) end
  out.s_best, out.power, out.m_best, out.transit_count, out.period_span = s, s, n_transits, n_transits, n_transits - 1
  out.q, out.delta_min, out.delta_max, out.duration = q, trial.step_min, trial.step_max, q * self.step
  out.transit_length_float = self.real_widths[trial.width + 1]
  out.indices, out.transit_times, out.first_transit, out.last_transit = starts, times, times[1], times[n_transits]
  out.sde = self:spectrum().sde[index % #self.spans]
  events_of(self, out, starts, q)
  out.t0, out.found = times[1], n_transits > 1
  if n_transits < 2 then return out end
  out.period = (times[n_transits] - times[1]) / (n_transits - 1)
  out.t0, out.ttv = ephemeris(times)
  out.t0 = raster.start + (out.t0 - raster.start) % out.period
  return out
end

--- The light curve with its time stretched so that the train's transits are strictly periodic: what folds well.
---@param lc eas.lightcurve
---@param best table of search:best()
---@return eas.lightcurve
function qats.straighten(lc, best)
  local times, new, k = best.transit_times, lc:copy(), 1
  if not (times and #times > 1) then return new end
  for i = 0, lc.n - 1 do
    local t = lc.time[i]
    while k < #times - 1 and t > times[k + 1] do k = k + 1 end
    local share = (t - times[k]) / (times[k + 1] - times[k])
    new.time[i] = best.t0 + (k - 1 + share) * best.period
  end
  return new
end

--- All trials as columns: delta_min, delta_max, q (cadences), s_best, m_best.
---@return table n, columns and an array of each
function search:periodogram()
  local n, out = self.n_periods, { columns = { "period", "delta_min", "delta_max", "q", "s_best", "m_best" } }
  out.n = n
  for _, name in ipairs(out.columns) do out[name] = native.array(n) end
  for i = 0, n - 1 do
    local trial, peak = self.trials[i], self.peaks[i]
    out.period[i] = 0.5 * (trial.step_min + trial.step_max) * self.step
    out.delta_min[i], out.delta_max[i] = trial.step_min, trial.step_max
    out.q[i], out.s_best[i], out.m_best[i] = self.widths[trial.width + 1], peak.s, peak.transits
  end
  return out
end

return qats
