-- eas.fold: a light curve folded at a period, binned around mid-transit, and drawn.
local fold = {}
local floor, huge = math.floor, math.huge

-- Means of n bins of phase, from -half to half (day) around mid-transit. NaN where a bin is empty.
function fold.bins(lc, period, t0, half, n)
  local sum, count = {}, {}
  for k = 1, n do sum[k], count[k] = 0, 0 end
  local time, flux = lc.time, lc.flux
  for i = 0, lc.n - 1 do
    local phase = (time[i] - t0 + period / 2) % period - period / 2
    if phase >= -half and phase < half and flux[i] == flux[i] then
      local k = floor((phase + half) / (2 * half) * n) + 1
      if k <= n then sum[k], count[k] = sum[k] + flux[i], count[k] + 1 end
    end
  end
  local mean = {}
  for k = 1, n do mean[k] = count[k] > 0 and sum[k] / count[k] or 0 / 0 end
  return mean
end

function fold.range(values)
  local low, high = huge, -huge
  for _, v in ipairs(values) do
    if v < low then low = v end
    if v > high then high = v end
  end
  return low, high
end

-- Dots of a character: bit of (column, row), after Unicode's braille block.
local BITS = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } }

local function character(code)
  local c = 0x2800 + code
  return string.char(0xe0 + floor(c / 4096), 0x80 + floor(c / 64) % 64, 0x80 + c % 64)
end

-- Marks the dots between neighbouring bins, so that steep sides stay joined.
local function dots_of(values, rows, low, high)
  local dots, before = {}, nil
  for x, v in ipairs(values) do
    dots[x] = {}
    if v == v then
      local y = high > low and floor((high - v) / (high - low) * (rows - 1) + 0.5) + 1 or 1
      local from, to = before and math.min(before + 1, y) or y, before and math.max(before - 1, y) or y
      if before and before > y then from, to = y, before - 1 end
      for k = math.max(1, math.min(from, to)), math.min(rows, math.max(from, to)) do dots[x][k] = true end
      before = y
    end
  end
  return dots
end

-- Lines of a plot, `lines` high: braille (2 x 4 dots a character), or ASCII (one).
function fold.plot(values, lines, utf8)
  local low, high = fold.range(values)
  if not (high >= low) then return {} end
  local down, across = utf8 and 4 or 1, utf8 and 2 or 1
  local dots, out = dots_of(values, lines * down, low, high), {}
  for line = 1, lines do
    local text = {}
    for x = 1, #values, across do
      local code = 0
      for i = 1, across do
        for j = 1, down do
          if dots[x + i - 1] and dots[x + i - 1][(line - 1) * down + j] then code = code + BITS[i][j] end
        end
      end
      text[#text + 1] = utf8 and (code > 0 and character(code) or " ") or (code > 0 and "*" or " ")
    end
    out[line] = table.concat(text)
  end
  return out, low, high
end

return fold
