-- eas.web.parts: what several pages show: states, bars, tables, links, the row of a job's pages.
local h = require "eas.web.html"
local format = require "eas.web.format"

local parts = {}
local LINK = { j = "/jobs/", t = "/tasks/", a = "/attempts/", v = "/files/", p = "/files/" }

-- A link to whatever an id names; text if it is not the id.
function parts.link(id, text)
  if not id then return "-" end
  local to = LINK[id:sub(1, 1)]
  return to and h.a { href = to .. id, text or id } or h.span(text or id)
end

function parts.state(state, more)
  return h.span { class = "state s-" .. state, h.span { ["aria-hidden"] = "true", format.symbol(state) }, " ", state, more and " " .. more }
end

-- A stamp that scripts turn into "3 min ago"; without them it is UTC.
function parts.stamp(us)
  if not us then return "-" end
  return h.time { datetime = os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(us / 1e6)), format.stamp(us) }
end

-- Shares by state, as one bar with its sentence.
function parts.bar(counts, total)
  local x, rects, words = 0, {}, {}
  for _, state in ipairs { "passed", "reused", "failed", "skipped", "cancelled", "running", "queued", "waiting" } do
    local n = counts[state] or 0
    if n > 0 then
      local w = 100 * n / math.max(total, 1)
      rects[#rects + 1] = h.rect { x = ("%.3f"):format(x), y = 0, width = ("%.3f"):format(w), height = 6, class = "f-" .. state }
      x, words[#words + 1] = x + w, format.count(n) .. " " .. state
    end
  end
  local sentence = #words > 0 and table.concat(words, ", ") or "no tasks yet"
  return h.svg { class = "bar", viewBox = "0 0 100 6", preserveAspectRatio = "none", role = "img", ["aria-label"] = sentence,
    h.title(sentence), rects }
end

-- columns: { "name", or { "name", n = true (numbers), title = } }; rows: lists of cells. empty: a sentence.
function parts.table(columns, rows, empty, options)
  options = options or {}
  if #rows == 0 then return h.p { class = "empty", empty } end
  local head, body = {}, {}
  for i, c in ipairs(columns) do
    local name = type(c) == "table" and c[1] or c
    head[i] = h.th { scope = "col", class = type(c) == "table" and c.n and "n", title = type(c) == "table" and c.title, name }
  end
  for i, row in ipairs(rows) do
    local cells = {}
    for k, c in ipairs(columns) do
      local class = type(c) == "table" and c.n and "n"
      cells[k] = k == 1 and h.th { scope = "row", class = class, row[k] or "" } or h.td { class = class, row[k] == nil and "-" or row[k] }
    end
    body[i] = h.tr(cells)
  end
  return h.div { class = "scroll", tabindex = "0", role = "region", ["aria-label"] = options.label or "table",
    h.table { id = options.id, ["data-live"] = options.live, ["data-rows"] = true, h.thead(h.tr(head)), h.tbody(body) } }
end

-- A line to type in a terminal; with scripts there is a button that copies it.
function parts.command(line, why)
  return h.p { class = "command", h.code { ["data-copy"] = true, line }, why and h.span { class = "hint", " ", why } }
end

-- key: value, in order of the keys (or of list).
function parts.values(object, list)
  local keys, items = list, {}
  if not keys then
    keys = {}
    for k in pairs(object or {}) do keys[#keys + 1] = k end
    table.sort(keys)
  end
  for _, k in ipairs(keys) do
    if object[k] ~= nil then
      items[#items + 1] = h.div { h.dt(k), h.dd(type(object[k]) == "table" and object[k].text and object[k] or format.value(object[k])) }
    end
  end
  return #items > 0 and h.dl { class = "values", items } or h.p { class = "empty", "none" }
end

function parts.section(title, id, ...)
  return h.section { id = id, ["aria-labelledby"] = id .. "-h", h.h2 { id = id .. "-h", title }, { ... } }
end

-- "next page" and back to the first, by key.
function parts.pager(path, query, next_key, next_value)
  local again = {}
  for k, v in pairs(query) do again[k] = v end
  local first = {}
  for k, v in pairs(query) do first[k] = v end
  first[next_key] = nil
  again[next_key] = next_value
  if not next_value and not query[next_key] then return nil end
  return h.nav { class = "pager", ["aria-label"] = "pages",
    query[next_key] and h.a { href = h.url(path, first), "\226\134\144 first page" },
    next_value and h.a { href = h.url(path, again), rel = "next", "next \226\134\146" } or h.span "end of the list" }
end

-- One field of a filter form.
function parts.choice(name, label, value, options)
  local list = {}
  for i, o in ipairs(options) do
    local v, text = o, o
    if type(o) == "table" then v, text = o[1], o[2] end
    list[i] = h.option { value = v, selected = v == (value or ""), text }
  end
  return h.label { label, " ", h.select { name = name, list } }
end

function parts.field(name, label, value, more)
  local input = { name = name, value = value or "", type = "search", autocomplete = "off" }
  for k, v in pairs(more or {}) do input[k] = v end
  return h.label { label, " ", h.input(input) }
end

function parts.form(path, hidden, fields)
  local keep = {}
  for name, value in pairs(hidden) do keep[#keep + 1] = h.input { type = "hidden", name = name, value = value } end
  return h.form { class = "filter", method = "get", action = path, role = "search", keep, fields, h.button { type = "submit", "Show" } }
end

return parts
