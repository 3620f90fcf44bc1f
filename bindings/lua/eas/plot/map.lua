-- eas.plot.map: recovery maps: how much of what was injected was found, over two loop variables.
--
-- A map is what `eas_view_recovery` (engine/model/view.h) says, as a table: columns, rows, averaged, panels.
--   map.svg(recovery, panel, { standalone = bool, id = "unique in the page" })   a picture of one panel
--   map.sentence(recovery, panel)     "tls finds half at planet radius 1.4 for period 10"
--   map.title(panel)                  "tls, cadence 600"
--   map.header(recovery)              texts of the columns, for a table
--   map.rows(recovery, panel)         { { label, cell, ... } ... } from the top down; a cell is a table or nil
--   map.contour(n, m, share)          segments of the line at one half, in cells
--   map.half(recovery, panel)         { { column = 10, row = 1.4 } ... }: where the share crosses one half
-- Dark is all, light nothing; "17/20" found of tried; a dashed frame: fewer than 5 tries; hatched: some have not ended; a line
-- where the share, between the cells' middles, is one half.
local svg = require "eas.plot.svg"
local map = {}
local concat, format = table.concat, string.format

local LEFT, TOP, RIGHT, BOTTOM = 78, 56, 92, 62

local function number(x) return type(x) == "number" and x or 0 end
local function is_cell(c) return type(c) == "table" and number(c.n) + number(c.open) + number(c.failed) > 0 end
local function share(c) return is_cell(c) and number(c.n) > 0 and c.found / c.n or nil end

local function side(recovery, name)
  local s = recovery[name]
  return type(s) == "table" and s or nil
end

local function label(s)
  if not s then return "" end
  if type(s.label) == "string" then return s.label end
  local words = s.name:gsub("_", " ")
  return words == "period" and "period (days)" or words
end

-- The label without its unit, for sentences.
local function word(s) return (label(s):gsub("%s*%b()%s*$", "")) end

local function text(s, i)
  if not s then return "" end
  if type(s.edges) == "table" then return svg.number(s.edges[i]) .. "–" .. svg.number(s.edges[i + 1]) end
  local v = s.values[i]
  return type(v) == "number" and svg.number(v) or tostring(v)
end

