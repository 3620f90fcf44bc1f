--- dst: transit search by shape and consistency, "dst-like": made after what is published of DST, not DST itself.
--
--   local search = dst.new(lc, set)
--   for done, total in search:run(threads) do ... end
--   local best = search:best()
--
-- Settings, days: period_min (0.6), period_max (half of the light curve), duration_min, duration_max (1 h, 16 h),
-- duration_step (1.15), alpha (0.35: how round a transit is), baseline (true), shift (durations that an event may be off
-- its time: 0), events_min (3), star_radius, star_mass (1, of the Sun), oversampling (3).

local ffi = require "ffi"
local detrend = require "eas.native.detrend"
local fixed_step = require "eas.native.fixed_step"
local native = require "eas.native"
local samples = require "eas.native.samples"
local spectrum = require "eas.native.spectrum"
local lib = native.load "dst"

local dst = {}
local NAN = 0 / 0
local FIELDS = { "f", "z", "depth", "duration", "t0", "consistency", "share", "n_events" }

-- Shortest and longest transit over that of a central one: stars of 10 and 0.1 densities of the Sun, planets off the centre.
local RATIO_MIN, RATIO_MAX = 0.3, 2.2

--- Durations in equal steps of their logarithm.
---@param set table settings, see above
---@param interval number|nil day, of the samples: no duration is shorter than a few of them
---@return eas.array
function dst.durations(set, interval)
  local list, d = {}, math.max(set.duration_min or 1 / 24, 2 * interval)
  local last, step = set.duration_max or 16 / 24, set.duration_step or 1.15
  if not (step > 1.001) then error("dst: duration_step must be > 1.001", 3) end
  while d <= last * (1 + 1e-9) and #list < 100 do
    list[#list + 1] = d
    d = d * step
  end
  return samples.array(list)
end

---@class eas.dst
---@field n_periods integer
local search = {}
search.__index = search

local function job_of(self, periods)
  local n = tonumber(periods.n)
  local job, out, s, set = ffi.new "eas_dst_job", ffi.new("eas_dst_peak[?]", math.max(n, 1)), self.samples, self.set
  job.n, job.time, job.flux, job.sigma, job.interval = s.n, s.time.data, s.flux.data, self.sigma, self.interval
  if self.ivar then job.ivar = self.ivar.data end
  job.flux_zero, job.n_period, job.period, job.out = s.flux:median(), n, periods.data, out
  job.set.duration, job.set.n_duration = self.durations.data, self.durations.n
  job.set.alpha, job.set.baseline, job.set.shift = set.alpha or 0.35, set.baseline == false and 0 or 1, set.shift or 0
  job.set.events_min, job.set.transit_scale = set.events_min or 3, self.transit_scale
  job.set.ratio_min, job.set.ratio_max = RATIO_MIN, RATIO_MAX
  if self.plan then job.plan = self.plan end
  return job, out
end

local function ivar_of(s)
  if not s.flux_err then return nil end
  local ivar = native.array(s.n)
  for i = 0, s.n - 1 do ivar[i] = 1 / s.flux_err[i] ^ 2 end
  return ivar
end

--- A search of lc, whose flux is 1 out of transit; nothing is computed yet.
---@param lc table light curve; flagged and non-finite samples are left out
---@param set table|nil settings, see above
---@return eas.dst
function dst.new(lc, set)
  set = set or {}
  local s = samples.of(lc)
  local self = setmetatable({ samples = s, set = set, n_points = s.n, ivar = ivar_of(s) }, search)
  if s.n < 5 then error(("dst: %d usable samples; a search needs 5"):format(s.n), 2) end
  local report = fixed_step.verify { n = s.n, time = s.time, flux = s.flux }
  self.interval, self.sigma = report.sampling_interval, report.noise
  if not (self.interval > 0) then error("dst: the samples have no sampling interval", 2) end
  if not (self.sigma > 0) then self.sigma = s.flux:std() end
  if not (self.sigma > 0) then error("dst: the flux is constant: there is nothing to search", 2) end
  self.span = s.time[s.n - 1] - s.time[0]
  self.transit_scale = detrend.longest_transit(1, { radius = (set.star_radius or 1) - 2 * 71492e3 / 695500e3, mass = set.star_mass })
  self.durations = dst.durations(set, self.interval)
  self.periods = spectrum.ofir_grid(self.span, { period_min = set.period_min or 0.6, period_max = set.period_max or self.span / 2,
    star_radius = set.star_radius, star_mass = set.star_mass, oversampling = set.oversampling or 3 })
  self.n_periods = tonumber(self.periods.n)
  if self.n_periods == 0 then error("dst: no trial period: the light curve is too short for these limits", 2) end
  if tonumber(self.durations.n) == 0 then error("dst: no duration: the samples are too far apart for these limits", 2) end
  self.job, self.peaks = job_of(self, self.periods)
  native.check(lib.eas_dst_check(self.job), "dst", nil, 2)
  self.plan = native.aligned(lib.eas_dst_plan_size(self.job))
  self.job.plan = self.plan
  native.check(lib.eas_dst_prepare(self.job), "dst")
  return self
end

--- Iterates over (done, total) while the search runs: first the maps of single events, then the periods.
---@param threads integer|nil 1
function search:run(threads)
  local n_maps, mapped = tonumber(self.durations.n), false
  local total = self.n_periods + n_maps
  local step = native.run(lib, "eas_dst_map", self.job, n_maps, 64, threads or 1, self)
  return function()
    local done = step()
    if done and not mapped then return done, total end
    if not mapped then
      mapped = true
      step = native.run(lib, "eas_dst_run", self.job, self.n_periods, lib.eas_dst_work_size(self.job), threads or 1, self)
      done = step()
    end
    if done then return n_maps + done, total end
  end
end

-- The same trains between the neighbours of a trial period, ten to a side.
local function refine(self, index)
  local lo = self.periods[math.max(0, index - 1)]
  local hi = self.periods[math.min(self.n_periods - 1, index + 1)]
  local list = {}
  for k = 0, 20 do list[k + 1] = lo + (hi - lo) * k / 20 end
  list[#list + 1] = self.periods[index]
  local periods = samples.array(list)
  local job, out = job_of(self, periods)
  native.whole(lib, "eas_dst_run", job, #list, lib.eas_dst_work_size(job), { self, periods, out })
  local best = #list - 1
  for k = 0, #list - 2 do if out[k].f > out[best].f then best = k end end
  return periods[best], ffi.new("eas_dst_peak", out[best])
end

-- Weighted mean depth of every second event.
local function mean_depth(events, parity)
  local sum, weight = 0, 0
  for k, e in ipairs(events) do
    if k % 2 == parity and e.snr == e.snr and e.depth ~= 0 then
      local w = (e.snr / e.depth) ^ 2
      sum, weight = sum + w * e.depth, weight + w
    end
  end
  return sum / weight
end

--- Events of a train: a list of { time, depth, snr }, NaN where there are too few samples.
---@param period number day
---@param t0 number day, a mid-time of the train
---@param duration number day
---@return table[]
function search:events(period, t0, duration)
  local most = math.min(1e6, math.ceil(self.span / period) + 2)
  local raw = ffi.new("eas_dst_event[?]", most)
  local n, list = tonumber(lib.eas_dst_events(self.job, period, t0, duration, raw, most)), {}
  for k = 0, math.min(n, most) - 1 do list[k + 1] = { time = raw[k].time, depth = raw[k].depth, snr = raw[k].snr } end
  return list
end

-- Line through the times of events with data: a moved train fixes its period less than its events do.
local function ephemeris(events, period, t0)
  local n, sk, st, skk, skt = 0, 0, 0, 0, 0
  for i, e in ipairs(events) do
    if e.snr == e.snr then
      local k, x = i - 1, e.time - t0
      n, sk, st, skk, skt = n + 1, sk + k, st + x, skk + k * k, skt + k * x
    end
  end
  local spread = skk - sk * sk / n
  if not (spread > 0) then return period, t0 end
  local slope = (skt - sk * st / n) / spread
  return slope, t0 + (st - slope * sk) / n
end

--- The best train. `found` is false, and every number NaN, if none fits.
---@return table period, t0, duration, depth, f, z, sde, consistency, share, n_events, transit_times, ...
function search:best()
  local power = native.array(self.n_periods)
  for i = 0, self.n_periods - 1 do power[i] = self.peaks[i].f end
  local index, sde = spectrum.peak(power)
  local out = { detector = "dst-like", found = index ~= nil, n_periods = self.n_periods, n_points = self.n_points,
                period = NAN, sde = NAN, period_first = self.periods[0], period_last = self.periods[self.n_periods - 1] }
  for _, name in ipairs(FIELDS) do out[name] = NAN end
  if not index then return out end
  local period, peak = refine(self, index)
  out.period, out.sde, out.index, out.shifted = period, sde, index, peak.shifted == 1
  for _, name in ipairs(FIELDS) do out[name] = peak[name] end
  local events = self:events(period, peak.t0, peak.duration)
  if out.shifted then period, out.t0 = ephemeris(events, period, peak.t0) end
  out.period = period
  out.depth_odd, out.depth_even = mean_depth(events, 1), mean_depth(events, 0)
  out.power, out.depth_snr, out.transit_count, out.one_event = peak.f, peak.z, peak.n_events, peak.share > 0.6
  out.transit_times, out.transit_depths, out.ttv = {}, {}, {}
  for k, e in ipairs(events) do
    out.transit_times[k], out.transit_depths[k] = e.time, e.depth
    out.ttv[k] = e.time - (out.t0 + (k - 1) * period)
  end
  return out
end

--- All trials as columns.
---@return table n, columns and an array of each
function search:periodogram()
  local names = { "period", "f", "z", "depth", "duration", "t0", "consistency", "share", "n_events" }
  local out = { n = self.n_periods, columns = names, period = self.periods }
  for k = 2, #names do
    local column = native.array(self.n_periods)
    for i = 0, self.n_periods - 1 do column[i] = self.peaks[i][names[k]] end
    out[names[k]] = column
  end
  return out
end

return dst
