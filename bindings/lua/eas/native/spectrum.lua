--- spectrum: what searches over trial periods share: a grid, and how a peak stands out.

local array = require "eas.array"
local detrend = require "eas.native.detrend"

local spectrum = {}
local G_SUN, SUN, DAY = 1.32712440018e20, 695500e3, 86400 -- m^3/s^2, m, s
local NAN = 0 / 0

--- Trial periods, ascending, so far apart that a transit's phase moves by its duration over `oversampling` at most
--- (Ofir 2014, A&A 561, A138): cubic in frequency. Empty if there is none.
---@param span number day
---@param set table period_min, period_max (day), star_radius, star_mass (of the Sun), oversampling
---@return eas.array
function spectrum.ofir_grid(span, set)
  local none = array.new(0)
  if not (span > 0 and set.period_min > 0 and set.period_max >= set.period_min) then return none end
  local radius, gm = (set.star_radius or 1) * SUN, (set.star_mass or 1) * G_SUN
  local a = (2 * math.pi) ^ (2 / 3) / math.pi * radius / gm ^ (1 / 3) / (span * DAY * (set.oversampling or 3))
  local low, high = (1 / (set.period_max * DAY)) ^ (1 / 3), (1 / (set.period_min * DAY)) ^ (1 / 3)
  local n = math.ceil((high - low) * 3 / a) + 1
  if not (n < 5e7) then return none end
  local out = array.new(n)
  for i = 0, n - 1 do
    local root = math.min(high, low + a / 3 * (n - 1 - i))
    out[i] = 1 / root ^ 3 / DAY
  end
  out[n - 1] = set.period_max
  return out
end

--- Power less its running median over `window` (91, odd) trials; NaN items count as 0, infinite ones (no noise) too in the
--- median.
---@param power eas.array
---@param window integer|nil
---@param threads integer|nil 1
---@return eas.array
function spectrum.flattened(power, window, threads)
  local n = tonumber(power.n)
  local out = array.new(n)
  for i = 0, n - 1 do out[i] = power[i] - power[i] == 0 and power[i] or 0 end
  local level = detrend.running_median(out, window or 91, threads)
  for i = 0, n - 1 do out[i] = (power[i] == power[i] and power[i] or 0) - level[i] end
  return out
end

--- Median distance from the median.
function spectrum.deviation(values)
  local n, middle = tonumber(values.n), values:median()
  local off = array.new(n)
  for i = 0, n - 1 do off[i] = math.abs(values[i] - middle) end
  return off:median()
end

--- Index (from 0) of the largest flattened power and its significance over the scatter of all (standard deviation, or
--- with robust: 1.4826 median deviation). nil where no power is finite and positive.
---@param power eas.array
---@param robust boolean|nil
---@param threads integer|nil 1
---@return integer|nil, number
function spectrum.peak(power, robust, threads)
  local n, best, most = tonumber(power.n), nil, 0
  for i = 0, n - 1 do if power[i] > 0 then best = best or i end end
  if not best then return nil, NAN end
  local flat = spectrum.flattened(power, nil, threads)
  for i = 0, n - 1 do if power[i] > 0 and flat[i] > most then best, most = i, flat[i] end end
  local sigma = robust and 1.4826 * spectrum.deviation(flat) or flat:std()
  return best, sigma > 0 and flat[best] / sigma or NAN
end

return spectrum