function map.title(panel)
  local parts, names = { (panel.type:gsub("^transit_search_", "")) }, {}
  for name in pairs(panel.where or {}) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local v = panel.where[name]
    parts[#parts + 1] = name:gsub("_", " ") .. " " .. (type(v) == "number" and svg.number(v) or tostring(v))
  end
  return concat(parts, ", ")
end

-- --- where half is found ---

-- Along each column, from the largest row down: between the middles of two cells.
function map.half(recovery, panel)
  local rows, columns, list = side(recovery, "rows"), side(recovery, "columns"), {}
  if not rows or not columns or type(rows.values[1]) ~= "number" then return list end
  for k = 1, #columns.values do
    for r = #panel.cells - 1, 1, -1 do
      local low, high = share(panel.cells[r][k]), share(panel.cells[r + 1][k])
      if low and high and low < 0.5 and high >= 0.5 then
        local f = (0.5 - low) / (high - low)
        local row = rows.values[r] + f * (rows.values[r + 1] - rows.values[r])
        list[#list + 1] = { column = columns.values[k], row = row }
        break
      end
    end
  end
  return list
end

function map.sentence(recovery, panel)
  local name, half = map.title(panel), map.half(recovery, panel)
  local total = format("%s recovered %d of %d", name, panel.found, panel.n)
  if number(panel.n) == 0 then return name .. ": nothing with a known signal has ended yet" end
  if #half == 0 then
    if panel.found == panel.n then return total .. ": all" end
    return total
  end
  local columns, rows = side(recovery, "columns"), side(recovery, "rows")
  local parts = {}
  local step = math.max(1, math.ceil(#half / 3))
  for i = 1, #half, step do
    parts[#parts + 1] = format("%s at %s %s", svg.number(tonumber(format("%.2g", half[i].row))), word(columns),
      type(half[i].column) == "number" and svg.number(half[i].column) or tostring(half[i].column))
  end
  return format("%s; it finds half from %s %s", total, word(rows), concat(parts, ", "))
end

-- --- the picture ---

local function geometry(recovery, panel)
  local columns = side(recovery, "columns")
  local n, m = columns and #columns.values or 1, #panel.cells -- a row may have holes
  local w = math.max(44, math.min(84, 620 / math.max(n, 1)))
  return { n = n, m = m, w = w, h = math.max(30, math.min(52, 380 / math.max(m, 1))),
           columns = columns, rows = side(recovery, "rows") }
end

local function cell_words(g, k, r, c)
  local where = {}
  if g.columns then where[#where + 1] = word(g.columns) .. " " .. text(g.columns, k) end
  if g.rows then where[#where + 1] = word(g.rows) .. " " .. text(g.rows, r) end
  local words = format("%s: found %d of %d", concat(where, ", "), number(c.found), number(c.n))
  for _, part in ipairs { { "alias", "at an alias" }, { "open", "not ended" }, { "failed", "failed" } } do
    if number(c[part[1]]) > 0 then words = words .. format(", %d %s", c[part[1]], part[2]) end
  end
  return words
end

-- The box of a cell, and its words, which go over the line.
local function draw_cell(g, id, k, r, c)
  local x, y = LEFT + (k - 1) * g.w, TOP + (g.m - r) * g.h
  local function rect(more)
    more.x, more.y, more.width, more.height, more.rx = x + 1, y + 1, g.w - 2, g.h - 2, 2
    return svg.element("rect", more)
  end
  if not is_cell(c) then return rect { class = "none" }, "" end
  local s = share(c)
  local fill, ink = svg.shade(s or 0)
  local box = { svg.element("title", {}, svg.escape(cell_words(g, k, r, c))), s and rect { fill = fill } or rect { class = "none" } }
  if number(c.open) > 0 then box[#box + 1] = rect { fill = "url(#hatch" .. id .. (ink == "#ffffff" and "d" or "l") .. ")" } end
  if s and c.n < 5 then
    box[#box + 1] = svg.element("rect", { class = "few", style = "stroke:" .. ink, x = x + 4, y = y + 4, width = g.w - 8,
      height = g.h - 8, rx = 2 })
  end
  local words, alias = {}, number(c.alias) > 0 and g.h >= 34
  local function say(dy, words_there, class)
    words[#words + 1] = svg.text(x + g.w / 2, y + g.h / 2 + dy, words_there, { ["text-anchor"] = "middle", class = class,
      style = s and format("fill:%s;stroke:%s;stroke-width:3.5;paint-order:stroke;stroke-linejoin:round", ink, fill) or nil })
  end
  if s then
    say(alias and -1 or 5, format("%d/%d", c.found, c.n))
    if alias then say(13, format("%d alias", c.alias), "small") end
  elseif number(c.failed) > 0 and number(c.open) == 0 then
    say(5, "failed", "dim small")
  end
  return svg.element("g", {}, concat(box)), concat(words)
end

-- Segments of the line at one half over n by m cells, x to the right and y upwards in cells from the lower left corner: marching
-- squares between the cells' middles, the outermost repeated half a cell further out. share(column, row): 0 to 1, or nil.
function map.contour(n, m, share_of)
  local segments = {}
  local function at(k, r) return share_of(math.max(1, math.min(n, k)), math.max(1, math.min(m, r))) end
  local function place(i, most) return math.max(0, math.min(most, i - 0.5)) end
  if n < 2 or m < 2 then return segments end
  for k = 0, n do
    for r = 0, m do
      local corners = { { k, r }, { k + 1, r }, { k + 1, r + 1 }, { k, r + 1 } }
      local v, crossings = {}, {}
      for i, c in ipairs(corners) do v[i] = at(c[1], c[2]) end
      if v[1] and v[2] and v[3] and v[4] then
        for i = 1, 4 do
          local j = i % 4 + 1
          if (v[i] >= 0.5) ~= (v[j] >= 0.5) then
            local f = (0.5 - v[i]) / (v[j] - v[i])
            local x1, y1 = place(corners[i][1], n), place(corners[i][2], m)
            local x2, y2 = place(corners[j][1], n), place(corners[j][2], m)
            crossings[#crossings + 1] = { x1 + f * (x2 - x1), y1 + f * (y2 - y1) }
          end
        end
        for i = 1, #crossings - 1, 2 do segments[#segments + 1] = { crossings[i], crossings[i + 1] } end
      end
    end
  end
  return segments
end

local function half_line(g, panel)
  local path = {}
  for _, s in ipairs(map.contour(g.n, g.m, function(k, r) return share(panel.cells[r][k]) end)) do
    path[#path + 1] = format("M%.1f %.1fL%.1f %.1f", LEFT + s[1][1] * g.w, TOP + (g.m - s[1][2]) * g.h, LEFT + s[2][1] * g.w,
      TOP + (g.m - s[2][2]) * g.h)
  end
  if #path == 0 then return "" end
  local d = concat(path)
  return svg.element("path", { class = "halo", d = d }) .. svg.element("path", { class = "half", d = d })
end

local function axes(g)
  local parts, bottom = {}, TOP + g.m * g.h
  local every = math.max(1, math.ceil(46 / g.w * (g.columns and g.columns.edges and 1.6 or 1)))
  for k = 1, g.n, every do
    parts[#parts + 1] = svg.text(LEFT + (k - 0.5) * g.w, bottom + 18, text(g.columns, k), { ["text-anchor"] = "middle" })
  end
  for r = 1, g.m do
    parts[#parts + 1] = svg.text(LEFT - 8, TOP + (g.m - r + 0.5) * g.h + 5, text(g.rows, r), { ["text-anchor"] = "end" })
  end
  parts[#parts + 1] = svg.text(LEFT + g.n * g.w / 2, bottom + 42, label(g.columns), { ["text-anchor"] = "middle" })
  local x, y = 16, TOP + g.m * g.h / 2
  parts[#parts + 1] = svg.text(x, y, label(g.rows), { ["text-anchor"] = "middle", transform = format("rotate(-90 %d %.1f)", x, y) })
  return concat(parts)
end

local function colour_bar(g)
  local parts, x, height = {}, LEFT + g.n * g.w + 22, g.m * g.h
  local steps = 32
  for i = 0, steps - 1 do
    parts[#parts + 1] = svg.element("rect", { x = x, y = TOP + height * (steps - 1 - i) / steps, width = 14, height = height / steps + 0.6,
      fill = (svg.shade((i + 0.5) / steps)) })
  end
  for _, v in ipairs { 0, 0.5, 1 } do
    local y = TOP + height * (1 - v) + (v == 1 and 10 or v == 0 and 0 or 4)
    parts[#parts + 1] = svg.text(x + 20, y, format("%d %%", 100 * v), { class = "small" })
  end
  parts[#parts + 1] = svg.element("path", { class = "half", d = format("M%.1f %.1fh14", x, TOP + height / 2) })
  return concat(parts)
end

function map.svg(recovery, panel, options)
  options = options or {}
  local g, id = geometry(recovery, panel), svg.escape(options.id or "0")
  local parts, words = {}, {}
  for _, kind in ipairs { { "d", "#ffffff" }, { "l", "#000000" } } do
    parts[#parts + 1] = format('<defs><pattern id="hatch%s%s" width="7" height="7" patternUnits="userSpaceOnUse" '
      .. 'patternTransform="rotate(45)"><path d="M0 0v7" stroke="%s" stroke-width="1.6" opacity=".45"/></pattern></defs>',
      id, kind[1], kind[2])
  end
  parts[#parts + 1] = svg.text(LEFT, 22, map.title(panel), { class = "head" })
  parts[#parts + 1] = svg.text(LEFT, 42, format("%d of %d found", panel.found, panel.n), { class = "dim" })
  for r = 1, g.m do
    for k = 1, g.n do
      local box, text_over = draw_cell(g, id, k, r, panel.cells[r][k])
      parts[#parts + 1], words[#words + 1] = box, text_over
    end
  end
  parts[#parts + 1] = half_line(g, panel)
  parts[#parts + 1] = concat(words)
  parts[#parts + 1] = axes(g)
  parts[#parts + 1] = colour_bar(g)
  local width = LEFT + math.max(g.n * g.w + RIGHT, 9 * #map.title(panel))
  return svg.picture { width = width, height = TOP + g.m * g.h + BOTTOM, standalone = options.standalone,
    title = "Recovery map: " .. map.title(panel), desc = map.sentence(recovery, panel), body = concat(parts) }
end

-- --- the same as a table ---

function map.header(recovery)
  local list, columns = {}, side(recovery, "columns")
  for k = 1, columns and #columns.values or 1 do list[k] = columns and text(columns, k) or "all" end
  return list, label(columns), label(side(recovery, "rows"))
end

function map.rows(recovery, panel)
  local list, rows, n = {}, side(recovery, "rows"), #map.header(recovery)
  for r = #panel.cells, 1, -1 do
    local line = { rows and text(rows, r) or "all" }
    for k = 1, n do line[k + 1] = is_cell(panel.cells[r][k]) and panel.cells[r][k] or nil end
    list[#list + 1] = line
  end
  return list
end

return map
