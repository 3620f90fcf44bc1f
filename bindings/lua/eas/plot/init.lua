-- eas.plot: what a light curve, a periodogram, a fold or a table of numbers looks like: in the terminal or as a file.
local array = require "eas.array"
local core = require "eas.core"
local lc = require "eas.lc"
local plot = {}

local function of_curve(curve)
  local good, times = {}, {}
  for i = 0, curve.n - 1 do
    if curve.flag[i] % 2 == 0 then times[#times + 1], good[#good + 1] = curve.time[i], curve.flux[i] end
  end
  local m = curve.metadata
  return { title = tostring(m.object or m.filename or "light curve"), x_label = (m.time_system or "time") .. " / d",
    y_label = m.flux_column or "flux", series = { { x = times, y = good, kind = "points", size = 1.6 } } }
end

local y_names = { "power", "sde", "sr", "snr", "chi2", "flux" }

-- A periodogram (eas.table): its column period against the first it has of those that searches write.
local function of_table(t)
  local columns = t.data
  local x = columns.period and "period" or columns.columns[1]
  local y
  for _, name in ipairs(y_names) do y = y or columns[name] and name end
  y = y or columns.columns[2]
  if not (x and y) then error("plot: a table of at least two columns is wanted", 3) end
  local unit = t.units[x] or x == "period" and "d"
  local title = x == "period" and ("%s at %d trial periods"):format(y, columns.n) or y
  return { title = title, x_label = x .. (unit and " / " .. unit or ""), y_label = y,
    x_log = x == "period", series = { { x = columns[x], y = columns[y], kind = "line" } } }
end

-- What plot() was given, as eas.plot.lines takes it.
function plot.of(thing)
  if lc.is(thing) then return of_curve(thing) end
  local meta = type(thing) == "table" and getmetatable(thing)
  if type(meta) == "table" and meta.plot then return meta.plot(thing) end
  if type(thing) == "table" and type(rawget(thing, "data")) == "table" and thing.data.columns then return of_table(thing) end
  if type(thing) == "table" and thing.series then return thing end
  if type(thing) == "table" and thing.x and thing.y then return { series = { thing } } end
  if array.is(thing) or type(thing) == "table" and type(thing[1]) == "number" then
    local y, x = array.is(thing) and thing:table() or thing, {}
    for i = 1, #y do x[i] = array.is(thing) and i - 1 or i end
    return { series = { { x = x, y = y, kind = "points" } } }
  end
  error("plot takes a light curve, a periodogram, a fold, numbers or { x =, y = }, not a " .. type(thing), 3)
end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- PNG is drawn from the SVG by librsvg's program: two lines here, a library and its fonts in every process otherwise.
-- At twice the size, for screens and talks; the file is there whole or, when something fails, as it was before.
local function write_png(text, path)
  if os.execute "command -v rsvg-convert >/dev/null" ~= 0 then
    error(("plot: '%s': a PNG needs rsvg-convert; apt-get install librsvg2-bin, or write .svg, which needs nothing"):format(path), 3)
  end
  local source, made = os.tmpname(), path .. ".part"
  assert(core.write_file(source, text, false))
  local pipe = io.popen(("rsvg-convert --format=png --zoom=2 -o %s %s 2>&1 || echo failed"):format(quoted(made), quoted(source)))
  local said = pipe:read "*a"
  pipe:close()
  os.remove(source)
  local done, why = not said:find "failed%s*$", "rsvg-convert: " .. (said:match "[^\n]+" or "no reason given")
  if done then done, why = os.rename(made, path) end
  if not done then
    os.remove(made)
    error(("plot: '%s': %s"):format(path, why), 3)
  end
end

-- Writes a thing that plot.of takes, as .svg or .png.
function plot.write(thing, path)
  if not path:match "%.svg$" and not path:match "%.png$" then
    error(("plot: '%s': the file must end in .svg or .png"):format(path), 3)
  end
  local meta = type(thing) == "table" and getmetatable(thing)
  local own = type(meta) == "table" and rawget(meta, "svg")
  local text = own and own(thing) or require("eas.plot.lines").svg(setmetatable({ standalone = true }, { __index = plot.of(thing) }))
  if path:match "%.png$" then return write_png(text, path) end
  local ok, why = core.write_file(path, text, false)
  if not ok then error(why, 3) end
end

-- Draws on the terminal: lines of text.
function plot.lines(p, options) return require("eas.plot.dots").draw(p, options) end

return plot
