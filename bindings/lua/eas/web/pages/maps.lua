-- maps: what was found against what was injected, over two loop variables, a panel per detector.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local format = require "eas.web.format"
local h = require "eas.web.html"
local json = require "eas.json"
local parts = require "eas.web.parts"

local page = {
  summary = "recovery maps: found, missed, aliases over two loop variables, per detector",
  query = { { "job", "string", "j3; default the newest" }, { "x", "string", "loop variable across" },
    { "y", "string", "loop variable upwards" } },
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

local function axis(rows, name)
  local seen, list = {}, json.list()
  for _, r in ipairs(rows) do
    local v = name and r.parameters[name] or 0
    if not seen[v] and #list < 60 then seen[v], list[#list + 1] = true, v end
  end
  table.sort(list)
  return list
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
      c = { x = vx, y = vy, n = 0, found = 0, alias = 0, task = r.task }
      p.at[key], p.cells[#p.cells + 1] = c, c
    end
    local found = r.result.outcome == "PASS"
    c.n, p.n = c.n + 1, p.n + 1
    if found then c.found, p.found = c.found + 1, p.found + 1 end
    if not found and type(r.result.alias) == "string" then c.alias = c.alias + 1 end
  end
  for _, p in ipairs(list) do p.at = nil end
  return list
end

function page.data(query)
  local job = context.job(query)
  if not job then return {} end
  local rows, read = searched(job.job)
  local names = variables(rows)
  local x, y = query.x, query.y
  for _, name in ipairs(names) do
    if not x and name:find "period" then x = name end
  end
  x = x or names[#names]
  for _, name in ipairs(names) do
    if not y and name ~= x then y = name end
  end
  return { job = job, variables = names, x = x, y = y, xs = axis(rows, x), ys = axis(rows, y), panels = panels(rows, x, y), read = read,
    all = read < MOST and read % PAGE ~= 0 }
end

local function draw(p, data)
  local size, left, low = 40, 56, 34
  local column, row, drawn = {}, {}, {}
  for i, v in ipairs(data.xs) do
    column[v] = i
    drawn[#drawn + 1] = h.text { x = left + (i - 0.5) * size, y = #data.ys * size + 14, class = "tick", ["text-anchor"] = "middle",
      format.number(v) }
  end
  for i, v in ipairs(data.ys) do
    row[v] = #data.ys - i
    drawn[#drawn + 1] = h.text { x = left - 6, y = (row[v] + 0.5) * size + 4, class = "tick", ["text-anchor"] = "end", format.number(v) }
  end
  for _, c in ipairs(p.cells) do
    if column[c.x] and row[c.y] then
      local x, y, share = left + (column[c.x] - 1) * size, row[c.y] * size, c.found / c.n
      local text = ("%s %s, %s %s: %d of %d found%s"):format(data.x or "", format.number(c.x), data.y or "", format.number(c.y), c.found,
        c.n,
        c.alias > 0 and (", %d aliases"):format(c.alias) or "")
      drawn[#drawn + 1] = h.a { href = "/tasks/" .. c.task, ["aria-label"] = text,
        h.rect { x = x + 1, y = y + 1, width = size - 2, height = size - 2, rx = 3, class = "cell" .. (c.n < 5 and " few" or ""),
          ["fill-opacity"] = ("%.2f"):format(0.06 + 0.94 * share), h.title(text) },
        h.text { x = x + size / 2, y = y + size / 2 + 4, ["text-anchor"] = "middle", class = share > 0.5 and "on" or "off",
          c.n == 1 and (c.found == 1 and "\226\151\143" or c.alias > 0 and "\226\151\144" or "\226\151\139")
            or ("%d/%d"):format(c.found, c.n) } }
    end
  end
  drawn[#drawn + 1] = h.text { x = left + #data.xs * size / 2, y = #data.ys * size + 30, class = "axis", ["text-anchor"] = "middle",
    data.x or "" }
  return h.figure { class = "map", h.figcaption { h.b(p.type), (" found %d of %d"):format(p.found, p.n), data.y and ", " .. data.y
    .. " upwards" or "" },
    h.div { class = "scroll", tabindex = "0", role = "region", ["aria-label"] = "map of " .. p.type,
      h.svg { width = left + #data.xs * size + 4, height = #data.ys * size + low, role = "group",
        ["aria-label"] = ("%s found %d of %d"):format(p.type, p.found, p.n), drawn } } }
end

-- The least y at which a detector finds half, over all x.
local function sentence(p, data)
  local sums, least = {}, nil
  for _, c in ipairs(p.cells) do
    local s = sums[c.y] or { 0, 0 }
    sums[c.y] = { s[1] + c.found, s[2] + c.n }
  end
  for _, v in ipairs(data.ys) do
    if sums[v] and sums[v][1] >= sums[v][2] / 2 then least = least or v else least = nil end
  end
  if not (data.y and least) then return p.type .. " finds less than half everywhere. " end
  return ("%s finds half or more from %s %s. "):format(p.type, data.y, format.number(least))
end

-- The maps of a job alone, for its own page; nil if there are none.
function page.drawn(job)
  local data, drawn = page.data { job = job }, {}
  for i, p in ipairs(data.panels) do drawn[i] = draw(p, data) end
  return #drawn > 0 and h.div { class = "maps", ["data-live"] = "maps", drawn } or nil
end

function page.page(data)
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
    #data.variables > 1 and parts.form("/maps", { job = job.job },
      { parts.choice("x", "Across", data.x, data.variables), parts.choice("y", "Upwards", data.y, data.variables) }) or nil,
    h.p { class = "facts", words, not data.all and ("Of the first " .. format.count(data.read) .. " results.") or nil },
    h.p { class = "hint", "\226\151\143 found, \226\151\144 an alias, \226\151\139 missed; with several in a cell: found of all. "
      .. "A dashed outline: fewer than five." },
    h.div { class = "maps", ["data-live"] = "maps", drawn } } }
end

return page
