-- eas.plot.fold: a light curve folded around mid-transit, as a picture.
--
--   fold.svg(lc, { period =, t0 =, duration =, depth = or nil (day, unit of flux), title =, note =, standalone = bool, most = 1500 })
-- Points (thinned to `most`), means of bins, and the box of the search. Flux 1 is out of transit; a curve in electrons is divided by
-- its median first. Raises when there is no period to fold at, or too little left to draw.
local folds = require "eas.fold"
local svg = require "eas.plot.svg"
local fold = {}
local floor, format, concat = math.floor, string.format, table.concat

local W, H, LEFT, RIGHT, TOP, BOTTOM, BINS = 470, 300, 64, 14, 50, 46, 48

local function relative(lc)
  local clean = lc:clean()
  return clean.flux:median() > 5 * clean.flux:std() and clean:normalise() or clean
end

local function quantile(sorted, q) return sorted[math.max(1, math.min(#sorted, floor(q * #sorted + 0.5)))] end

-- Phase (day) and flux of the samples in the window.
local function window(lc, p, half)
  local list, time, flux = {}, lc.time, lc.flux
  for i = 0, lc.n - 1 do
    local phase = (time[i] - p.t0 + p.period / 2) % p.period - p.period / 2
    if math.abs(phase) <= half then list[#list + 1] = { phase, flux[i] } end
  end
  if #list < 5 then error(("only %d samples are near mid-transit"):format(#list), 0) end
  return list
end

local function thin(list, most)
  local step = #list / most
  if step <= 1 then return list end
  local out = {}
  for k = 0, most - 1 do out[k + 1] = list[floor(k * step) + 1] end
  return out
end

-- What the axis shows: all bins, and nearly all samples.
local function flux_range(list, bins, depth)
  local sorted = {}
  for i, s in ipairs(list) do sorted[i] = s[2] end
  table.sort(sorted)
  local low, high = folds.range(bins)
  low, high = math.min(low, quantile(sorted, 0.02)), math.max(high, quantile(sorted, 0.98))
  if depth then low = math.min(low, 1 - depth) end
  local room = 0.08 * (high - low) + 1e-9
  return low - room, high + room
end

local function axes(place, half, low, high, unit)
  local parts = { svg.element("path", { class = "axis", d = format("M%d %dV%dH%d", LEFT, TOP, H - BOTTOM, W - RIGHT) }) }
  for _, h in ipairs(svg.ticks(-half * 24, half * 24, 6)) do
    local x = place(h / 24, low)
    parts[#parts + 1] = svg.element("path", { class = "axis", d = format("M%.1f %dv5", x, H - BOTTOM) })
    parts[#parts + 1] = svg.text(x, H - BOTTOM + 19, svg.number(h), { ["text-anchor"] = "middle" })
  end
  for _, v in ipairs(svg.ticks((low - 1) * unit.scale, (high - 1) * unit.scale, 5)) do
    local _, y = place(0, 1 + v / unit.scale)
    parts[#parts + 1] = svg.element("path", { class = "axis", d = format("M%d %.1fh-5", LEFT, y) })
    parts[#parts + 1] = svg.text(LEFT - 8, y + 4, svg.number(v), { ["text-anchor"] = "end" })
  end
  parts[#parts + 1] = svg.text((LEFT + W - RIGHT) / 2, H - 8, "hours from mid-transit", { ["text-anchor"] = "middle" })
  local y = (TOP + H - BOTTOM) / 2
  parts[#parts + 1] = svg.text(14, y, unit.words, { ["text-anchor"] = "middle", transform = format("rotate(-90 14 %.1f)", y) })
  return concat(parts)
end

local function marks(list, bins, place, half, low, high)
  local points, parts = {}, {}
  for _, s in ipairs(list) do
    if s[2] >= low and s[2] <= high then points[#points + 1] = format("M%.1f %.1fh0", place(s[1], s[2])) end
  end
  parts[1] = svg.element("path", { d = concat(points), style = "stroke:var(--dim);stroke-width:2.4;stroke-linecap:round;opacity:.5" })
  for k, v in ipairs(bins) do
    if v == v then
      local x, y = place(-half + (k - 0.5) / #bins * 2 * half, v)
      parts[#parts + 1] = svg.element("circle", { class = "bin", cx = x, cy = y, r = 3 })
    end
  end
  return concat(parts)
end

local function box(p, place, half)
  if not (p.depth and p.depth == p.depth and p.depth < 1) then return "" end
  local d = p.duration / 2
  local x1, y1 = place(-half, 1)
  local x2, y2 = place(-d, 1 - p.depth)
  local x3, x4 = place(d, 1), place(half, 1)
  return svg.element("path", { class = "model", d = format("M%.1f %.1fH%.1fV%.1fH%.1fV%.1fH%.1f", x1, y1, x2, y2, x3, y1, x4) })
end

function fold.svg(lc, p)
  if not (p.period and p.period > 0 and p.period < math.huge and p.t0 and p.t0 == p.t0) then
    error("there is no period to fold at, so no plot", 0)
  end
  local duration = p.duration and p.duration > 0 and p.duration < p.period and p.duration or p.period / 20
  local shown, half = relative(lc), math.min(2 * duration, p.period / 2)
  local list = window(shown, p, half)
  local bins = folds.bins(shown, p.period, p.t0, half, BINS)
  local low, high = flux_range(list, bins, p.depth)
  local unit = high - low < 0.02 and { scale = 1e6, words = "flux − 1 (ppm)" } or { scale = 100, words = "flux − 1 (%)" }
  local function place(phase, flux)
    return LEFT + (phase + half) / (2 * half) * (W - LEFT - RIGHT), TOP + (high - flux) / (high - low) * (H - TOP - BOTTOM)
  end
  local model = { depth = p.depth, duration = duration }
  local body = { svg.text(LEFT, 20, p.title or "", { class = "head" }), svg.text(LEFT, 38, p.note or "", { class = "dim" }),
    marks(thin(list, p.most or 1500), bins, place, half, low, high), box(model, place, half), axes(place, half, low, high, unit) }
  return svg.picture { width = W, height = H, standalone = p.standalone, title = "Folded light curve: " .. (p.title or ""),
    desc = p.note, body = concat(body) }
end

return fold
