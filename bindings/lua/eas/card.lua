-- eas.card: what `eas search` prints: a card for one light curve, a row each for several; the fold as SVG.
local fold = require "eas.fold"
local plot = require "eas.plot.fold"
local card = {}

local INK = { pass = "32", warn = "33", fail = "31", dim = "2", bold = "1" }
local SYMBOL = { pass = "✓", warn = "!", fail = "✗", note = "~", skip = "-" }
local ASCII = { pass = "+", warn = "!", fail = "x", note = "~", skip = "-" }
local shown = { -- checks on the card: name there, format, sign of the limit
  sde = { "significance", "%.1f", "≥" }, red_snr = { "red-noise SNR", "%.1f", "≥" }, transits = { "transits", "%d", "≥" },
  odd_even = { "odd/even", "%.1f σ", "<" }, secondary = { "secondary", "%.1f σ", "<" }, share = { "best event", "%.2f", "≤" },
  shape = { "shape", "%.1f", "≤" }, duration = { "duration/Sun", "%.2f", "≤" }, depth = { "depth", "%.4f", "≤" },
  snr = { "SNR", "%.1f", "≥" }, leave_out = { "loss without the best event", "%.2f", "≤" }, empty = { "empty transits", "%.2f", "<" },
  scatter = { "chance of the scatter", "%.2g", "≥" }, coverage = { "coverage", "%.2f", "≥" },
  artefact = { "off an instrument's period", "%.2g", "≥" }, candidate = { "candidate", "%d", "=" },
  sine = { "sine", "%.3g", "≤" }, alias = { "alias", "%.3g", "=" }, edges = { "at gaps", "%.2f", "≤" },
  inverted = { "upside down", "%.2f", "<" }, radius = { "radius/Jupiter", "%.2f", "≤" },
  false_alarm = { "chance in noise", "%.1e", "≤" },
}
local broken = { ["≥"] = "<", ["<"] = "≥", ["≤"] = ">", ["="] = "≠" } -- what a limit that does not hold reads like
local order = { "sde", "red_snr", "transits", "odd_even", "secondary", "share", "shape", "sine" }

local function ink(request, name, text)
  return request.color and INK[name] and "\27[" .. INK[name] .. "m" .. text .. "\27[0m" or text
end

local function plain(request, text)
  if request.utf8 ~= false then return text end
  return (text:gsub("≥", ">="):gsub("≤", "<="):gsub("≠", "!="):gsub("σ", "sigma"):gsub("±", "+-"))
end

local function number(format, x)
  return type(x) == "number" and x == x and format:format(x) or "-"
end

