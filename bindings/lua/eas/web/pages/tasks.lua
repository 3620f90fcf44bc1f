-- tasks: of a job, by state and type, a page at a time.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local format = require "eas.web.format"
local h = require "eas.web.html"
local json = require "eas.json"
local parts = require "eas.web.parts"

local page = {
  summary = "tasks of a job by state and type, by id",
  query = { { "job", "string", "j3; default the newest" }, { "type", "string", "task type" },
    { "state", "string", "waiting, queued, running, passed, reused, failed, skipped or cancelled" },
    { "after", "string", "the id (t418) where the page before ended" }, { "limit", "integer", "at most so many (100)" } },
  columns = { "task", "type", "name", "state", "attempts", "attempt", "kind", "reason", "wall_us", "started_at", "host", "parameters" },
}

-- Counters by state (within a type, if one is chosen), and by type (within a state).
local function counts_of(job, query)
  local by_state, by_type, matching = {}, {}, 0
  for _, t in ipairs(job.types) do
    local of_type, sum = not query.type or query.type == t.type, 0
    for _, s in ipairs(format.states) do
      if of_type then by_state[s] = (by_state[s] or 0) + t[s] end
      if not query.state or query.state == s then sum = sum + t[s] end
    end
    by_type[t.type] = sum
    if of_type then matching = matching + sum end
  end
  return { by_state = by_state, by_type = by_type, matching = matching }
end

function page.data(query)
  local job = context.job(query)
  if not job then return { items = json.list(), counts = { matching = 0 } } end
  local known = false
  for _, s in ipairs(format.states) do known = known or s == query.state end
  if query.state and not known then error(ask.fault(400, ("'%s' is no state"):format(query.state), "one of "
    .. table.concat(format.states, ", ")), 0) end
  local counts = counts_of(job, query)
  local list = counts.matching > 0 and ask.of("tasks", { job = job.job, type = query.type, state = query.state, after = query.after,
    limit = query.limit })
    or { items = json.list() }
  list.counts, list.job = counts, job
  return list
end

local function chips(query, counts)
  local items = {}
  local all = 0
  for _, s in ipairs(format.states) do all = all + (counts.by_state[s] or 0) end
  local function chip(state, n)
    items[#items + 1] = h.li(h.a { class = "chip " .. (state and "s-" .. state or "") .. (n == 0 and " none" or ""),
      ["aria-current"] = query.state == state and "true", ["data-state"] = state,
      href = h.url("/tasks", { job = query.job, type = query.type, state = state }), state and format.symbol(state) .. " " or "",
        format.count(n), " ", state or "all" })
  end
  chip(nil, all)
  for _, s in ipairs(format.states) do chip(s, counts.by_state[s] or 0) end
  return h.ul { class = "chips", ["data-live"] = "chips", items }
end

local function form(query, counts)
  local types = { { "", "all types" } }
  local names = {}
  for name in pairs(counts.by_type) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do types[#types + 1] = { name, ("%s (%s)"):format(name, format.count(counts.by_type[name])) } end
  return parts.form("/tasks", { job = query.job, state = query.state }, { parts.choice("type", "Type", query.type, types),
    parts.field("after", "After task", query.after, { placeholder = "t418", size = 10, pattern = "t[0-9]+" }) })
end

function page.rows(items)
  local rows = {}
  for i, t in ipairs(items) do
    rows[i] = { parts.link(t.task), t.type .. (t.name and " " .. t.name or ""), format.parameters(t.parameters),
      parts.state(t.state, t.kind and t.kind ~= "ok" and t.kind ~= t.state and t.kind or nil), t.attempt
        and parts.link(t.attempt, ("%d"):format(t.attempts)) or "0",
      t.wall_us and format.duration(t.wall_us), t.host, t.reason }
  end
  return rows
end

function page.page(data, query)
  if not data.job then return context.no_jobs "Tasks" end
  local c = data.counts
  return { title = "Tasks of " .. data.job.job, heading = "Tasks", job = data.job, topic = data.job.job, body = {
    chips(query, c), form(query, c),
    h.p { class = "facts", ["data-live"] = "matching", ["data-count"] = c.matching, ("%s match"):format(format.count(c.matching)), " ",
      h.a { href = h.url("/api/v1/tasks.csv",
      { job = query.job, type = query.type, state = query.state, after = query.after, limit = 5000 }), download = true,
        "CSV of the next 5000" } },
    parts.table({ "task", "type", "parameters", "state", { "attempts", n = true }, { "wall", n = true }, "host", "why" },
      page.rows(data.items),
      c.matching == 0 and ("None of %s's tasks match."):format(data.job.job) or
      data.next and "None among those that were looked at; go on with \"next\"." or "None after that.", { label = "tasks" }),
    parts.pager("/tasks", query, "after", data.next) } }
end

return page
