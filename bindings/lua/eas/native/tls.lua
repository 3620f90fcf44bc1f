--- tls: transit least squares: a limb-darkened transit fitted at every trial period.
--
--   local search = tls.new(lc, set)
--   for done, total in search:run(threads) do ... end
--   local best = search:best()
--
-- Settings: tls.rows (tls_settings.lua); compat "peer": the conventions of transitleastsquares 1.0.31, without weights
-- unless asked for; periods: a list, instead of the grid; path "fast", "reference", "sort" or "uniform".

local ffi = require "ffi"
local native = require "eas.native"
local samples = require "eas.native.samples"
local results = require "eas.native.tls_results"
local settings = require "eas.native.tls_settings"
local lib = native.load "tls"

local tls = { rows = settings.rows }
local fail = settings.fail

local PATH = { fast = 0, reference = 1, sort = 2, uniform = 3 }
local PATH_NAME = { "reference", "sort", "uniform" }
local FEW_PERIODS = 100 -- the efficiency of a signal among fewer says nothing

-- 1 - flux of the template's transit; exact, or with the precision of the peer.
local function model_of(set)
  local n = lib.EAS_TLS_MODEL_SAMPLES
  local own, law, u1, u2 = settings.template(set)
  if set.peer then
    local out = native.array(n)
    lib.eas_tls_peer_model(own.period, own.radius_ratio, own.axis, own.inclination, u1, u2, out.data)
    return out, u1, u2
  end
  local made = require("eas.native.transit_model").light_curve {
    n = n, start = -0.5, step = 1 / (n - 1), period = own.period, radius_ratio = own.radius_ratio, axis = own.axis,
    inclination = own.inclination, law = law, limb_darkening = { u1, u2 },
  }
  return made.deficit, u1, u2
end

-- The samples searched: finite and positive; the peer also leaves out what is not after time 0, and divides by the mean.
local function samples_of(lc, set)
  local all = samples.of(lc)
  local mean = 1
  if set.peer then
    local sum = 0
    for i = 0, all.n - 1 do sum = sum + all.flux[i] end
    mean = sum / all.n
  end
  local n, dropped = 0, all.dropped
  all.below = 0 -- not above 0
  for i = 0, all.n - 1 do
    local t, y = all.time[i], all.flux[i] / mean
    if not (y > 0) then all.below = all.below + 1 end
    if y > 0 and (t > 0 or not set.peer) then
      all.time[n], all.flux[n] = t, y
      if all.flux_err then all.flux_err[n] = all.flux_err[i] end
      n = n + 1
    end
  end
  all.dropped, all.n = dropped + all.n - n, n
  return all
end

local function weights_of(s, set)
  local wanted = set.weights
  if wanted ~= "none" and wanted ~= "auto" and wanted ~= "errors" then fail("unknown weights '%s'", tostring(wanted)) end
  if wanted == "none" or wanted == "auto" and set.peer then return nil end
  if not s.flux_err then
    if wanted == "errors" then fail "weights 'errors', but not every sample has one" end
    return nil
  end
  local ivar, mean = native.array(s.n), 0
  for i = 0, s.n - 1 do mean = mean + s.flux_err[i] / s.n end
  for i = 0, s.n - 1 do ivar[i] = (set.peer and mean * mean or 1) / (s.flux_err[i] * s.flux_err[i]) end
  return ivar
end

--- Trial periods, ascending. With compat "peer" the peer's answer to limits that leave fewer than 100: the default grid.
---@param span number day, of the light curve
---@param given table|nil settings, see above
---@return eas.array
function tls.period_grid(span, given)
  local set = settings.of(given)
  local grid = ffi.new("eas_tls_grid_settings", { span, set.R_star, set.M_star, set.period_min, set.period_max,
                                                  set.oversampling_factor, set.n_transits_min })
  local n = tonumber(lib.eas_tls_grid(grid, nil))
  if set.peer and n < FEW_PERIODS and span > 0 then
    grid = ffi.new("eas_tls_grid_settings", { math.max(span, 5), 1, 1, 0, math.huge, 3, 2 })
    n = tonumber(lib.eas_tls_grid(grid, nil))
  end
  local out = native.array(n)
  lib.eas_tls_grid(grid, out.data)
  return out
end

