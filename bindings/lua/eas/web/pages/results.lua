-- results: what tasks found, a row each, with their loop variables.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local format = require "eas.web.format"
local h = require "eas.web.html"
local json = require "eas.json"
local parts = require "eas.web.parts"
local tables = require "eas.web.tables"

local page = {
  summary = "what tasks found: loop variables and metadata, flat",
  query = { { "job", "string", "j3; default the newest" }, { "type", "string", "task type" },
    { "sort", "string", "a column; -COLUMN: downwards" },
    { "after", "string", "the id (t418) where the page before ended" },
      { "limit", "integer", "at most so many (200; sorted: of the first 2500)" } },
}
local SORTED, SHOWN = 2500, 14
local FIRST = { "period", "found_period", "target_period", "sde", "power", "depth", "duration", "t0", "recovered", "alias", "credible",
  "verification" }

-- One flat object: loop variables, then what was found; outcome is called recovered.
local function flat(row)
  local out = { task = row.task, type = row.type }
  for k, v in pairs(row.parameters) do
    if type(v) ~= "table" and not k:find "_index$" then out[k] = v end
  end
  for k, v in pairs(row.result) do
    if k == "outcome" then
      out.recovered = v == "PASS" or (v ~= "FAIL" and nil)
    elseif type(v) ~= "table" and v ~= nil then
      out[row.parameters[k] ~= nil and "found_" .. k or k] = v
    end
  end
  return out
end

local function less(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
  return tostring(a) < tostring(b)
end

local function sort(items, by)
  local name, down = by:gsub("^%-", "")
  table.sort(items, function(a, b)
    local x, y = a[name], b[name]
    if x == y or x == nil or y == nil then return (x ~= nil and y == nil) or (x == y and #a.task ~= #b.task and #a.task < #b.task)
      or (x == y and a.task < b.task) end
    if down == 1 then return less(y, x) end
    return less(x, y)
  end)
end

-- Where a job searched, people look for what was found: other types are a choice away.
local function main_type(job)
  for _, t in ipairs(job.types) do
    if t.type:find "search" and t.passed + t.reused > 0 then return t.type end
  end
end

function page.data(query)
  local job = context.job(query)
  if not job then return { items = json.list() } end
  local kind = query.type or main_type(job)
  local limit = math.min(query.limit or 200, SORTED)
  local rows = ask.of("results", { job = job.job, type = kind, after = query.after, limit = query.sort and SORTED or limit })
  local items = json.list()
  for i, row in ipairs(rows) do items[i] = flat(row) end
  local full = #rows == (query.sort and SORTED or limit)
  local last = rows[#rows]
  if query.sort then sort(items, query.sort) end
  while #items > limit do table.remove(items) end
  return { items = items, job = job, type = kind, next = full and last.task , read = #rows }
end

-- Task, loop variables, then what people look for first, then the rest: as many as fit.
local function columns_of(items, job_columns)
  local shown, seen = { "task" }, { task = true, type = true }
  local function add(name)
    if not seen[name] and #shown < SHOWN then shown[#shown + 1], seen[name] = name, true end
  end
  local there = {}
  for _, c in ipairs(job_columns) do there[c] = true end
  for _, c in ipairs(FIRST) do
    if there[c] then add(c) end
  end
  for _, c in ipairs(job_columns) do add(c) end
  return shown
end

local function cell(name, v)
  if name == "task" then return parts.link(v) end
  if v == nil then return "-" end
  if type(v) == "boolean" then return h.span { class = v and "s-passed" or "s-failed", v and "\226\156\147 yes" or "\226\156\151 no" } end
  return format.value(v)
end

-- How many have ended well by now: more than were there are offered, not pushed in.
local function results_of(job, kind)
  local n = 0
  for _, t in ipairs(job.types) do
    if not t.flow and (not kind or t.type == kind) then n = n + t.passed + t.reused end
  end
  return n
end

function page.page(data, query)
  local job = data.job
  if not job then return context.no_jobs "Results" end
  local columns, heads, rows, types = columns_of(data.items, tables.columns(data.items)), {}, {}, { { "", "all searches" } }
  for _, t in ipairs(job.types) do
    if not t.flow then types[#types + 1] = t.type end
  end
  for i, name in ipairs(columns) do
    local now = query.sort == name and "-" .. name or name
    heads[i] = { h.a { href = h.url("/results", { job = job.job, type = query.type, sort = now }), title = "sort by " .. name,
      name .. (query.sort == name and " \226\150\178" or query.sort == "-" .. name and " \226\150\188" or "") }, n = i > 1 }
  end
  for i, row in ipairs(data.items) do
    local cells = {}
    for k, name in ipairs(columns) do cells[k] = cell(name, row[name]) end
    rows[i] = cells
  end
  return { title = "Results of " .. job.job, heading = "Results", job = job, topic = job.job, body = {
    parts.form("/results", { job = job.job, sort = query.sort }, { parts.choice("type", "Type", query.type or data.type, types) }),
    h.p { class = "facts", ["data-live"] = "rows", ["data-count"] = results_of(job, data.type),
      ("%s rows shown%s. "):format(format.count(#data.items), query.sort and data.next
      and (", sorted among " .. format.count(data.read)) or ""),
      h.a { href = h.url("/api/v1/results.csv", { job = job.job, type = data.type, limit = SORTED }), download = true, "CSV" },
        " \194\183 ",
      h.a { href = h.url("/api/v1/results.fits", { job = job.job, type = data.type }), download = true, "FITS" }, " \194\183 ",
      h.a { href = h.url("/api/v1/results.votable", { job = job.job, type = data.type }), download = true, "VOTable" },
      " \194\183 all of them: ",
      h.code("eas results " .. job.job .. " --csv") },
    parts.table(heads, rows, "No task of this kind has ended with results yet.", { label = "results" }),
    not query.sort and parts.pager("/results", query, "after", data.next and data.next or nil) or nil } }
end

return page
