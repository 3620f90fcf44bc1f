-- eas.plot.lines: numbers over numbers, as a picture: light curves, periodograms, folds, anything with x and y.
--   lines.svg {
--     title =, x_label =, y_label =,             texts; all may be missing
--     series = { { x =, y =, kind = "points" | "line", color =, size =, label = }, ... }
--     x_log =, y_log =, x_range = { low, high }, y_range =, marks = { x, ... },   marks: dashed vertical lines
--     width = 720, height = 400, standalone = bool
--   }
-- x and y are lists of numbers or eas.array; what is not finite leaves a gap. Many points are thinned: lines to the
-- smallest and largest of each column of pixels, points to at most 4000, always the same ones.
local svg = require "eas.plot.svg"
local lines = {}
local floor, huge, log10, format, concat = math.floor, math.huge, math.log10, string.format, table.concat

lines.colors = { "var(--mark)", "#d9622b", "#3a9a5b", "#9467bd", "#8c6d31", "#d6457d" }
local LEFT, RIGHT, TOP, BOTTOM, POINTS = 74, 16, 30, 46, 4000

-- Length and reader (from 1) of a list or of an array (which begins at 0).
local function reader(values)
  if type(values) == "cdata" then return tonumber(values.n), function(i) return values[i - 1] end end
  return #values, function(i) return values[i] end
end

local function is_finite(x) return type(x) == "number" and x - x == 0 end

-- An axis: where a value lies between 0 and 1, or nil.
local function new_axis(is_log, low, high)
  if is_log then low, high = log10(low), log10(high) end
  if high <= low then
    local room = low ~= 0 and math.abs(low) * 1e-6 or 1
    low, high = low - room, high + room
  end
  return { is_log = is_log, low = low, high = high, at = function(v)
    if is_log then v = v > 0 and log10(v) or 0 / 0 end
    return (v - low) / (high - low)
  end }
end

local function range_of(series, name, is_log)
  local low, high = huge, -huge
  for _, s in ipairs(series) do
    local n, get = reader(s[name])
    for i = 1, n do
      local v = get(i)
      if is_finite(v) and not (is_log and v <= 0) then
        if v < low then low = v end
        if v > high then high = v end
      end
    end
  end
  if low > high then return is_log and 1 or 0, is_log and 10 or 1 end
  return low, high
end

