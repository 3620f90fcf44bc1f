-- job: one job: its bar, its tree a level at a time, what runs, causes of failures, what may be done to it.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local format = require "eas.web.format"
local h = require "eas.web.html"
local home = require "eas.web.pages.home"
local json = require "eas.json"
local maps = require "eas.web.pages.maps"
local parts = require "eas.web.parts"
local timeline_plot = require "eas.web.timeline_plot"

local MAPPED = 5000 -- a larger job has its maps on a page of their own
local BARS = 200
local page = {
  summary = "a job: counters by type, the first level of its tree, what runs, causes of failures",
  query = { { "task", "string", "the branch of the tree to open (t12); default the root" },
    { "ordinal", "integer", "children after this one" } },
}

function page.data(query, user)
  local job = ask.of("job", { job = query.job })
  local root = query.task or job.root
  local counts, total = context.counts(job)
  local attempts = 0
  for _, t in ipairs(job.types) do attempts = attempts + (t.flow and 0 or t.attempts_ended) end
  job.per_second, job.over = context.rate(job.job, user.now, attempts, not job.done_at and job.created_at)
  job.counts, job.total = counts, total
  job.branch = ask.of("task", { task = root })
  if job.branch.job ~= job.job then error(ask.fault(404, root .. " is no task of " .. job.job), 0) end
  job.children = ask.of("children", { task = root, ordinal = query.ordinal, limit = 50 })
  job.running = job.done_at and json.list() or ask.of("running", { job = job.job, limit = 20 })
  job.failures = job.failed > 0 and ask.of("errors", { job = job.job }) or json.list()
  return job
end

local function actions(job, user)
  if not (user.actions and user.session) then return nil end
  local function button(verb, text, class)
    return h.form { method = "post", action = "/" .. job.job .. "/" .. verb, class = "act", ["data-confirm"] = verb == "cancel" and text
      .. "?",
      h.input { type = "hidden", name = "csrf", value = user.session.csrf }, h.button { type = "submit", class = class, text } }
  end
  local open = not job.done_at
  local bad = (job.counts.failed or 0) + (job.counts.skipped or 0) + (job.counts.cancelled or 0)
  return h.div { class = "actions", ["data-live"] = "actions", role = "group", ["aria-label"] = "actions",
    (bad > 0 or job.gate == "cancelled") and button("retry", ("Retry what failed (%s)"):format(format.count(job.counts.failed or 0))),
    open and job.gate == "active" and button("pause", "Pause"),
    open and job.gate == "paused" and button("resume", "Resume"),
    open and job.gate ~= "cancelled" and button("cancel", "Cancel the job", "danger") }
end

local function chips(job)
  local list = {}
  for _, state in ipairs(format.states) do
    local n = job.counts[state] or 0
    list[#list + 1] = h.li(h.a { class = "chip s-" .. state .. (n == 0 and " none" or ""),
      href = h.url("/tasks", { job = job.job, state = state }),
      format.symbol(state), " ", format.count(n), " ", state })
  end
  return h.ul { class = "chips", ["data-live"] = "chips", list }
end

local function top(job, user)
  local done = job.ended
  local left = not job.done_at and job.per_second and job.per_second > 0 and (job.total - done) / job.per_second * 1e6
  local facts = { ("%s of %s ended"):format(format.count(done), format.count(job.total)) }
  if job.done_at then
    facts[2] = "took " .. format.duration(job.done_at - job.created_at)
  else
    facts[2] = job.per_second and ("%.3g /s %s"):format(job.per_second, job.over) or "rate not measured yet"
    if left then facts[3] = format.duration(left) .. " left" end
  end
  return h.div { ["data-live"] = "top", parts.bar(job.counts, job.total), h.p { class = "facts", table.concat(facts, " \194\183 ") },
    job.gate == "paused" and h.p { class = "banner", "Paused: nothing new of it starts. ", h.code("eas resume " .. job.job) },
    user.actions and not user.session and h.p { class = "hint", h.a { href = "/session", "Log in" }, " to retry, pause or cancel." } }
