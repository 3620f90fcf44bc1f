--- exotrans: wavelet filter, box search, removal and search again; "exotrans-like": made after what is published of
--- EXOTRANS, not EXOTRANS itself.
--
--   local search = exotrans.new(lc, set)
--   for done, total in search:run(threads) do ... end
--   local best = search:best()          -- the strongest; best.detections: all, in the order they were found
--
-- Settings, days: period_min (0.6), period_max (half of the light curve), star_radius, star_mass (1, of the Sun),
-- oversampling (3), sde_min (7: where the search stops), iterations (15), filter (true).

local ffi = require "ffi"
local bls = require "eas.native.bls"
local detrend = require "eas.native.detrend"
local fixed_step = require "eas.native.fixed_step"
local native = require "eas.native"
local samples = require "eas.native.samples"
local spectrum = require "eas.native.spectrum"
local vetting = require "eas.native.vetting"
local lib = native.load "exotrans"

local exotrans = {}
local NAN, floor, log = 0 / 0, math.floor, math.log
-- Durations over that of a central transit of the Sun: stars of 10 and 0.1 of its density.
local RATIO_MIN, RATIO_MAX, STEP = 10 ^ (-1 / 3), 10 ^ (1 / 3), 1.25
local SCALE = { radius = 1 - 2 * 71492e3 / 695500e3 } -- so that the planet adds nothing

local function central(period, set)
  return detrend.longest_transit(period, { radius = (set.star_radius or 1) - 1 + SCALE.radius, mass = set.star_mass })
end

--- One level of the starlet transform: a smoothed copy.
---@param values eas.array
---@param level integer 0 ..
---@param periodic boolean|nil
---@return eas.array
function exotrans.smooth(values, level, periodic)
  local out = native.array(tonumber(values.n))
  lib.eas_exotrans_smooth(values.data, values.n, level, periodic and 1 or 0, out.data)
  native.keep(values)
  return out
end

