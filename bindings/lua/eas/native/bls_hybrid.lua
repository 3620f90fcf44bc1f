--- bls_hybrid: the exact answer of bls, computed only where fast folding says that it can be.
--
--   local search = bls_hybrid.new(lc, set)              -- settings as bls, with bls.period_grid's
--   for done, total in search:run(threads) do ... end
--   local best = search:best()                          -- as bls: the same trial, the same numbers
--
-- fbls searches all periods; every trial of bls's grid within a step of one whose power is over (1 - guard) of the best
-- exact power is evaluated exactly. That the best is among them is a matter of statistics, not of proof: docs/kernels.md
-- says what was found. The spectrum is that of the filter, so sde is an estimate and there is no periodogram of bls.

local ffi = require "ffi"
local native = require "eas.native"
local bls = require "eas.native.bls"
local fbls = require "eas.native.fbls"
local samples = require "eas.native.samples"

local bls_hybrid = {}
local GUARD = 0.5
local BINS = 5 -- least bins of the shortest duration

---@class eas.bls_hybrid
---@field n_periods integer
local search = {}
search.__index = search

--- A search of lc over bls's grid; nothing is computed yet.
---@param lc table light curve
---@param set table|nil settings of bls and bls.period_grid; guard
---@return eas.bls_hybrid
function bls_hybrid.new(lc, set)
  set = set or {}
  local grid = bls.grid(lc, set)
  local self = setmetatable({ lc = lc, set = set, grid = grid, n_periods = grid.n, guard = set.guard or GUARD }, search)
  self.filter = self:make_filter()
  return self
end

-- Durations that the filter tries: a seventh apart or more.
local function thinned(durations)
  local sorted, out = durations:table(), {}
  table.sort(sorted)
  for i, d in ipairs(sorted) do
    if i == 1 or i == #sorted or d > 1.15 * out[#out] then out[#out + 1] = d end
  end
  return out
end

function search:make_filter()
  local set, grid = self.set, self.grid
  if grid.n == 0 then error("bls: no trial period: the light curve is too short for these limits", 3) end
  local s = samples.of(self.lc)
  local steps = native.array(math.max(1, s.n - 1))
  for i = 0, s.n - 2 do steps[i] = s.time[i + 1] - s.time[i] end
  local first, last = grid.period(0), grid.period(grid.n - 1)
  local tau = math.max(steps:median(), grid.shortest / BINS)
  self.n_points = s.n
  return fbls.new(self.lc, { period_min = first, period_max = math.max(last, first + 2 * tau), durations = thinned(grid.durations),
    tau = tau, growth = 1, stride = 2, objective = set.objective ~= "snr" and "likelihood" or "delta_chi2", sign = "dips",
    weights = set.weights, compat = set.compat, fraction_max = 0.5 })
end

-- Marks the trials within a step of a trial of the filter.
local function mark(self, marked, peak)
  local grid = self.grid
  local low = math.max(0, math.floor(grid.index(peak.period - peak.step)))
  local high = math.min(grid.n - 1, math.ceil(grid.index(peak.period + peak.step)))
  for i = low, high do marked[i] = 1 end
end

-- Exact search of the marked trials that were not searched yet (marked 1; then 2).
local function exact(self, marked)
  local count = 0
  for i = 0, self.grid.n - 1 do if marked[i] == 1 then count = count + 1 end end
  if count == 0 then return nil end
  local periods, index = native.array(count), ffi.new("uint32_t[?]", count)
  count = 0
  for i = 0, self.grid.n - 1 do
    if marked[i] == 1 then
      periods[count], index[count], marked[i] = self.grid.period(i), i, 2
      count = count + 1
    end
  end
  return { search = bls.new(self.lc, periods, self.set), index = index, count = count }
end

local function better(a, b)
  if not a then return b end
  if b.power > a.power or b.power == a.power and b.index < a.index then return b end
  return a
end

-- Runs one exact part; its strongest trial.
local function finish(part, threads, step)
  for done, total in part.search:run(threads) do step(done, total) end
  local best = part.search:best()
  if not best.found then return nil end
  best.index = part.index[best.index]
  return best
end

-- The whole search; step(share) says how far it is.
local function whole(self, threads, step)
  local filter, marked = self.filter, ffi.new("uint8_t[?]", self.grid.n)
  for done, total in filter:run(threads) do step(0.8 * done / total) end
  local top = 0
  for i = 1, filter.n_periods - 1 do if filter.peaks[i].power > filter.peaks[top].power then top = i end end
  mark(self, marked, filter.peaks[top])
  local part = exact(self, marked)
  self.evaluated = part.count
  local best = finish(part, threads, function() step(0.8) end)
  local power = best and best.power or 0
  if self.set.objective == "snr" then power = power * power end
  local least = (1 - self.guard) * math.min(power, filter.peaks[top].power)
  for i = 0, filter.n_periods - 1 do if filter.peaks[i].power >= least then mark(self, marked, filter.peaks[i]) end end
  part = exact(self, marked)
  if part then
    self.evaluated = self.evaluated + part.count
    local other = finish(part, threads, function(done, total) step(0.8 + 0.2 * done / total) end)
    if other then best = better(best, other) end
    self.path = part.search.path
  end
  self.found = best
end

--- Iterates over (done, total) while the search runs.
---@param threads integer|nil 1
function search:run(threads)
  local total = self.n_periods
  return coroutine.wrap(function()
    whole(self, threads or 1, function(share) coroutine.yield(math.floor(share * total), total) end)
    coroutine.yield(total, total)
  end)
end

-- How far the best stands out of the filter's trials, each as often as bls's grid has it: bls's sde, nearly.
local function sde_of(self, power)
  local filter, sum, squares, all = self.filter, 0, 0, 0
  if self.set.objective == "snr" then power = power * power end -- the filter's is delta chi^2
  for i = 0, filter.n_periods - 1 do
    local peak = filter.peaks[i]
    local often = peak.step / peak.period ^ 2
    sum, squares, all = sum + often * peak.power, squares + often * peak.power ^ 2, all + often
  end
  local mean = sum / all
  return (power - mean) / math.sqrt(math.max(0, squares / all - mean * mean))
end

--- As bls' best; sde is that of the filter's spectrum; n_evaluated of n_periods trials were computed.
---@return table as bls, with n_evaluated
function search:best()
  local grid = self.grid
  local out = self.found or { found = false, power = 0 / 0, period = 0 / 0, depth = 0 / 0, duration = 0 / 0, t0 = 0 / 0 }
  out.n_periods, out.n_points, out.n_evaluated = grid.n, self.n_points, self.evaluated
  out.period_first, out.period_last, out.sde = grid.period(0), grid.period(grid.n - 1), sde_of(self, out.power)
  return out
end

--- The filter's trials: period, power, depth, duration, t0.
---@return table n, columns and an array of each
function search:periodogram() return self.filter:periodogram() end

return bls_hybrid
