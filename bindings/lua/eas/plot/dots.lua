-- eas.plot.dots: the plots of eas.plot.lines in a terminal: braille (2 x 4 dots a character), or ASCII.
--   lines = dots.draw(plot, { columns = 78, lines = 12, utf8 = true })    plot is what lines.svg takes
local dots = {}
local floor, huge, log10 = math.floor, math.huge, math.log10

-- Dots of a character: bit of (column, row), after Unicode's braille block.
local BITS = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } }
local ASCII = { ".", ":", "*", "#" }

local function character(code)
  local c = 0x2800 + code
  return string.char(0xe0 + floor(c / 4096), 0x80 + floor(c / 64) % 64, 0x80 + c % 64)
end

local function reader(values)
  if type(values) == "cdata" then return tonumber(values.n), function(i) return values[i - 1] end end
  return #values, function(i) return values[i] end
end

local function scaled(v, is_log)
  if type(v) ~= "number" then return 0 / 0 end
  if is_log then return v > 0 and log10(v) or 0 / 0 end
  return v - v == 0 and v or 0 / 0
end

local function range_of(p, name)
  local low, high, is_log, given = huge, -huge, p[name .. "_log"], p[name .. "_range"]
  if given then return scaled(given[1], is_log), scaled(given[2], is_log) end
  for _, s in ipairs(p.series) do
    local n, get = reader(s[name])
    for i = 1, n do
      local v = scaled(get(i), is_log)
      if v < low then low = v end
      if v > high then high = v end
    end
  end
  if low == high then low, high = low - 0.5, high + 0.5 end
  return low, high
end

-- Marks the dots of a line from one point to the next, so that steep sides stay joined.
local function join(mark, x0, y0, x1, y1)
  local steps = math.max(math.abs(x1 - x0), math.abs(y1 - y0), 1)
  for k = 0, steps do mark(floor(x0 + (x1 - x0) * k / steps + 0.5), floor(y0 + (y1 - y0) * k / steps + 0.5)) end
end

local function add_series(s, p, place, mark)
  local n, x = reader(s.x)
  local _, y = reader(s.y)
  local bx, by
  for i = 1, n do
    local px, py = place(scaled(x(i), p.x_log), scaled(y(i), p.y_log))
    if px and s.kind == "line" and bx then join(mark, bx, by, px, py) elseif px then mark(px, py) end
    bx, by = px, py
  end
end

local function label(v, is_log)
  if is_log then v = 10 ^ v end
  return (math.abs(v) < 100 and math.abs(v) >= 0.001 and "%.4f" or "%.6g"):format(v)
end

local function cell(row, column, across, down, marked, utf8)
  local code, count = 0, 0
  for i = 1, across do
    for j = 1, down do
      if marked[(row * down + j - 1) * 100000 + column * across + i - 1] then
        code, count = code + BITS[i][j], count + 1
      end
    end
  end
  if count == 0 then return " " end
  return utf8 and character(code) or ASCII[math.min(count, 4)]
end

function dots.draw(p, options)
  local utf8 = options.utf8 ~= false
  local columns, lines = math.max(20, (options.columns or 78) - 12), options.lines or 12
  local across, down = utf8 and 2 or 1, utf8 and 4 or 2
  local x0, x1 = range_of(p, "x")
  local y0, y1 = range_of(p, "y")
  if not (x1 >= x0 and y1 >= y0) then return { "nothing to draw: no finite numbers" } end
  local marked = {}
  local function mark(x, y) marked[y * 100000 + x] = true end
  local function place(x, y)
    local fx, fy = (x - x0) / (x1 - x0), (y1 - y) / (y1 - y0)
    if not (fx >= 0 and fx <= 1 and fy >= 0 and fy <= 1) then return nil end
    return floor(fx * (columns * across - 1) + 0.5), floor(fy * (lines * down - 1) + 0.5)
  end
  for _, s in ipairs(p.series) do
    add_series(s, p, place, mark)
  end
  local out = {}
  if p.title then out[1] = "  " .. p.title end
  for row = 0, lines - 1 do
    local text = {}
    for column = 0, columns - 1 do text[#text + 1] = cell(row, column, across, down, marked, utf8) end
    local name = row == 0 and label(y1, p.y_log) or row == lines - 1 and label(y0, p.y_log) or ""
    out[#out + 1] = (("%10s |%s"):format(name, table.concat(text)):gsub("%s+$", ""))
  end
  local left, right, middle = label(x0, p.x_log), label(x1, p.x_log), p.x_label or ""
  local free = columns - #left - #right - #middle
  local half = math.max(1, floor(free / 2))
  out[#out + 1] = (" "):rep(12) .. left .. (" "):rep(half) .. middle .. (" "):rep(math.max(1, free - half)) .. right
  return out
end

return dots