end

local function types(job)
  local rows = {}
  for _, t in ipairs(job.types) do
    if not t.flow then
      local row = { h.a { href = h.url("/tasks", { job = job.job, type = t.type }), t.type } }
      for _, s in ipairs(format.states) do
        row[#row + 1] = t[s] > 0 and h.a { class = "s-" .. s, href = h.url("/tasks", { job = job.job, type = t.type, state = s }),
          format.count(t[s]) }
          or h.span { class = "zero", "0" }
      end
      row[#row + 1] = t.attempts_ended > 0 and format.duration(t.wall_us / t.attempts_ended) or "-"
      rows[#rows + 1] = row
    end
  end
  local heads = { "type" }
  for _, s in ipairs(format.states) do heads[#heads + 1] = { format.symbol(s) .. " " .. s, n = true } end
  heads[#heads + 1] = { "mean wall", n = true }
  return parts.table(heads, rows, "Expanding: no task of a script yet.", { live = "types", label = "tasks by type and state" })
end

local function branch_rows(job)
  local rows = {}
  for i, c in ipairs(job.children) do
    local flow = c.type:find "^execution_"
    local state = c.state
    if flow and c.state == "passed" then state = c.failed_children > 0 and "failed" or c.done == 1 and "passed" or "running" end
    rows[i] = { flow and h.a { href = h.url("/jobs/" .. job.job, { task = c.task }) .. "#tree", "\226\150\184 ", c.task }
      or parts.link(c.task),
      c.type, c.name, format.parameters(c.metadata), parts.state(state, c.ending ~= "ok" and c.ending or nil),
      flow and ("%s, %s open, %s failed"):format(format.count(c.children), format.count(c.open_children), format.count(c.failed_children))
        or "",
      c.reason }
  end
  return rows
end

local function tree(job)
  local b = job.branch
  local last = job.children[#job.children]
  return parts.section("Tree", "tree",
    h.p { class = "crumbs", b.parent and { h.a { href = h.url("/jobs/" .. job.job, { task = b.parent }) .. "#tree", "\226\134\145 ",
      b.parent }, " / " },
      parts.link(b.task), " ", b.type, " ", format.parameters(b.parameters) },
    parts.table({ "task", "type", "name", "parameters", "state", "children", "why" }, branch_rows(job),
      b.state == "passed" and "It has no children." or "Expanding: none yet.", { live = "tree", label = "children" }),
    #job.children == 50 and h.p(h.a { href = h.url("/jobs/" .. job.job, { task = b.task, ordinal = last.ordinal }) .. "#tree",
      "next 50 \226\134\146" }))
end

-- What its workers did of late, and what was found: each has a page that shows more.
local function pictures(job, user)
  local runs = ask.of("runs", { job = job.job, limit = BARS })
  local map = job.total <= MAPPED and maps.drawn(job.job) or nil
  return { #runs > 0 and parts.section("Timeline", "timeline", timeline_plot.draw(runs, user.now, not job.done_at)) or nil,
    map and parts.section("Recovery", "maps", map) or nil }
end

function page.page(job, _, user)
  return { title = job.job .. " " .. job.name, heading = job.name, job = job, topic = job.job, body = {
    top(job, user), actions(job, user), chips(job),
    types(job),
    #job.failures > 0 and parts.section("Failures", "failures", home.errors_table(job.failures, "")) or nil,
    not job.done_at and parts.section("Running now", "now", home.running_table(job.running, user.now)) or nil,
    tree(job), pictures(job, user),
    parts.section("About", "about", parts.values({ submitted = format.stamp(job.created_at), file = job.source, seed = job.seed,
      priority = job.priority, ["made from"] = job.origin }, { "file", "submitted", "seed", "priority", "made from" })) } }
end

return page
