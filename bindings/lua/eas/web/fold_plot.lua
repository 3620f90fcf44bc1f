-- eas.web.fold_plot: the light curve of a search, folded at what it found.
local curve = require "eas.web.curve"
local h = require "eas.web.html"
local marks = require "eas.web.marks"
local format = require "eas.web.format"
local parts = require "eas.web.parts"
local svg = require "eas.web.svg"

local fold_plot = {}

local function input_of(a)
  local found
  for _, i in ipairs(a.inputs) do
    if i.kind == "lightcurve" or not found and not i.kind:find "periodogram" then found = i end
  end
  return found
end

-- { period, t0, half, x, all, even, odd }; nil and why if there is nothing to fold.
function fold_plot.data(a, query)
  local input, m = input_of(a), a.metadata or {}
  if not input then return nil, "it read no light curve" end
  local period = query.period or m.period
  if type(period) ~= "number" or not (period > 0) then return nil, "there is no period to fold at" end
  local c, why = curve.open(input.sha256, input.kind, input.size)
  if not c then return nil, why end
  local span = c.time[c.n - 1] - c.time[0]
  if not (period < 10 * span) or period < 1e-4 then return nil,
    ("a period of %g days does not fit a light curve of %.6g days"):format(period, span) end
  local duration = type(m.duration) == "number" and m.duration > 0 and m.duration or period / 8
  local half = math.min(period / 2, query.half or 3 * duration)
  local out = curve.fold(c, period, type(m.t0) == "number" and m.t0 or c.time[0], half)
  out.found_period, out.file = m.period, input.version
  return out
end

local function dots(f)
  local series, low, high = {}, math.huge, -math.huge
  for _, name in ipairs { "even", "odd", "all" } do
    local s = { x = f.x, y = {}, kind = name == "all" and "line" or "dots", class = name }
    for i = 1, #f.x do
      local v = f[name][i]
      s.y[i] = type(v) == "number" and v or 0 / 0
      if type(v) == "number" then low, high = math.min(low, v), math.max(high, v) end
    end
    series[#series + 1] = s
  end
  return series, low, high
end

function fold_plot.section(a, query)
  local f, why = fold_plot.data(a, query)
  if not f then return parts.section("Fold", "fold", h.p { class = "empty", why }) end
  local series, low, high = dots(f)
  local path = "/attempts/" .. a.attempt
  local function to(period, text) return h.a { href = h.url(path, { period = ("%.10g"):format(period) }) .. "#fold", text } end
  local sentence = ("%s points within %.3g hours of mid-transit, folded at %.8g days"):format(format.count(f.points), f.half * 24, f.period)
  return parts.section("Fold", "fold", h.figure { class = "plotted", ["data-plot"] = "fold", ["data-url"] = "/api/v1/attempts/"
    .. a.attempt .. "/fold",
      ["data-period"] = ("%.12g"):format(f.period), ["data-page"] = path, ["data-half"] = ("%.6g"):format(f.half),
      svg.plot { series = series, marks = { 0 }, x0 = -f.half, x1 = f.half, y0 = low, y1 = high, xlabel = "days from mid-transit",
        ylabel = "flux", label = sentence },
      h.figcaption { sentence, ". Even and odd transits apart, the line is their mean." } },
    h.p { class = "zoom", to(f.period / 2, "half the period"), to(f.period * 2, "twice"), type(f.found_period) == "number"
      and to(f.found_period, "as found"),
      " ", parts.link(f.file, "the light curve") }, marks.fold_table(f))
end

-- The periodogram that an attempt made, whose peaks move the fold.
function fold_plot.periodogram(a, query)
  for _, o in ipairs(a.outputs) do
    if o.version and (o.kind:find "periodogram" or o.kind:find "spectrum") then
      local c, axes = curve.open(o.sha256, o.kind, o.size)
      if not c or axes[1] ~= "period" then return nil end
      local part = curve.part(c, axes)
      local low, high = curve.bounds(part)
      local found = query.period or a.metadata and a.metadata.period
      local near = type(found) == "number" and { found, found / 2, found * 2 } or nil
      local sentence = ("power of %s periods, %s to %s days"):format(format.count(part.n), format.number(part.from), format.number(part.to))
      return parts.section("Periodogram", "periodogram", h.figure { class = "plotted", ["data-plot"] = "curve",
        ["data-url"] = "/api/v1/files/" .. o.version .. "/plot", ["data-page"] = "/files/" .. o.version, ["data-marks"] = near
          and ("%.12g"):format(found),
        svg.plot { series = { { x = part.x, y = part.y, lo = part.lo, hi = part.hi, kind = part.lo and "range" or "line" } }, marks = near,
          x0 = part.from, x1 = part.to, y0 = low, y1 = high, xlabel = "period / day", ylabel = "power", label = sentence },
        h.figcaption { sentence, ". Marked: the period of the fold, its half and its double. ", parts.link(o.version, "The file") } },
        h.p { class = "zoom" }, marks.peak_links(c, a.attempt, query.period), marks.curve_table(part))
    end
  end
end

return fold_plot