local function durations_of(periods)
  local n, d = tonumber(periods.n), ffi.new("double[?]", lib.EAS_TLS_DURATIONS_MAX)
  local function of(step)
    local low, high = periods[0], periods[0]
    for i = 0, n - 1 do low, high = math.min(low, periods[i]), math.max(high, periods[i]) end
    local count = tonumber(lib.eas_tls_durations(low, high, step, d))
    local out = native.array(count)
    for k = 0, count - 1 do out[k] = d[k] end
    return out
  end
  return of
end

---@class eas.tls
---@field n_points integer samples searched
---@field n_periods integer
local search = setmetatable({}, { __index = results })
search.__index = search

local function check_samples(self)
  local s = self.samples
  local total = s.n + s.dropped
  if s.n < 3 then
    local why = s.below > 0 and (": %d samples are not above 0, where flux is relative to 1"):format(s.below) or ""
    fail("%d usable samples of %d, at least 3 are needed%s", s.n, total, why)
  end
  local low, high, sum = math.huge, -math.huge, 0
  for i = 0, s.n - 1 do
    local y = s.flux[i]
    low, high, sum = math.min(low, y), math.max(high, y), sum + y
  end
  if low == high then fail("the flux is constant: there is nothing to fit") end
  local mean = sum / s.n
  if not (mean > 0.5 and mean < 2) then
    fail("the mean flux is %g; the search needs flux relative to 1 outside of transits: divide it by its median", mean)
  end
  if math.abs(mean - 1) > 0.01 then
    self.warnings[#self.warnings + 1] = ("the mean flux is %.4g, off 1 by more than 0.01: a flat line at 1 fits badly"):format(mean)
  end
end

local function fill_job(self, set)
  local job, s = ffi.new "eas_tls_job", self.samples
  self.trials = ffi.new("eas_tls_trial[?]", self.n_periods)
  job.n, job.n_period, job.n_duration = s.n, self.n_periods, self.durations.n
  job.time, job.flux, job.period, job.out = s.time.data, s.flux.data, self.periods.data, self.trials
  job.duration, job.model = self.durations.data, self.model.data
  if self.ivar then job.ivar = self.ivar.data end
  local star = job.set.star
  star.r, star.m, star.r_min, star.r_max = set.R_star, set.M_star, set.R_star_min, set.R_star_max
  star.m_min, star.m_max = set.M_star_min, set.M_star_max
  job.set.depth_min, job.set.margin, job.set.peer = set.transit_depth_min, set.T0_fit_margin, set.peer and 1 or 0
  job.set.path = PATH[set.path or "fast"] or fail("unknown path '%s'", tostring(set.path))
  return job
end

--- A search of lc; nothing is computed yet.
---@param lc table light curve, 1 out of transit; flagged, non-finite and non-positive samples are left out
---@param given table|nil settings, see above; periods: an array or list of trial periods, instead of the grid
---@return eas.tls
function tls.new(lc, given)
  local set = settings.of(given)
  local self = setmetatable({ set = set, samples = samples_of(lc, set), warnings = {} }, search)
  local s = self.samples
  check_samples(self)
  self.span = s.time[s.n - 1] - s.time[0]
  self.periods = set.periods and samples.array(set.periods) or tls.period_grid(self.span, given)
  self.n_points, self.n_periods = s.n, tonumber(self.periods.n)
  if self.n_periods == 0 then
    fail("no trial period between %g d and %g d: %g d of data with %g transits allow up to %.4g d", set.period_min,
      set.period_max, self.span, set.n_transits_min, self.span / set.n_transits_min)
  end
  if self.n_periods < FEW_PERIODS then
    self.warnings[#self.warnings + 1] = ("only %d trial periods: the SDE among so few means little"):format(self.n_periods)
  end
  self.durations = durations_of(self.periods)(set.duration_grid_step)
  self.ivar = weights_of(s, set)
  self.model, self.u1, self.u2 = model_of(set)

  local job = fill_job(self, set)
  local code = lib.eas_tls_check(job)
  if code == native.codes.EGRID then fail("%d samples are too few: no transit covers one", s.n) end
  native.check(code, "tls", nil, 2)
  self.job = job
  self.plan = native.aligned(lib.eas_tls_plan_size(job))
  job.plan = self.plan
  native.check(lib.eas_tls_prepare(job), "tls")
  self.path = PATH_NAME[lib.eas_tls_path(job)]
  return self
end

--- Iterates over (done, total) while the search runs.
---@param threads integer|nil 1
function search:run(threads)
  return native.run(lib, "eas_tls_run", self.job, self.n_periods, lib.eas_tls_work_size(self.job), threads or 1, self)
end

return tls
