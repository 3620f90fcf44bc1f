-- tasks: of a job, by state and type, a page at a time.
local ask = require "eas.web.ask"
local bulk = require "eas.web.bulk"
local context = require "eas.web.context"
local format = require "eas.web.format"
local h = require "eas.web.html"
local json = require "eas.json"
local parts = require "eas.web.parts"
local where = require "eas.web.where"

local page = {
  summary = "tasks of a job by state and type, by id",
  query = { { "job", "string", "j3; default the newest" }, { "type", "string", "task type" },
    { "state", "string", "waiting, queued, running, passed, reused, failed, skipped or cancelled" },
    { "where", "string", "loop variables: size:2,period:2.5" },
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
  where.values(query.where)
  local counts = counts_of(job, query)
  local list = counts.matching > 0 and ask.of("tasks", { job = job.job, type = query.type, state = query.state, after = query.after,
    limit = query.limit, where = where.values(query.where) })
    or { items = json.list() }
  list.counts, list.job = counts, job
  if query.where then -- no counter knows it: what was found, and whether there may be more
    counts.matching, counts.more = #list.items, (list.next or query.after) and true or false
  end
  return list
end

local function chips(query, counts)
  local items = {}
  local all = 0
  for _, s in ipairs(format.states) do all = all + (counts.by_state[s] or 0) end
  local function chip(state, n)
    items[#items + 1] = h.li(h.a { class = "chip " .. (state and "s-" .. state or "") .. (n == 0 and " none" or ""),
      ["aria-current"] = query.state == state and "true", ["data-state"] = state,
      href = h.url("/tasks", { job = query.job, type = query.type, state = state, where = query.where }),
        state and format.symbol(state) .. " " or "", not query.where and format.count(n) .. " " or "", state or "all" })
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
  return parts.form("/tasks", { job = query.job, state = query.state, where = query.where }, {
    parts.choice("type", "Type", query.type, types),
    parts.field("after", "After task", query.after, { placeholder = "t418", size = 10, pattern = "t[0-9]+" }) })
end

function page.rows(items)
  local rows = {}
  for i, t in ipairs(items) do
    rows[i] = { parts.link(t.task), t.type .. (t.name and " " .. t.name or ""), format.parameters(t.parameters, 6),
      parts.state(t.state, t.kind and t.kind ~= "ok" and t.kind ~= t.state and t.kind or nil), t.attempt
        and parts.link(t.attempt, ("%d"):format(t.attempts)) or "0",
      t.wall_us and format.duration(t.wall_us), t.host, t.reason }
  end
  return rows
end

local function matching(data, query)
  local c = data.counts
  if not query.where then return ("%s match"):format(format.count(c.matching)) end
  local all = h.a { href = h.url("/tasks", { job = query.job, type = query.type, state = query.state }), "any parameters" }
  return { ("%s%s match "):format(format.count(c.matching), c.more and " or more" or ""), h.b(where.words(query.where)), " (", all, ")" }
end

function page.page(data, query, user)
  if not data.job then return context.no_jobs "Tasks" end
  local c = data.counts
  return { title = "Tasks of " .. data.job.job, heading = "Tasks", job = data.job, topic = data.job.job, body = {
    chips(query, c), form(query, c), bulk.progress(data.job.job), bulk.actions(data.job, query, user, c.matching, c.more),
    h.p { class = "facts", ["data-live"] = "matching", ["data-count"] = not query.where and c.matching, matching(data, query), " \194\183 ",
      h.a { href = h.url("/api/v1/tasks.csv",
      { job = query.job, type = query.type, state = query.state, where = query.where, after = query.after, limit = 5000 }), download = true,
        "CSV of the next 5000" } },
    parts.table({ "task", "type", "parameters", "state", { "attempts", n = true }, { "wall", n = true }, "host", "why" },
      page.rows(data.items),
      c.matching == 0 and not c.more and ("None of %s's tasks match."):format(data.job.job) or
      data.next and "None among those that were looked at; go on with \"next\"." or "None after that.", { label = "tasks" }),
    parts.pager("/tasks", query, "after", data.next) } }
end

return page
