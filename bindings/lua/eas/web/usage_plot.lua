-- eas.web.usage_plot: memory and CPU of an attempt over its time.
local h = require "eas.web.html"
local format = require "eas.web.format"
local parts = require "eas.web.parts"
local svg = require "eas.web.svg"

local usage_plot = {}
local MOST_ROWS = 60

-- Seconds, or minutes or hours of what ran for long.
local function unit_of(last_ms)
  if last_ms < 300e3 then return 1e3, "s" end
  if last_ms < 3 * 3600e3 then return 60e3, "min" end
  return 3600e3, "h"
end

-- Points as { ms, CPUs in use since the point before, kB }; the end of what has ended is known by its own figures.
function usage_plot.points(a)
  local u, out, before, used = a.usage, {}, 0, 0
  for i = 1, #u.ms do
    local wide = u.ms[i] - before
    out[i] = { u.ms[i], wide > 0 and math.max(0, (u.cpu_ms[i] - used) / wide) or 0, u.rss_kb[i] }
    before, used = u.ms[i], u.cpu_ms[i]
  end
  return out
end

local function drawn(points, column, label, ylabel, scale, per, unit)
  local s = { x = {}, y = {}, kind = "line" }
  local high = 0
  for i, p in ipairs(points) do
    s.x[i], s.y[i] = p[1] / per, p[column] / scale
    high = math.max(high, s.y[i])
  end
  return h.figure { class = "usage", svg.plot { series = { s }, x0 = 0, x1 = math.max(s.x[#s.x], 1e-3), y0 = 0, y1 = high > 0 and high
    or 1, wide = 560, high = 190, from_zero = true, xlabel = "since its start / " .. unit, ylabel = ylabel, label = label },
    h.figcaption(label) }
end

function usage_plot.section(a)
  if not (a.usage and #a.usage.ms > 1) then
    return a.state == "running" and a.started_at and h.p { class = "hint", "Memory and CPU over time are drawn after some seconds." } or nil
  end
  local points, rows = usage_plot.points(a), {}
  local per, unit = unit_of(points[#points][1])
  local peak, most = 0, 0
  for _, p in ipairs(points) do most, peak = math.max(most, p[2]), math.max(peak, p[3]) end
  local every = math.ceil(#points / MOST_ROWS)
  for i = 1, #points, every do
    local p = points[i]
    rows[#rows + 1] = { ("%.4g %s"):format(p[1] / per, unit), format.size(p[3] * 1024), ("%.2f"):format(p[2]) }
  end
  return { h.div { class = "pair",
      drawn(points, 3, "Memory: at most " .. format.size(peak * 1024), "memory / MB", 1e6 / 1024, per, unit),
      drawn(points, 2, ("CPU: at most %.2f in use"):format(most), "CPUs in use", 1, per, unit) },
    h.details { h.summary "memory and CPU as a table", parts.table({ "after", { "memory", n = true }, { "CPUs in use", n = true } }, rows,
      "", { label = "memory and CPU over time" }) } }
end

return usage_plot