-- Columns that a text takes: characters, not bytes.
local function width(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

local function pad(text, columns)
  return text .. (" "):rep(columns - width(text))
end

-- 14 280: groups of three from 10 000.
local function grouped(n)
  local text = ("%d"):format(n)
  return n < 10000 and text or (text:reverse():gsub("(%d%d%d)", "%1 "):reverse():gsub("^ ", ""))
end

local function credible_text(found, request)
  local v = found.values
  if v.found == false then return "no candidate: " .. (v.why and "nothing fits" or "no box fits") end
  if v.credible == "pass" then return "candidate: " .. ink(request, "pass", "credible") end
  local why = ""
  for _, c in ipairs(v.vetting or {}) do
    if c.verdict == v.credible and why == "" then
      local s = shown[c.name] or { c.name, "%.3g", "limit" }
      why = (" (%s %s %s %s)"):format(s[1], number(s[2], c.value), broken[s[3]] or ", limit", number("%.3g", c.limit))
    end
  end
  local words = { warn = "credible with a warning", fail = "not credible" }
  return "candidate: " .. ink(request, v.credible, words[v.credible] or "not judged") .. plain(request, why)
end

local function head_line(found)
  local m, curve = found.curve.metadata, found.curve
  local used = found.n_points
  local parts = { m.object or found.file:match "[^/]*$" }
  local mission = m.mission and table.concat({ tostring(m.mission), m.obsmode }, " ")
  parts[#parts + 1] = mission
  parts[#parts + 1] = m.flux_column
  local left = curve.n_rows - used
  local why = left > 0 and (" (%s NaN, flagged or cut)"):format(grouped(left)) or ""
  parts[#parts + 1] = ("%s rows, %s used%s"):format(grouped(curve.n_rows), grouped(used), why)
  parts[#parts + 1] = ("%.2f d"):format(found.span)
  return table.concat(parts, "  ")
end

local function uncertain(v, request)
  local half = v.period_uncertainty
  return half and half > 0 and half < math.huge and plain(request, (" ± %.2g"):format(half)) or ""
end

-- Chance of such a peak in white noise; its table ends at 8.0e-5.
local function fap_text(fap, request)
  if not (fap and fap == fap) then return plain(request, fap and "> 0.1 (white noise)" or "-") end
  return plain(request, ("%s%.2g (white noise)"):format(fap < 8.1e-5 and "≤ " or "", fap))
end

local function facts(found, request)
  local v, m = found.values, found.curve.metadata
  local left = {
    { "period", number("%.7g", v.period) .. uncertain(v, request) .. " d" },
    { "mid-time", number("%.5f", v.t0) .. " " .. (m.time_system or "d") },
    { "depth", number("%.0f", v.depth and v.depth * 1e6) .. " ppm" },
    { "duration", number("%.2f", v.duration and v.duration * 24) .. " h" },
  }
  local transits = v.n_transits and ("%s of %s with data"):format(number("%d", v.n_transits), number("%d", v.n_expected))
  local right = { { "SDE", number("%.2f", v.sde) }, { "SNR", number("%.1f", v.depth_snr) },
                  { "transits", transits or "-" }, { "periods", ("%s tried"):format(grouped(v.n_periods or 0)) } }
  if v.rp_rs then -- a search that fits a transit
    right[2] = { "FAP", fap_text(v.fap, request) }
    right[4] = { "Rp/R*", number("%.4f", v.rp_rs) }
  end
  for i, row in ipairs(left) do
    local line = "  " .. pad(row[1], 11) .. pad(row[2], 24) .. pad(right[i][1], 10) .. right[i][2]
    if i == 1 then line = pad(line, 58) .. credible_text(found, request) end
    print((line:gsub("%s+$", "")))
  end
end

-- Good samples, 1 out of transit when the file has electrons.
local function relative(found)
  local curve = found.curve:clean()
  return curve.flux:median() > 5 * curve.flux:std() and curve:normalise() or curve
end

local function draw_fold(found, request)
  local v = found.values
  if not (v.period == v.period and v.duration and v.duration == v.duration) then return end
  local half = math.min(1.5 * v.duration, v.period / 2)
  local bins = fold.bins(relative(found), v.period, v.t0, half, request.utf8 ~= false and 78 or 39)
  local lines, low, high = fold.plot(bins, 5, request.utf8 ~= false)
  local digits = high and high < 100 and "%.4f" or "%.6g"
  for i, line in ipairs(lines) do
    local label = i == 1 and digits:format(high) or i == #lines and digits:format(low) or ""
    print(("  %9s |%s"):format(label, line))
  end
  if #lines > 0 then print(("            -%.1f h%s0%s+%.1f h"):format(half * 24, (" "):rep(13), (" "):rep(13), half * 24)) end
end

local function check_text(c, request)
  local s = shown[c.name] or { c.name:gsub("_", " "), "%.3g", "limit" }
  local symbols = request.utf8 ~= false and SYMBOL or ASCII
  local limit = type(c.limit) == "number" and c.limit == c.limit and (" (%s %.3g)"):format(s[3], c.limit) or ""
  local value = c.verdict == "skip" and "not enough data" or number(s[2], c.value) .. limit
  return ink(request, c.verdict, symbols[c.verdict] or "?") .. plain(request, (" %s %s"):format(s[1], value))
end

-- The main checks, and any other that warns or fails.
local function vetting_lines(found, request)
  local by_name, list = {}, {}
  for _, c in ipairs(found.values.vetting or {}) do by_name[c.name] = c end
  for _, name in ipairs(order) do
    if by_name[name] then list[#list + 1], by_name[name] = by_name[name], false end
  end
  for _, c in ipairs(found.values.vetting or {}) do
    if by_name[c.name] and (c.verdict == "warn" or c.verdict == "fail") then list[#list + 1] = c end
  end
  local line = "  vetting"
  for _, c in ipairs(list) do
    local text = check_text(c, request)
    if width((line .. "  " .. text):gsub("\27%[[%d;]*m", "")) > 100 then
      print(line)
      line = "         "
    end
    line = line .. "  " .. text
  end
  if #list > 0 then print(line) end
end

function card.card(found, request)
  print(ink(request, "bold", head_line(found)))
  facts(found, request)
  draw_fold(found, request)
  vetting_lines(found, request)
  local wrote = #found.wrote > 0 and "wrote   " .. table.concat(found.wrote, ", ") .. "     " or ""
  print(("  %s%.2g s CPU, %.2g s wall"):format(wrote, found.cpu_seconds, found.wall_seconds))
end

local ROW = "%-36s %8s %12s %14s %10s %9s %7s  %s"

function card.header(request)
  print(ink(request, "dim", ROW:format("light curve", "points", "period/d", "mid-time/d", "depth/ppm", "dur/h", "SDE", "credible")))
end

function card.row(found, request)
  local v, name = found.values, found.file:match "[^/]*$"
  if #name > 36 then name = name:sub(1, 17) .. ".." .. name:sub(-17) end
  local verdict = ink(request, v.credible, v.credible == "pass" and "yes" or v.credible == "fail" and "no" or v.credible or "-")
  print(ROW:format(name, grouped(found.n_points), number("%.7g", v.period), number("%.5f", v.t0),
    number("%.0f", v.depth and v.depth * 1e6), number("%.2f", v.duration and v.duration * 24), number("%.1f", v.sde), verdict))
end

-- The fold as a picture: a file of its own.
function card.svg(found, path)
  local v = found.values
  local picture = plot.svg(relative(found), { period = v.period, t0 = v.t0, duration = v.duration, depth = v.depth, most = 4000,
    title = found.file:match "[^/]*$", note = ("%s: %.7g d, %.0f ppm"):format(found.method, v.period or 0 / 0, (v.depth or 0 / 0) * 1e6),
    standalone = true })
  local file, why = io.open(path, "w")
  if not file then error(why, 0) end
  file:write(picture, "\n")
  file:close()
end

return card
