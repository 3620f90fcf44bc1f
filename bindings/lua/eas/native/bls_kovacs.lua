--- bls_kovacs: box-fitting least squares with phase bins, as its authors wrote it (eebls).
--
--   local search = bls_kovacs.new(lc, bls_kovacs.grid(lc, set), set)
--   for done, total in search:run(threads) do ... end
--   local best = search:best()
--
-- Settings: nb (200) bins of a period, qmin (0.005), qmax (0.1) fractions of the period in a box, period_min (0.5),
-- period_max (half of the light curve), days; sign "dips" or "both"; compat "peer": the Python prototype's,
-- nb 10, qmin 0.05, qmax 0.2, sign "both", which blurs most planets.

local ffi = require "ffi"
local native = require "eas.native"
local samples = require "eas.native.samples"
local lib = native.load "bls_kovacs"

local bls_kovacs = {}

local SIGN = { both = 0, dips = 1 }
local PATH = { fast = 0, reference = 1, fold = 2, edges = 3, steps = 4 }
local PATH_NAME = { [1] = "reference", [2] = "fold", [3] = "edges", [4] = "steps" }
local PLAIN = { nb = 200, qmin = 0.005, qmax = 0.1, sign = "dips", oversample = 4 }
local PEER = { nb = 10, qmin = 0.05, qmax = 0.2, sign = "both" }

-- What set gives, else the default of its conventions.
local function value(set, name)
  if set[name] ~= nil then return set[name] end
  return (set.compat == "peer" and PEER or PLAIN)[name]
end

local function span_of(s) return s.n > 1 and s.time[s.n - 1] - s.time[0] or 0 end

--- Trial frequencies, 1/day, from 1 / period_max up. Steps of qmin / (oversample span): the narrowest box smears by a
--- quarter of itself; the peer's are 2 qmin / lc_duration^2. Empty if there is none.
---@param lc table light curve
---@param set table|nil settings, see above
---@return eas.array
function bls_kovacs.grid(lc, set)
  local span = span_of(samples.of(lc))
  local first, last = 1 / (set.period_max or span / 2), 1 / (set.period_min or 0.5)
  local step = value(set, "qmin") / ((set.oversample or PLAIN.oversample) * span)
  if set.compat == "peer" then step = 2 * value(set, "qmin") / (set.lc_duration or span) ^ 2 end
  local n = math.floor((last - first) / step)
  local out = native.array(n >= 1 and n < 1e9 and n or 0)
  if #out > 0 then lib.eas_bls_kovacs_grid(first, step, 0, #out, out.data) end
  return out
end

---@class eas.bls_kovacs
---@field n_points integer samples searched
---@field n_periods integer
local search = {}
search.__index = search

-- What the kernel would refuse without saying which: an error at the caller of bls_kovacs.new.
local function check(self, set)
  local nb, low, high = value(set, "nb"), value(set, "qmin"), value(set, "qmax")
  local function refuse(format, ...) error("search_settings: " .. format:format(...), 3) end
  if self.n_points < 5 then error(("bls_kovacs: %d usable samples, at least 5 are needed"):format(self.n_points), 3) end
  if not (nb >= 2 and nb <= 100000 and nb % 1 == 0) then refuse("nb %g; a whole number, 2 .. 100000", nb) end
  if not (low > 0 and high >= low) then refuse("qmin %g, qmax %g; 0 < qmin <= qmax", low, high) end
  if not (math.floor(high * nb) + 2 <= nb) then refuse("qmax %g: boxes of %d bins do not fit into nb %d", high,
                                                       math.floor(high * nb) + 2, nb) end
  if self.n_periods == 0 then error("bls_kovacs: no trial period: the light curve is too short for these limits", 3) end
  local slowest = math.huge
  for i = 0, self.n_periods - 1 do slowest = math.min(slowest, self.frequencies[i]) end
  if not (slowest * self.span >= 1 - 1e-12) then
    refuse("period %g d is longer than the light curve, %g d", 1 / slowest, self.span)
  end
end

