-- maps: what was found against what was injected, over two loop variables, a panel per detector.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local format = require "eas.web.format"
local h = require "eas.web.html"
local json = require "eas.json"
local parts = require "eas.web.parts"
local plot = require "eas.plot.map"
local where = require "eas.web.where"

local page = {
  summary = "recovery maps: found, missed, aliases over two loop variables, per detector",
  query = { { "job", "string", "j3; default the newest" }, { "x", "string", "loop variable across" },
    { "y", "string", "loop variable upwards" }, { "type", "string", "one detector alone" } },
}
local PAGE, MOST = 250, 20000
local BUDGET_S = 0.08

-- Results with a truth to compare with, of as many tasks as the time allows.
local function searched(job)
  local rows, after, read, until_s = {}, nil, 0, os.clock() + BUDGET_S
  repeat
    local some = ask.of("results", { job = job, after = after, limit = PAGE })
    for _, r in ipairs(some) do
      if r.result.outcome == "PASS" or r.result.outcome == "FAIL" then rows[#rows + 1] = r end
      after = r.task
    end
    read = read + #some
  until #some < PAGE or read >= MOST or os.clock() > until_s
  return rows, read
end

local function variables(rows)
  local names, list = {}, json.list()
  for _, r in ipairs(rows) do
    for k, v in pairs(r.parameters) do
      if type(v) == "number" and not k:find "_index$" and not names[k] then
        names[k] = true
        list[#list + 1] = k
      end
    end
  end
  table.sort(list)
  return list
end

-- The first that holds one of the words, as the report chooses them: periods go across, sizes up.
local function named(names, other, words)
  for _, word in ipairs(words) do
    for _, name in ipairs(names) do
      if name ~= other and name:find(word, 1, true) then return name end
    end
  end
end

local function axis(rows, name)
  local seen, list = {}, json.list()
  for _, r in ipairs(rows) do
    local v = name and r.parameters[name] or 0
    if not seen[v] and #list < 60 then seen[v], list[#list + 1] = true, v end
  end
  table.sort(list)
  return list
end

-- How strongly a search saw what it found; the same name for all of a job's.
local STATISTICS = { { "sde", "SDE" }, { "snr", "S/N" }, { "power", "power" } }
local function statistic(r)
  for _, s in ipairs(STATISTICS) do
    local v = r.result[s[1]]
    if type(v) == "number" and v == v then return v, s[2] end
  end
end

local function median(list)
  table.sort(list)
  local n = #list
  return n % 2 == 1 and list[(n + 1) / 2] or (list[n / 2] + list[n / 2 + 1]) / 2
end

-- From what its searches said to what a cell shows: {statistic, median, least, greatest}.
local function sum_up(c)
  local list = c.list
  c.list = nil
  if #list == 0 then return end
  c.median = median(list)
  c.least, c.greatest = list[1], list[#list]
end

local function panels(rows, x, y)
  local by, list = {}, json.list()
  for _, r in ipairs(rows) do
    local p = by[r.type]
    if not p then
      p = { type = r.type, n = 0, found = 0, cells = json.list(), at = {} }
      by[r.type], list[#list + 1] = p, p
    end
    local vx, vy = x and r.parameters[x] or 0, y and r.parameters[y] or 0
    local key = vx .. " " .. vy
    local c = p.at[key]
    if not c then
      c = { x = vx, y = vy, n = 0, found = 0, alias = 0, list = {} }
      p.at[key], p.cells[#p.cells + 1] = c, c
    end
    local found = r.result.outcome == "PASS"
    c.n, p.n = c.n + 1, p.n + 1
    if found then c.found, p.found = c.found + 1, p.found + 1 end
    local v, name = statistic(r)
    if v then c.list[#c.list + 1], c.statistic = v, c.statistic or name end
    if not found and type(r.result.alias) == "string" then c.alias = c.alias + 1 end
  end
  for _, p in ipairs(list) do
    p.at = nil
    for _, c in ipairs(p.cells) do sum_up(c) end
  end
  return list
end

local function detectors(rows)
  local seen, list = {}, json.list()
  for _, r in ipairs(rows) do
    if not seen[r.type] then seen[r.type], list[#list + 1] = true, r.type end
  end
  table.sort(list)
  return list
end

local function of_type(rows, type)
  local list = {}
  for _, r in ipairs(rows) do
    if r.type == type then list[#list + 1] = r end
  end
  return list
end

function page.data(query)
  local job = context.job(query)
  if not job then return {} end
  local rows, read = searched(job.job)
  local types = detectors(rows)
  if query.type then rows = of_type(rows, query.type) end
  local names = variables(rows)
  local x = query.x or named(names, nil, { "period" }) or names[#names]
  local y = query.y or named(names, x, { "radius", "size", "depth", "mes" })
  for _, name in ipairs(names) do
    if not y and name ~= x then y = name end
  end
  return { job = job, variables = names, x = x, y = y, xs = axis(rows, x), ys = axis(rows, y), panels = panels(rows, x, y), read = read,
    types = types,
    all = read < MOST and read % PAGE ~= 0 }
end

-- "size 2, period 10: found 3 of 4, 1 alias, SDE 8.4 (6.1 to 12)"
local function words_of(c, data)
  local at = {}
  if data.x then at[1] = data.x .. " " .. format.number(c.x) end
  if data.y then at[#at + 1] = data.y .. " " .. format.number(c.y) end
  local text = ("%s: found %d of %d"):format(table.concat(at, ", "), c.found, c.n)
  if c.alias > 0 then text = text .. (c.alias == 1 and ", 1 alias" or (", %d aliases"):format(c.alias)) end
  if not c.median then return text end
  return ("%s, %s %.3g%s"):format(text, c.statistic, c.median, c.n > 1 and (" median (%.3g to %.3g)"):format(c.least, c.greatest) or "")
end

-- The tasks of a cell, as a list.
local function tasks_of(p, c, data)
  local values = {}
  if data.x then values[data.x] = c.x end
  if data.y then values[data.y] = c.y end
  return h.url("/tasks", { job = data.job.job, type = p.type, where = next(values) and where.text(values) or nil })
end

local SIZE, LEFT, LOW = 44, 60, 36

-- The box of a cell, which opens its tasks, and its words, which go over the line.
local function draw_cell(p, c, data, column, row)
  local x, y, share = LEFT + (column - 1) * SIZE, row * SIZE, c.found / c.n
  local text = words_of(c, data)
  return h.a { href = tasks_of(p, c, data), ["aria-label"] = text .. "; its tasks", ["data-says"] = text,
    h.rect { x = x + 1, y = y + 1, width = SIZE - 2, height = SIZE - 2, rx = 3, class = "cell" .. (c.n < 5 and " few" or ""),
      ["fill-opacity"] = ("%.2f"):format(0.06 + 0.94 * share), h.title(text) } },
    h.text { x = x + SIZE / 2, y = y + SIZE / 2 + 4, ["text-anchor"] = "middle", class = "share", ["aria-hidden"] = "true",
      c.n == 1 and (c.found == 1 and "\226\151\143" or c.alias > 0 and "\226\151\144" or "\226\151\139")
        or ("%d/%d"):format(c.found, c.n) }
end

-- Where the share of what was found crosses one half.
local function half_line(p, data, column, row)
  local share, path = {}, {}
  for _, c in ipairs(p.cells) do
    if column[c.x] and row[c.y] then share[column[c.x] .. " " .. #data.ys - row[c.y]] = c.found / c.n end
  end
  for _, s in ipairs(plot.contour(#data.xs, #data.ys, function(k, r) return share[k .. " " .. r] end)) do
    path[#path + 1] = ("M%.1f %.1fL%.1f %.1f"):format(LEFT + s[1][1] * SIZE, (#data.ys - s[1][2]) * SIZE, LEFT + s[2][1] * SIZE,
      (#data.ys - s[2][2]) * SIZE)
  end
  if #path == 0 then return nil end
  local d = table.concat(path)
  return { h.path { class = "halo", d = d }, h.path { class = "half", d = d } }
end

local function draw(p, data)
  local column, row, drawn, words = {}, {}, {}, {}
  for i, v in ipairs(data.xs) do
    column[v] = i
    drawn[#drawn + 1] = h.text { x = LEFT + (i - 0.5) * SIZE, y = #data.ys * SIZE + 14, class = "tick", ["text-anchor"] = "middle",
      format.number(v) }
  end
  for i, v in ipairs(data.ys) do
    row[v] = #data.ys - i
    drawn[#drawn + 1] = h.text { x = LEFT - 6, y = (row[v] + 0.5) * SIZE + 4, class = "tick", ["text-anchor"] = "end", format.number(v) }
  end
  for _, c in ipairs(p.cells) do
    if column[c.x] and row[c.y] then
      drawn[#drawn + 1], words[#words + 1] = draw_cell(p, c, data, column[c.x], row[c.y])
    end
  end
  drawn[#drawn + 1] = half_line(p, data, column, row) or nil
  drawn[#drawn + 1] = words
  drawn[#drawn + 1] = h.text { x = LEFT + #data.xs * SIZE / 2, y = #data.ys * SIZE + 30, class = "axis", ["text-anchor"] = "middle",
    data.x or "" }
  return h.figure { class = "map", h.figcaption { h.b(p.type), (" found %d of %d"):format(p.found, p.n), data.y and ", " .. data.y
    .. " upwards" or "" },
    h.div { class = "scroll", tabindex = "0", role = "region", ["aria-label"] = "map of " .. p.type,
      h.svg { width = math.max(LEFT + #data.xs * SIZE + 4, 140), height = #data.ys * SIZE + LOW, role = "group",
        ["aria-label"] = ("%s found %d of %d"):format(p.type, p.found, p.n), drawn } },
    h.p { class = "says hint", hidden = true } }
end

-- Where a detector finds half, in the words of the report.
local function sentence(p, data)
  local column, row, cells = {}, {}, {}
  for i, v in ipairs(data.xs) do column[v] = i end
  for i, v in ipairs(data.ys) do row[v], cells[i] = i, {} end
  for _, c in ipairs(p.cells) do
    if column[c.x] and row[c.y] then cells[row[c.y]][column[c.x]] = c end
  end
  return plot.sentence({ columns = data.x and { name = data.x, values = data.xs }, rows = data.y and { name = data.y, values = data.ys } },
    { type = p.type, n = p.n, found = p.found, cells = cells }) .. ". "
end

-- The maps of a job alone, for its own page; nil if there are none.
function page.drawn(job)
  local data, drawn = page.data { job = job }, {}
  for i, p in ipairs(data.panels) do drawn[i] = draw(p, data) end
  return #drawn > 0 and h.div { class = "maps", ["data-live"] = "maps", drawn } or nil
end

local function chooser(data, query)
  local fields, types = {}, { { "", "all detectors" } }
  for i, t in ipairs(data.types) do types[i + 1] = { t, t } end
  if #data.types > 1 then fields[1] = parts.choice("type", "Detector", query.type, types) end
  if #data.variables > 1 then
    fields[#fields + 1] = parts.choice("x", "Across", data.x, data.variables)
    fields[#fields + 1] = parts.choice("y", "Upwards", data.y, data.variables)
  end
  return #fields > 0 and parts.form("/maps", { job = data.job.job }, fields) or nil
end

function page.page(data, query)
  local job = data.job
  if not job then return context.no_jobs "Maps" end
  if #data.panels == 0 then
    return { title = "Maps of " .. job.job, heading = "Recovery maps", job = job, topic = job.job,
      body = h.p { class = "empty", ["data-live"] = "maps",
      #data.variables == 0 and "No loop over parameters whose searches have a truth to compare with has ended yet."
        or "No search with a truth has ended yet." } }
  end
  local drawn, words = {}, {}
  for i, p in ipairs(data.panels) do drawn[i], words[i] = draw(p, data), sentence(p, data) end
  return { title = "Maps of " .. job.job, heading = "Recovery maps", job = job, topic = job.job, body = {
    chooser(data, query),
    h.p { class = "facts", words, not data.all and ("Of the first " .. format.count(data.read) .. " results.") or nil },
    h.p { class = "hint", "\226\151\143 found, \226\151\144 an alias, \226\151\139 missed; with several in a cell: found of all. "
      .. "A dashed outline: fewer than five. "
      .. "The line: half of all found. A cell opens its tasks." },
    h.div { class = "maps", ["data-live"] = "maps", drawn } } }
end

return page
