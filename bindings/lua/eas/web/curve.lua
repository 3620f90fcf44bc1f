-- eas.web.curve: light curves and periodograms of the store, thinned to what a screen can show.
local ask = require "eas.web.ask"
local cjson = require "cjson"
local json = require "eas.json"
local lc = require "eas.lc"

local curve = {}
local kept, order = {}, {}
local MOST_KEPT, MOST_BYTES = 4, 256e6
local POINTS = 2000 -- so many are shown as they are; more become least and greatest per column

local function is_periodogram(kind) return kind:find "periodogram" ~= nil or kind:find "spectrum" ~= nil end

local function read(path, kind)
  if is_periodogram(kind) then
    local p = lc.read(path, { columns = "period,power", quality = "none" })
    if p then return p, { "period", "day", "power", "" } end
  end
  local found, why = lc.read(path)
  if not found then return nil, why end
  local system = found.metadata.time_system
  return found, { "time", "day" .. (type(system) == "string" and ", " .. system or ""), "flux", "" }
end

-- The curve in an object, its axes; nil and why if it is none.
function curve.open(sha256, kind, size)
  local key = sha256 .. kind
  if kept[key] then return kept[key].c, kept[key].axes end
  if size > MOST_BYTES then return nil, ("%.0f MB are too many to be drawn here"):format(size / 1e6) end
  local c, axes = read(ask.of("object", { sha256 = sha256 }).path, kind)
  if not c then return nil, axes end
  if c.n == 0 then return nil, "it has no points" end
  kept[key] = { c = c, axes = axes }
  order[#order + 1] = key
  if #order > MOST_KEPT then kept[table.remove(order, 1)] = nil end
  return c, axes
end

-- First index whose time is not before x.
local function at(time, n, x)
  local a, b = 0, n
  while a < b do
    local m = math.floor((a + b) / 2)
    if time[m] < x then a = m + 1 else b = m end
  end
  return a
end

local function good(c, i, time, flux, flag)
  return flux[i] == flux[i] and time[i] == time[i] and flag[i] % 2 == 0
end

local function as_it_is(c, i0, i1, flagged)
  local x, y = json.list(), json.list()
  local time, flux, flag = c.time.data, c.flux.data, c.flag.data
  local fx, fy = json.list(), json.list()
  for i = i0, i1 - 1 do
    if good(c, i, time, flux, flag) then
      x[#x + 1], y[#y + 1] = time[i], flux[i]
    elseif flagged and time[i] == time[i] and flux[i] == flux[i] then
      fx[#fx + 1], fy[#fy + 1] = time[i], flux[i]
    end
  end
  return { x = x, y = y, flagged_x = flagged and fx or nil, flagged_y = flagged and fy or nil }
end

local function thinned(c, i0, i1, from, to, columns)
  local time, flux, flag = c.time.data, c.flux.data, c.flag.data
  local lo, hi, f = {}, {}, columns / (to - from)
  local floor, min = math.floor, math.min
  for i = i0, i1 - 1 do
    if good(c, i, time, flux, flag) then
      local k, v = min(columns - 1, floor((time[i] - from) * f)) + 1, flux[i]
      if not lo[k] then
        lo[k], hi[k] = v, v
      elseif v < lo[k] then
        lo[k] = v
      elseif v > hi[k] then
        hi[k] = v
      end
    end
  end
  local out = { x = json.list(), lo = json.list(), hi = json.list() }
  for k = 1, columns do
    if lo[k] then
      local n = #out.x + 1
      out.x[n], out.lo[n], out.hi[n] = from + (k - 0.5) / f, lo[k], hi[k]
    end
  end
  return out
end

local function first_good(c, from, step)
  local time = c.time.data
  local i = from
  while i >= 0 and i < c.n do
    if time[i] == time[i] and time[i] > -1e300 and time[i] < 1e300 then return time[i], i end
    i = i + step
  end
  return 0, 0
end

-- What is between from and to (nil: all): { x, y } or, of too many points, { x, lo, hi }, and what there is. flagged: samples that
-- are flagged too, as flagged_x and flagged_y, where points are given as they are.
function curve.part(c, axes, from, to, columns, flagged)
  local x0, i_first = first_good(c, 0, 1)
  local x1, i_last = first_good(c, c.n - 1, -1)
  local low, high = math.max(from or x0, x0), math.min(to or x1, x1)
  if not (high > low) then low, high = x0, x1 end
  local time, n = c.time.data, i_last + 1
  local i0, i1 = math.max(i_first, at(time, n, low)), at(time, n, high)
  while i1 < n and time[i1] <= high do i1 = i1 + 1 end
  local out = i1 - i0 <= POINTS and as_it_is(c, i0, i1, flagged) or thinned(c, i0, i1, low, high, columns or 800)
  out.n, out.shown, out.from, out.to, out.first, out.last = c.n, i1 - i0, low, high, x0, x1
  out.xname, out.xunit, out.yname, out.yunit = axes[1], axes[2], axes[3], axes[4]
  return out
end

function curve.bounds(part)
  local low, high = math.huge, -math.huge
  for i = 1, #part.x do
    local a, b = part.lo and part.lo[i] or part.y[i], part.hi and part.hi[i] or part.y[i]
    low, high = math.min(low, a), math.max(high, b)
  end
  if low > high then low, high = 0, 1 end
  return low, high
end

-- Means of phase bins around mid-transit: of all, of odd and of even transits. As many bins as hold four points or so.
function curve.fold(c, period, t0, half)
  local time, flux, flag = c.time.data, c.flux.data, c.flag.data
  local bins = math.max(24, math.min(160, math.floor(c.n * math.min(1, 2 * half / period) / 4)))
  local sums = { { {}, {} }, { {}, {} }, { {}, {} } } -- all, even, odd: sum, count
  local floor, dots = math.floor, 0
  for i = 0, c.n - 1 do
    if good(c, i, time, flux, flag) then
      local turn = floor((time[i] - t0) / period + 0.5)
      local phase = time[i] - t0 - turn * period
      if phase >= -half and phase < half then
        local k = floor((phase + half) / (2 * half) * bins) + 1
        dots = dots + 1
        for _, s in ipairs { sums[1], sums[2 + turn % 2] } do
          s[1][k], s[2][k] = (s[1][k] or 0) + flux[i], (s[2][k] or 0) + 1
        end
      end
    end
  end
  local out = { period = period, t0 = t0, half = half, points = dots, x = json.list(), all = json.list(), even = json.list(),
    odd = json.list() }
  for k = 1, bins do
    out.x[k] = -half + (k - 0.5) / bins * 2 * half
    for j, name in ipairs { "all", "even", "odd" } do
      local n = sums[j][2][k]
      out[name][k] = n and sums[j][1][k] / n or cjson.null
    end
  end
  return out
end

return curve