-- First samples of the pieces: behind jumps, and behind gaps longer than a transit.
local function pieces_of(raster, mask, width, sigma)
  local n, most = raster.n, 1000
  local at, scratch = ffi.new("uint32_t[?]", most), native.array(2 * n)
  local jumps = tonumber(lib.eas_exotrans_jumps(raster.flux.data, mask, n, width, sigma, at, most, scratch.data))
  native.keep(raster, scratch)
  local first, list, empty = { [0] = true }, {}, 0
  for k = 0, jumps - 1 do first[at[k]] = true end
  for i = 0, n - 1 do
    if mask[i] == 0 and empty > width then first[i] = true end
    empty = mask[i] == 1 and empty + 1 or 0
    if first[i] then list[#list + 1] = i end
  end
  list[#list + 1] = n
  return ffi.new("uint32_t[?]", #list, list), #list - 1, jumps
end

--- The light curve over its trend by wavelets; what is longer than about ten of the longest transits goes.
---@param lc table light curve; flagged and non-finite samples are left out
---@param longest number day, of a transit
---@param threads integer|nil
---@return eas.lightcurve
---@return table pieces, jumps, levels
function exotrans.filter(lc, longest, threads)
  local clean = lc:clean()
  local raster = fixed_step.raster(clean)
  local n, mask = raster.n, ffi.new("uint8_t[?]", raster.n)
  for i = 0, n - 1 do mask[i] = raster.present[i] == 1 and 0 or 1 end
  local width = math.max(2, floor(longest / raster.step))
  local piece, n_piece, jumps = pieces_of(raster, mask, width, clean:noise())
  local trend, job = native.array(n), ffi.new "eas_exotrans_job"
  job.n, job.n_piece, job.y, job.mask, job.piece, job.trend = n, n_piece, raster.flux.data, mask, piece, trend.data
  job.levels = math.max(1, math.min(30, floor(log(1.27 * longest / raster.step) / log(2))))
  native.check(lib.eas_exotrans_check(job), "exotrans", nil, 2)
  local keep, size = { raster, mask, piece, trend }, lib.eas_exotrans_work_size(job)
  for _ in native.run(lib, "eas_exotrans_run", job, n_piece, size, threads or 1, keep) do end -- luacheck: ignore
  for i = 0, clean.n - 1 do
    local k = math.max(0, math.min(n - 1, floor((clean.time[i] - raster.start) / raster.step + 0.5)))
    local level = trend[k] ~= 0 and trend[k] or NAN
    clean.flux[i], clean.flux_err[i] = clean.flux[i] / level, clean.flux_err[i] / math.abs(level)
  end
  return clean, { pieces = n_piece, jumps = jumps, levels = job.levels }
end

---@class eas.exotrans
---@field n_periods integer
local search = {}
search.__index = search

-- Stretches of the grid of periods, each with the durations that suit it: { periods, durations }.
local function blocks_of(periods, set, shortest)
  local list, i, n = {}, 0, tonumber(periods.n)
  while i < n do
    local from, block, durations = periods[i], {}, {}
    while i < n and periods[i] < 1.5 * from do
      block[#block + 1] = periods[i]
      i = i + 1
    end
    local d = math.max(shortest, RATIO_MIN * central(from, set))
    local last = math.min(0.45 * from, RATIO_MAX * central(block[#block], set))
    while d <= last or #durations == 0 do
      durations[#durations + 1] = math.min(d, 0.45 * from)
      d = d * STEP
    end
    list[#list + 1] = { periods = block, durations = durations }
  end
  return list
end

--- A search of lc; the filter is applied here, unless set.filter is false.
---@param lc table light curve; flagged and non-finite samples are left out
---@param set table|nil settings, see above
---@return eas.exotrans
function exotrans.new(lc, set)
  set = set or {}
  local clean = lc:clean()
  if clean.n < 20 then error(("exotrans: %d usable samples; a search needs 20"):format(clean.n), 2) end
  local span = clean:duration()
  if not (clean.flux:std() > 0) then error("exotrans: the flux is constant: there is nothing to search", 2) end
  local longest_period = set.period_max or span / 2
  local longest = RATIO_MAX * central(longest_period, set)
  if span < 4 * longest then
    error(("exotrans: %.3g d are too short for transits of %.2g d: lower period_max"):format(span, longest), 2)
  end
  local self = setmetatable({ set = set, lc = clean, n_points = clean.n, span = span, info = {} }, search)
  if set.filter ~= false then self.lc, self.info = exotrans.filter(clean, longest) end
  self.periods = spectrum.ofir_grid(span, { period_min = set.period_min or 0.6, period_max = longest_period,
    star_radius = set.star_radius, star_mass = set.star_mass, oversampling = set.oversampling or 3 })
  self.n_periods = tonumber(self.periods.n)
  if self.n_periods == 0 then error("exotrans: no trial period: the light curve is too short for these limits", 2) end
  local interval = fixed_step.verify(clean).sampling_interval
  if not (interval > 0) then error("exotrans: the samples have no sampling interval", 2) end
  self.blocks = blocks_of(self.periods, set, math.max(2 * interval, 1 / 24))
  return self
end

-- One pass over the grid: the peak of the spectrum sqrt(delta chi^2), its significance, the block it is in, the spectrum;
-- and a box search whose samples others may share.
local function one_pass(self, threads, progress)
  local power, at, owner = native.array(self.n_periods), 0, {}
  local noise, kept = self.lc:noise(), samples.of(self.lc)
  local boxes, last = {}, #self.blocks
  for k = last, 1, -1 do -- the widest bins first: tables that suit them suit all
    local block = self.blocks[k]
    boxes[k] = bls.new(kept, block.periods, { durations = block.durations, weights = "none", share = boxes[last] })
  end
  for done in bls.together(boxes, threads) do progress(done) end
  for k, box in ipairs(boxes) do
    for i = 0, box.n_periods - 1 do
      local gain = box.peaks[i].power
      power[at + i] = gain > 0 and math.sqrt(2 * gain) / noise or 0
      owner[at + i] = self.blocks[k]
    end
    at = at + box.n_periods
  end
  local index, sde = spectrum.peak(power, true, threads)
  return index, sde, owner[index or -1], power, boxes[last]
end

-- The strongest box between the neighbours of a trial period.
local function refine(self, index, block, threads, share)
  local lo, hi = self.periods[math.max(0, index - 1)], self.periods[math.min(self.n_periods - 1, index + 1)]
  local fine = {}
  for k = 0, 40 do fine[k + 1] = lo + (hi - lo) * k / 40 end
  local box = bls.new(share.samples, fine, { durations = block.durations, weights = "none", share = share })
  for _ in box:run(threads) do end -- luacheck: ignore
  return box:best()
end

-- The same period, or a small multiple of one that was found.
local function alias_of(period, found)
  for _, d in ipairs(found) do
    for p = 1, 4 do
      for q = 1, 4 do
        if math.abs(period * q / (d.period * p) - 1) < 1e-3 then return ("%d/%d"):format(p, q) end
      end
    end
  end
end

-- Mean profile over phase, in n bins from mid-transit on, its details below a quarter of the duration smoothed.
local function profile_of(lc, d, n)
  local sum, count = native.array(n), native.array(n)
  for i = 0, lc.n - 1 do
    local k = floor((lc.time[i] - d.t0) % d.period / d.period * n) % n
    sum[k], count[k] = sum[k] + lc.flux[i], count[k] + 1
  end
  for k = 0, n - 1 do sum[k] = count[k] > 0 and sum[k] / count[k] or 1 end
  local levels = floor(log(math.max(1, d.duration / 4 * n / d.period)) / log(2))
  for level = 0, levels - 1 do sum = exotrans.smooth(sum, level, true) end
  return sum
end

-- Divides what was found out of the light curve: around the transits, or everywhere for what is no planet.
local function remove(lc, d, everywhere)
  local n = floor(math.max(8, math.min(2048, lc.n / 5, 20 * d.period / d.duration)))
  local profile, new = profile_of(lc, d, n), lc:copy()
  for i = 0, lc.n - 1 do
    local phase = (lc.time[i] - d.t0) % d.period
    local off = math.min(phase, d.period - phase)
    if everywhere or off <= d.duration then
      local x = phase / d.period * n - 0.5
      local k, share = floor(x), x - floor(x)
      local level = profile[k % n] * (1 - share) + profile[(k + 1) % n] * share
      if level > 0 then new.flux[i] = lc.flux[i] / level end
    end
  end
  return new
end

-- One pass, and what was found taken out; true: search on.
local function turn(self, pass, threads, progress)
  local index, sde, block, power, share = one_pass(self, threads, progress)
  if pass == 1 then self.power = power end
  if not index then return false end
  local best = refine(self, index, block, threads, share)
  best.sde, best.pass, best.alias = sde, pass, alias_of(best.period, self.detections)
  self.first = self.first or best
  if not (sde >= (self.set.sde_min or 7)) then return false end
  self.detections[#self.detections + 1] = best
  if best.alias then return false end -- the same again
  local checks = vetting.check(self.lc, { period = best.period, t0 = best.t0, duration = best.duration, sde = sde, method = "bls",
                                          brief = true })
  local binary = false -- a shallow second dip is rather another planet's
  for _, c in ipairs(checks) do
    binary = binary or c.verdict == "fail" and (c.name == "sine" or c.name == "secondary" and best.depth > 0.01)
  end
  best.full_removal = binary
  self.lc = remove(self.lc, best, binary)
  return true
end

--- Iterates over (done, total) while the search runs; how many passes there are is not known before, so total grows.
---@param threads integer|nil 1
function search:run(threads)
  local n = self.n_periods
  return coroutine.wrap(function()
    self.detections = {}
    for pass = 1, self.set.iterations or 15 do
      local function progress(done) coroutine.yield((pass - 1) * n + done, pass * n) end
      if not turn(self, pass, threads or 1, progress) then break end
    end
  end)
end

local KEPT = { "period", "t0", "duration", "depth", "depth_snr", "sde", "alias", "pass", "full_removal" }

--- The strongest detection, or candidate of the first pass where none is significant; `detections` are all, the first
--- first. `found` is false where no box fits at all.
---@return table period, t0, duration, depth, depth_snr, sde, n_detections, detections, jumps, pieces, ...
function search:best()
  local first = self.first or {}
  local out = { detector = "exotrans-like", found = self.first ~= nil and first.found, n_periods = self.n_periods,
                n_points = self.n_points, period_first = self.periods[0], period_last = self.periods[self.n_periods - 1],
                n_detections = #(self.detections or {}), detections = {}, jumps = self.info.jumps, pieces = self.info.pieces,
                levels = self.info.levels, power = first.power or NAN, depth_err = first.depth_err or NAN }
  for _, name in ipairs { "period", "t0", "duration", "depth", "depth_snr", "sde" } do out[name] = first[name] or NAN end
  for i, d in ipairs(self.detections or {}) do
    out.detections[i] = {}
    for _, name in ipairs(KEPT) do out.detections[i][name] = d[name] end
  end
  return out
end

--- The spectrum of the first pass: period, power (sqrt of delta chi^2), sde.
---@return table n, columns and an array of each
function search:periodogram()
  local flat = spectrum.flattened(self.power)
  local scale = 1 / (1.4826 * spectrum.deviation(flat))
  for i = 0, self.n_periods - 1 do flat[i] = flat[i] * scale end
  return { n = self.n_periods, columns = { "period", "power", "sde" }, period = self.periods, power = self.power, sde = flat }
end

-- Gamma function, x > 0.5 (Lanczos).
local function gamma(x)
  local c = { 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
              -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7 }
  local sum, t = 0.99999999999980993, x + 6.5
  for i, v in ipairs(c) do sum = sum + v / (x - 1 + i) end
  return math.sqrt(2 * math.pi) * t ^ (x - 0.5) * math.exp(-t) * sum
end

--- Extreme-value distribution of the largest significances of many light curves, by probability-weighted moments
--- (Hosking, Wallis & Wood 1985); and the threshold that noise passes with probability `chance` (0.01).
---@param maxima number[] 10 or more
---@param chance number|nil 0.01
---@return table location, scale, shape (k: below 0 the tail is heavy), threshold
function exotrans.extreme_values(maxima, chance)
  local x, n = {}, #maxima
  if n < 10 then error(("exotrans: %d maxima; a distribution needs 10"):format(n), 2) end
  for i, v in ipairs(maxima) do x[i] = v end
  table.sort(x)
  local b0, b1, b2 = 0, 0, 0
  for i, v in ipairs(x) do
    b0, b1 = b0 + v / n, b1 + v * (i - 1) / (n * (n - 1))
    b2 = b2 + v * (i - 1) * (i - 2) / (n * (n - 1) * (n - 2))
  end
  local c = (2 * b1 - b0) / (3 * b2 - b0) - log(2) / log(3)
  local k = 7.8590 * c + 2.9554 * c * c
  local scale = (2 * b1 - b0) * k / (gamma(1 + k) * (1 - 2 ^ -k))
  local location = b0 + scale * (gamma(1 + k) - 1) / k
  return { location = location, scale = scale, shape = k,
           threshold = location + scale / k * (1 - (-log(1 - (chance or 0.01))) ^ k) }
end

return exotrans
