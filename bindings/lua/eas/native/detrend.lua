--- detrend: the slow trend of a light curve, and the light curve without it.
--
--   local work = detrend.new(lc, { method = "biweight", window = 1 })
--   for done, total in work:run(threads) do ... end
--   local flat, trend = work:flat(), work:trend_array()
--
-- Settings, days: method "biweight", "median", "savgol", "cosine", "lowess"; window (default: three times the longest
-- transit, see detrend.window); break_tolerance (half of the window; 0: none); edge_cutoff (0); cval (5); transits, a list
-- of { period =, t0 =, duration = } or { times =, duration = } that no window sees; mask_width (1.5 durations); compat
-- "peer": the windows of the wotan program.

local ffi = require "ffi"
local native = require "eas.native"
local lib = native.load "detrend"

local detrend = {}
local METHOD = { biweight = 0, median = 1, savgol = 2, cosine = 3, lowess = 4 }
local BAD = 1
local G_SUN, SUN, JUPITER, DAY = 1.32712440018e20, 695500e3, 71492e3, 86400 -- m^3/s^2, m, m, s

local function finite(x) return type(x) == "number" and x - x == 0 end

--- Longest transit (day) at a period: a central one of a planet of two radii of Jupiter.
---@param star table|nil radius and mass, of the Sun (1, 1)
---@param period number day
---@return number day
function detrend.longest_transit(period, star)
  star = star or {}
  local radius, mass = (star.radius or 1) * SUN + 2 * JUPITER, (star.mass or 1) * G_SUN
  return radius * (4 * period * DAY / (math.pi * mass)) ^ (1 / 3) / DAY
end

local function check_transit(planet)
  if not (finite(planet.duration) and planet.duration > 0) then error("transits: a duration must be > 0 d", 3) end
  if not planet.times and not (finite(planet.period) and planet.period > 0 and finite(planet.t0)) then
    error("transits: each needs period > 0 and t0, or times", 3)
  end
end

-- A window that holds hardly more than its own sample would take everything off.
local function check_window(time, window)
  local n = tonumber(time.n)
  local steps = native.array(math.max(n - 1, 0))
  for i = 0, n - 2 do steps[i] = time[i + 1] - time[i] end
  if n > 3 and window < 4 * steps:median() then
    error(("detrend: a window of %g d holds fewer than 4 samples"):format(window), 3)
  end
end

local function mark(time, n, centre, half, mask)
  for i = 0, n - 1 do
    if math.abs(time[i] - centre) <= half then mask[i] = 1 end
  end
end

--- Marks the samples within width / 2 durations of a mid-transit: uint8_t[n], 1 in transit.
---@param time eas.array day
---@param planets table[] { period, t0, duration } or { times, duration }
---@param width number durations
---@return ffi.cdata* marks
---@return integer marked how many
function detrend.in_transit(time, planets, width)
  local n = tonumber(time.n)
  local mask, marked = ffi.new("uint8_t[?]", math.max(n, 1)), 0
  for _, planet in ipairs(planets) do
    check_transit(planet)
    local half, period, t0 = 0.5 * width * planet.duration, planet.period, planet.t0
    for _, centre in ipairs(planet.times or {}) do mark(time, n, centre, half, mask) end
    for i = 0, planet.times and -1 or n - 1 do
      local off = (time[i] - t0 + 0.5 * period) % period - 0.5 * period
      if off >= -half and off <= half then mask[i] = 1 end
    end
  end
  for i = 0, n - 1 do marked = marked + mask[i] end
  return mask, marked
end

---@class eas.detrend
---@field window number day
local work = {}
work.__index = work

