-- eas.web.svg: a plot as the server draws it: for browsers without scripts, and where uPlot was not built in.
local h = require "eas.web.html"
local format = require "eas.web.format"

local svg = {}
local LEFT, RIGHT, TOP, LOW = 76, 12, 10, 38

-- About n round numbers from low to high.
function svg.ticks(low, high, n)
  local span = high - low
  if not (span > 0) then return { low } end
  local step = 10 ^ math.floor(math.log10(span / n))
  for _, m in ipairs { 1, 2, 5, 10 } do
    if span / (step * m) <= n then
      step = step * m
      break
    end
  end
  local out = {}
  for k = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do out[#out + 1] = math.abs(k * step) < step * 1e-9 and 0
    or k * step end
  return out
end

local function scale(low, high, from, to)
  local f = high > low and (to - from) / (high - low) or 0
  return function(v) return from + (v - low) * f end
end

local function axes(p, sx, sy)
  local out = {}
  for _, v in ipairs(svg.ticks(p.x0, p.x1, p.wide / 107)) do
    out[#out + 1] = h.path { class = "grid", d = ("M%.1f %dV%d"):format(sx(v), TOP, p.high - LOW) }
    out[#out + 1] = h.text { class = "tick", x = ("%.1f"):format(sx(v)), y = p.high - LOW + 15,
      ["text-anchor"] = "middle", format.number(v) }
  end
  for _, v in ipairs(svg.ticks(p.y0, p.y1, p.high / 56)) do
    out[#out + 1] = h.path { class = "grid", d = ("M%d %.1fH%d"):format(LEFT, sy(v), p.wide - RIGHT) }
    out[#out + 1] = h.text { class = "tick", x = LEFT - 6, y = ("%.1f"):format(sy(v) + 4), ["text-anchor"] = "end", format.number(v) }
  end
  out[#out + 1] = h.text { class = "axis", x = (LEFT + p.wide) / 2, y = p.high - 5, ["text-anchor"] = "middle", p.xlabel }
  out[#out + 1] = h.text { class = "axis", x = -(p.high - LOW) / 2, y = 13, transform = "rotate(-90)",
      ["text-anchor"] = "middle", p.ylabel }
  return out
end

-- One path for all points: dots, a line, or bars from lo to hi.
local function path(s, sx, sy)
  local d = {}
  for i = 1, #s.x do
    local x = s.x[i]
    if s.kind == "range" then
      d[#d + 1] = ("M%.1f %.1fV%.1f"):format(sx(x), sy(s.lo[i]) + 0.5, sy(s.hi[i]) - 0.5)
    elseif s.y[i] and s.y[i] == s.y[i] then
      if s.kind == "line" then
        d[#d + 1] = ("%s%.1f %.1f"):format(#d == 0 and "M" or "L", sx(x), sy(s.y[i]))
      else
        d[#d + 1] = ("M%.1f %.1fh0"):format(sx(x), sy(s.y[i]))
      end
    end
  end
  return h.path { class = "series " .. s.kind .. " " .. (s.class or ""), d = table.concat(d) }
end

-- p: { series = { {x, y | lo, hi, kind = "dots" | "line" | "range", class} }, marks = { x... }, x0, x1, y0, y1, xlabel, ylabel, label,
-- wide, high (860, 280), from_zero = true: y begins at 0 }
function svg.plot(p)
  if p.y1 == p.y0 then p.y0, p.y1 = p.y0 - 0.5, p.y1 + 0.5 end
  p.wide, p.high = p.wide or 860, p.high or 280
  local pad = 0.04 * (p.y1 - p.y0)
  p.y0, p.y1 = p.from_zero and 0 or p.y0 - pad, p.y1 + pad
  local sx, sy = scale(p.x0, p.x1, LEFT, p.wide - RIGHT), scale(p.y0, p.y1, p.high - LOW, TOP)
  local drawn = { axes(p, sx, sy) }
  for _, x in ipairs(p.marks or {}) do
    if x >= p.x0 and x <= p.x1 then drawn[#drawn + 1] = h.path { class = "mark", d = ("M%.1f %dV%d"):format(sx(x), TOP, p.high - LOW) } end
  end
  for _, s in ipairs(p.series) do drawn[#drawn + 1] = path(s, sx, sy) end
  return h.svg { class = "plot", viewBox = ("0 0 %d %d"):format(p.wide, p.high), role = "img", ["aria-label"] = p.label, drawn }
end

return svg
