-- eas.plot.svg: what plots share: escaped text, ticks, colours, and an SVG that fits light and dark pages and print.
--
--   svg.escape(text)                  for text and for attributes in double quotes; nil is ""
--   svg.number(x)                     short: 0.05, 17.62, 1.2e-05; NaN and nil "-"
--   svg.ticks(low, high, n)           about n round numbers within
--   svg.shade(share)                  fill of 0 (light) to 1 (dark), and the ink to write on it with
--   svg.element(name, attributes, inner)   attributes are escaped, sorted; inner is SVG already
--   svg.text(x, y, words, attributes)      words are escaped
--   svg.picture { width, height, title, desc, body, standalone }   the whole; standalone: a file of its own
--   svg.css                           what a page that shows pictures puts into its style, once
-- Colours are the classes of svg.css and follow its variables --ink --dim --line --mark --paper.
local svg = {}
local floor, format, concat = math.floor, string.format, table.concat

local NAMES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- Bytes that no XML may hold become U+FFFD.
function svg.escape(text)
  if text == nil then return "" end
  return (tostring(text):gsub("[&<>\"']", NAMES):gsub("[%z\1-\8\11\12\14-\31\127]", "\239\191\189"))
end

function svg.number(x)
  if type(x) ~= "number" or x ~= x then return "-" end
  if x == floor(x) and math.abs(x) < 1e7 then return format("%d", x) end
  return (format("%.4g", x))
end

function svg.ticks(low, high, n)
  if not (high > low) then return { low } end
  local rough = (high - low) / (n or 5)
  local unit = 10 ^ floor(math.log10(rough))
  local step = unit * 10
  for _, m in ipairs { 1, 2, 2.5, 5 } do
    if unit * m >= rough then
      step = unit * m
      break
    end
  end
  local list = {}
  for k = math.ceil(low / step - 1e-9), floor(high / step + 1e-9) do list[#list + 1] = k * step end
  return list
end

local SHADES = { { 0xf3, 0xf6, 0xfb }, { 0xbf, 0xd5, 0xec }, { 0x73, 0xa9, 0xd8 }, { 0x2b, 0x6f, 0xb0 }, { 0x0a, 0x2f, 0x62 } }

local function linear(c)
  c = c / 255
  return c <= 0.04045 and c / 12.92 or ((c + 0.055) / 1.055) ^ 2.4
end

function svg.shade(share)
  share = math.max(0, math.min(1, share ~= share and 0 or share))
  local at = share * (#SHADES - 1)
  local i = math.min(floor(at) + 1, #SHADES - 1)
  local f, rgb = at - (i - 1), {}
  for k = 1, 3 do rgb[k] = floor(SHADES[i][k] + f * (SHADES[i + 1][k] - SHADES[i][k]) + 0.5) end
  local light = 0.2126 * linear(rgb[1]) + 0.7152 * linear(rgb[2]) + 0.0722 * linear(rgb[3])
  -- black or white, whichever stands out more (WCAG contrast)
  local ink = (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) and "#000000" or "#ffffff"
  return format("#%02x%02x%02x", rgb[1], rgb[2], rgb[3]), ink
end

function svg.element(name, attributes, inner)
  local keys, parts = {}, { "<", name }
  for key in pairs(attributes or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local v = attributes[key]
    if type(v) == "number" then v = (format("%.2f", v):gsub("%.?0+$", "")) end
    parts[#parts + 1] = format(' %s="%s"', key, svg.escape(v))
  end
  parts[#parts + 1] = inner and ">" .. inner .. "</" .. name .. ">" or "/>"
  return concat(parts)
end

function svg.text(x, y, words, attributes)
  attributes = attributes or {}
  attributes.x, attributes.y = x, y
  return svg.element("text", attributes, svg.escape(words))
end

svg.css = [[
.plot{font:13px/1.2 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;max-width:100%;height:auto}
.plot text{fill:var(--ink)}.plot .dim{fill:var(--dim)}.plot .head{font-weight:600;font-size:15px}
.plot .small{font-size:11px}.plot .axis{stroke:var(--line);stroke-width:1;fill:none}
.plot .half{stroke:#d1570b;stroke-width:2.5;fill:none;stroke-linejoin:round;stroke-linecap:round}
.plot .halo{stroke:#fff;stroke-width:5.5;fill:none;stroke-linejoin:round;stroke-linecap:round}
.plot .few{fill:none;stroke-width:1;stroke-dasharray:4 3;opacity:.8}
.plot .none{fill:none;stroke:var(--line);stroke-width:1}
.plot .point{fill:var(--dim);opacity:.55}.plot .bin{fill:var(--paper);stroke:var(--mark);stroke-width:1.6}
.plot .model{stroke:#d1570b;stroke-width:2;fill:none}
]]

local COLOURS = ":root{--ink:#1b1f24;--dim:#59636e;--line:#b4bcc6;--mark:#1f5fa8;--paper:#fff}"
local DARK = "@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--dim:#a3adb8;--line:#4b5560;--mark:#7db4ea;--paper:#14181d}}"
svg.light, svg.dark = COLOURS, DARK

-- What draws files by themselves (librsvg, office programs) knows no variables: colours as they are on white.
local function plain(text)
  return (text:gsub("var%(%-%-(%a+)%)", function(name) return COLOURS:match("%-%-" .. name .. ":(#%x+)") end))
end

function svg.picture(p)
  local inner = { svg.element("title", {}, svg.escape(p.title)), p.desc and svg.element("desc", {}, svg.escape(p.desc)) or "" }
  -- a file of its own goes into talks and papers: light, on white
  if p.standalone then
    inner[#inner + 1] = "<style>" .. plain(svg.css) .. "</style>"
    inner[#inner + 1] = svg.element("rect", { width = p.width, height = p.height, fill = "#ffffff" })
  end
  inner[#inner + 1] = p.standalone and plain(p.body) or p.body
  return svg.element("svg", { xmlns = "http://www.w3.org/2000/svg", class = "plot", role = "img", width = p.width, height = p.height,
    viewBox = format("0 0 %d %d", p.width, p.height), ["aria-label"] = p.title }, concat(inner))
end

return svg