-- Samples with a time: rows of the light curve, their columns; masked where a window shall not look.
local function columns_of(lc, hidden)
  local n, rows, last = tonumber(lc.n), {}, -math.huge
  for i = 0, n - 1 do
    local t = lc.time[i]
    if finite(t) and t > last then rows[#rows + 1], last = i, t end
  end
  local time, flux, mask = native.array(#rows), native.array(#rows), ffi.new("uint8_t[?]", math.max(#rows, 1))
  for k, i in ipairs(rows) do
    local y = lc.flux[i]
    time[k - 1] = lc.time[i]
    flux[k - 1] = finite(y) and y or 0
    local bad = lc.flag and lc.flag[i] % 2 == BAD
    mask[k - 1] = (not finite(y) or bad or hidden[i] == 1) and 1 or 0
  end
  return rows, time, flux, mask
end

--- The trend of lc; nothing is computed yet.
---@param lc table light curve; flagged and non-finite samples get a trend, but have no part in it
---@param set table|nil settings, see above
---@return eas.detrend
function detrend.new(lc, set)
  set = set or {}
  local method = METHOD[set.method or "biweight"]
  if not method then error(("detrend: unknown method '%s'"):format(tostring(set.method)), 2) end
  local hidden = detrend.in_transit(lc.time, set.transits or {}, set.mask_width or 1.5)
  local rows, time, flux, mask = columns_of(lc, hidden)
  if #rows == 0 then error("detrend: no sample has a time", 2) end
  local self = setmetatable({ lc = lc, rows = rows, keep = { time, flux, mask }, hidden = hidden }, work)
  self.window = set.window or 3 * detrend.longest_transit((time[#rows - 1] - time[0]) / 2)
  self.out = native.array(#rows)
  check_window(time, self.window)
  local job = ffi.new "eas_detrend_job"
  job.n, job.time, job.flux, job.mask, job.trend = #rows, time.data, flux.data, mask, self.out.data
  job.set.method, job.set.compat, job.set.window = method, set.compat == "peer" and 1 or 0, self.window
  job.set.break_tolerance = set.break_tolerance or self.window / 2
  job.set.edge_cutoff, job.set.cval = set.edge_cutoff or 0, set.cval or 5
  native.check(lib.eas_detrend_check(job), "detrend", nil, 2)
  self.job, self.n_trials = job, tonumber(lib.eas_detrend_trials(job))
  return self
end

--- Running median of `window` (odd) items, fewer towards the ends.
---@param values eas.array finite
---@param window integer
---@param threads integer|nil 1
---@return eas.array
function detrend.running_median(values, window, threads)
  local n = tonumber(values.n)
  local out, place, job = native.array(n), native.array(n), ffi.new "eas_detrend_job"
  if n == 0 then return out end
  for i = 0, n - 1 do place[i] = i end
  job.n, job.time, job.flux, job.trend = n, place.data, values.data, out.data
  job.set.method, job.set.window, job.set.cval = METHOD.median, window, 5
  native.check(lib.eas_detrend_check(job), "detrend", nil, 2)
  local size = lib.eas_detrend_work_size(job)
  for _ in native.run(lib, "eas_detrend_run", job, n, size, threads or 1, { place, values, out }) do end -- luacheck: ignore
  return out
end

--- Iterates over (done, total) while the trend is computed.
---@param threads integer|nil 1
function work:run(threads)
  return native.run(lib, "eas_detrend_run", self.job, self.n_trials, lib.eas_detrend_work_size(self.job), threads or 1, self)
end

--- The trend as an array over the light curve's samples.
---@return eas.array
function work:trend_array()
  local trend = native.array(tonumber(self.lc.n))
  for i = 0, tonumber(self.lc.n) - 1 do trend[i] = 0 / 0 end
  for k, i in ipairs(self.rows) do trend[i] = self.out[k - 1] end
  return trend
end

--- The light curve over its trend; flux and error are NaN where that is 0 or none. What is over `clip` robust sigmas above
--- 1 is flagged as an outlier (8), unless clip is 0.
---@param clip number|nil 0
---@return eas.lightcurve
---@return integer clipped how many samples
function work:flat(clip)
  local new, trend, clipped = self.lc:copy(), self:trend_array(), 0
  for i = 0, new.n - 1 do
    local m = trend[i] ~= 0 and trend[i] or 0 / 0
    new.flux[i], new.flux_err[i] = new.flux[i] / m, new.flux_err[i] / math.abs(m)
  end
  local limit = 1 + (clip or 0) * new:clean():noise()
  if (clip or 0) > 0 and finite(limit) then
    for i = 0, new.n - 1 do
      if new.flux[i] > limit and math.floor(new.flag[i] / 8) % 2 == 0 then new.flag[i], clipped = new.flag[i] + 8, clipped + 1 end
    end
  end
  return new, clipped
end

return detrend