-- Decades if it is logarithmic and long, else round numbers.
local function ticks_of(axis)
  if not axis.is_log then return svg.ticks(axis.low, axis.high, 5) end
  if axis.high - axis.low < 1.5 then return svg.ticks(10 ^ axis.low, 10 ^ axis.high, 5) end
  local list = {}
  for k = math.ceil(axis.low - 1e-9), floor(axis.high + 1e-9) do list[#list + 1] = 10 ^ k end
  return list
end

-- As few digits as tell neighbouring ticks apart.
local function label(v, step)
  if math.abs(v) < 1e-12 then return "0" end
  if not step or math.abs(v) >= 1e7 or step < 1e-7 then return svg.number(v) end
  return format(format("%%.%df", math.max(0, math.ceil(-log10(step) - 1e-9))), v)
end

local function add_axis(out, plot, axis, is_x)
  local ticks = ticks_of(axis)
  local step = not axis.is_log and #ticks > 1 and ticks[2] - ticks[1]
  for _, v in ipairs(ticks) do
    local f = axis.at(v)
    if f >= -1e-9 and f <= 1 + 1e-9 then
      local x, y = LEFT + f * plot.w, TOP + (1 - f) * plot.h
      if is_x then
        out[#out + 1] = svg.element("path", { class = "axis", d = format("M%.1f %.1fv5", x, TOP + plot.h) })
        out[#out + 1] = svg.text(x, TOP + plot.h + 19, label(v, step), { ["text-anchor"] = "middle" })
      else
        out[#out + 1] = svg.element("path", { class = "axis", d = format("M%.1f %.1fh-5", LEFT, y) })
        out[#out + 1] = svg.text(LEFT - 8, y + 4, label(v, step), { ["text-anchor"] = "end" })
      end
    end
  end
end

local function add_points(out, s, color, place)
  local n, x = reader(s.x)
  local _, y = reader(s.y)
  local step, d = math.max(1, math.ceil(n / POINTS)), {}
  for i = 1, n, step do
    local px, py = place(x(i), y(i))
    if px then d[#d + 1] = format("M%.1f %.1fh0", px, py) end
  end
  local style = format("stroke:%s;stroke-width:%g;stroke-linecap:round;fill:none", color, s.size or 2)
  out[#out + 1] = svg.element("path", { d = concat(d), style = style })
end

-- Of many points in one column of pixels the first, lowest, highest and last are what is seen of the line.
local function add_line(out, s, color, place)
  local n, x = reader(s.x)
  local _, y = reader(s.y)
  local d, column, low, high, last, pen = {}, nil, nil, nil, nil, false
  local function flush()
    if column and low ~= high then d[#d + 1] = format("L%d %.1fL%d %.1fL%d %.1f", column, low, column, high, column, last) end
    column = nil
  end
  for i = 1, n do
    local px, py = place(x(i), y(i))
    if not px then
      flush()
      pen = false
    elseif column == floor(px) and pen then
      low, high, last = math.min(low, py), math.max(high, py), py
    else
      flush()
      d[#d + 1] = format("%s%d %.1f", pen and "L" or "M", floor(px), py)
      pen, column, low, high, last = true, floor(px), py, py, py
    end
  end
  flush()
  local style = format("stroke:%s;stroke-width:%g;stroke-linejoin:round;fill:none", color, s.size or 1.2)
  out[#out + 1] = svg.element("path", { d = concat(d), style = style })
end

local function color_of(s, i) return s.color or lines.colors[(i - 1) % #lines.colors + 1] end

local function add_labels(out, p, plot)
  local middle, y = LEFT + plot.w / 2, TOP + plot.h / 2
  if p.title then out[#out + 1] = svg.text(LEFT, 19, p.title, { class = "head" }) end
  if p.x_label then out[#out + 1] = svg.text(middle, TOP + plot.h + 39, p.x_label, { ["text-anchor"] = "middle" }) end
  if p.y_label then
    out[#out + 1] = svg.text(14, y, p.y_label, { ["text-anchor"] = "middle", transform = format("rotate(-90 14 %.1f)", y) })
  end
  local x = LEFT + 10
  for i, s in ipairs(p.series) do
    if s.label then
      out[#out + 1] = svg.text(x, TOP + 16, s.label, { style = "fill:" .. color_of(s, i) })
      x = x + 8 * #s.label + 16
    end
  end
end

local function axis_of(p, name)
  local low, high = range_of(p.series, name, p[name .. "_log"])
  local given = p[name .. "_range"]
  if given then return new_axis(p[name .. "_log"], given[1], given[2]) end
  if name == "y" and not p.y_log then
    local room = (high - low) * 0.04
    low, high = low - room, high + room
  end
  return new_axis(p[name .. "_log"], low, high)
end

function lines.svg(p)
  local width, height = p.width or 720, p.height or 400
  local plot = { w = width - LEFT - RIGHT, h = height - TOP - BOTTOM }
  local x_axis, y_axis, out = axis_of(p, "x"), axis_of(p, "y"), {}
  local function place(x, y)
    local fx, fy = is_finite(x) and x_axis.at(x), is_finite(y) and y_axis.at(y)
    if not (fx and fy and fx >= 0 and fx <= 1 and fy >= 0 and fy <= 1) then return nil end
    return LEFT + fx * plot.w, TOP + (1 - fy) * plot.h
  end
  for _, mark in ipairs(p.marks or {}) do
    local f = x_axis.at(mark)
    local d = format("M%.1f %dv%d", LEFT + f * plot.w, TOP, plot.h)
    if f >= 0 and f <= 1 then out[#out + 1] = svg.element("path", { class = "few", d = d, style = "stroke:var(--dim)" }) end
  end
  for i, s in ipairs(p.series) do
    if s.kind == "line" then add_line(out, s, color_of(s, i), place) else add_points(out, s, color_of(s, i), place) end
  end
  out[#out + 1] = svg.element("rect", { class = "none", x = LEFT, y = TOP, width = plot.w, height = plot.h })
  add_axis(out, plot, x_axis, true)
  add_axis(out, plot, y_axis, false)
  add_labels(out, p, plot)
  return svg.picture { width = width, height = height, standalone = p.standalone, title = p.title or "plot", body = concat(out) }
end

return lines