--- A search of lc over frequencies; nothing is computed yet.
---@param lc table light curve; flagged and non-finite samples are left out
---@param frequencies eas.array|number[] 1/day
---@param set table|nil settings, see above
---@return eas.bls_kovacs
function bls_kovacs.new(lc, frequencies, set)
  set = set or {}
  local s = samples.of(lc)
  frequencies = samples.array(frequencies)
  local self = setmetatable({ samples = s, frequencies = frequencies, n_points = s.n, span = span_of(s),
                              n_periods = tonumber(frequencies.n) }, search)
  check(self, set)
  local sign, path = SIGN[value(set, "sign")], PATH[set.path or "fast"]
  if not sign then error(("bls_kovacs: unknown sign '%s'"):format(tostring(set.sign)), 2) end
  if not path then error(("bls_kovacs: unknown path '%s'"):format(tostring(set.path)), 2) end

  local job = ffi.new "eas_bls_kovacs_job"
  self.peaks = ffi.new("eas_bls_kovacs_peak[?]", self.n_periods)
  job.n, job.n_frequency = s.n, self.n_periods
  job.time, job.flux, job.frequency, job.out = s.time.data, s.flux.data, frequencies.data, self.peaks
  job.flux_zero = s.flux:median()
  job.set.bins, job.set.fraction_min, job.set.fraction_max = value(set, "nb"), value(set, "qmin"), value(set, "qmax")
  job.set.sign, job.set.path = sign, path
  native.check(lib.eas_bls_kovacs_check(job), "bls_kovacs", nil, 2)
  self.job = job
  if path ~= PATH.reference then
    self.plan = native.aligned(lib.eas_bls_kovacs_plan_size(job))
    job.plan = self.plan
    native.check(lib.eas_bls_kovacs_prepare(job), "bls_kovacs")
  end
  self.path = PATH_NAME[lib.eas_bls_kovacs_path(job)]
  return self
end

--- Iterates over (done, total) while the search runs.
---@param threads integer|nil 1
function search:run(threads)
  return native.run(lib, "eas_bls_kovacs_run", self.job, self.n_periods, lib.eas_bls_kovacs_work_size(self.job),
    threads or 1, self)
end

-- Day; in the middle of the box, in the first period.
local function place(self, peak, period)
  local nb = self.job.set.bins
  local bins = (peak.last - peak.first) % nb + 1
  return bins / nb * period, self.samples.time[0] + ((peak.first - 1 + bins / 2) / nb % 1) * period
end

local NAN = 0 / 0

--- The strongest trial (the last of equal ones; index: the first). `found` is false, and numbers NaN, if no box has
--- enough samples anywhere.
---@return table period, power, depth, depth_err, depth_snr, qtran, in1, in2, duration, t0, sde, index, ...
function search:best()
  local spectrum = ffi.new "eas_bls_kovacs_spectrum"
  local found = lib.eas_bls_kovacs_spectrum_of(self.peaks, self.n_periods, spectrum) == 0
  local n, f = self.n_points, self.frequencies
  local out = { found = found, n_periods = self.n_periods, n_points = n, sde = spectrum.sde, period = NAN, power = NAN,
                depth = NAN, depth_err = NAN, depth_snr = NAN, qtran = NAN, duration = NAN, t0 = NAN, power_norm = NAN }
  local one, other = 1 / f[0], 1 / f[self.n_periods - 1]
  out.period_first, out.period_last = math.min(one, other), math.max(one, other)
  if not found then return out end
  local peak, flux = self.peaks[spectrum.last], self.samples.flux
  out.index, out.period = tonumber(spectrum.index), 1 / f[tonumber(spectrum.last)]
  out.power, out.depth, out.qtran, out.in1, out.in2 = peak.power, peak.depth, peak.fraction, peak.first, peak.last
  out.duration, out.t0 = place(self, peak, out.period)
  local noise, deviation = flux:std(), flux:copy()
  for i = 0, n - 1 do deviation[i] = math.abs(flux[i] - self.job.flux_zero) end
  out.depth_err = 1.4826 * deviation:median() / math.sqrt(n * peak.fraction * (1 - peak.fraction))
  out.depth_snr = out.depth_err > 0 and out.depth / out.depth_err or NAN -- of a curve without noise it is unknown
  out.power_norm = noise > 0 and (peak.power / noise) ^ 2 or NAN
  return out
end

--- All trials as columns: frequency, period, power, depth, duration, t0.
---@return table n, columns and an array of each
function search:periodogram()
  local n = self.n_periods
  local out = { n = n, columns = { "frequency", "period", "power", "depth", "duration", "t0" }, frequency = self.frequencies,
                period = native.array(n), power = native.array(n), depth = native.array(n), duration = native.array(n),
                t0 = native.array(n) }
  for i = 0, n - 1 do
    local peak = self.peaks[i]
    out.period[i], out.power[i], out.depth[i] = 1 / self.frequencies[i], peak.power, peak.depth
    if peak.last > 0 then out.duration[i], out.t0[i] = place(self, peak, out.period[i])
    else out.duration[i], out.t0[i] = NAN, NAN end
  end
  return out
end

return bls_kovacs
