-- task: its state and why, parameters, lineage, attempts.
local ask = require "eas.web.ask"
local format = require "eas.web.format"
local graph = require "eas.web.graph"
local h = require "eas.web.html"
local parts = require "eas.web.parts"

local page = { summary = "a task: state, parameters, inputs, outputs, lineage, attempts", query = {} }

function page.data(query)
  local t = ask.of("task", { task = query.task })
  t.lineage = ask.of("lineage", { task = query.task })
  return t
end

-- One sentence for each thing that keeps it from running, or that ended it.
local function why(t)
  local lines, last = {}, t.attempts[#t.attempts]
  for _, list in ipairs { t.inputs, t.needs, t.waits } do
    for _, e in ipairs(list) do
      if e.met == 0 then
        lines[#lines + 1] = h.li { "waits for ", e.filename or ("metadata of " .. e.name), ": ", parts.link(e.maker), " ", e.maker_type,
          " is ",
          parts.state(e.maker_state), e.maker_reason and ": " .. e.maker_reason or "" }
      end
    end
  end
  if t.job_state == "paused" and t.done == 0 then lines[#lines + 1] = h.li { "the job is paused: ", h.code("eas resume " .. t.job) } end
  if last and (t.state == "failed" or last.ending and last.ending ~= "ok" and last.ending ~= "reused") then
    lines[#lines + 1] = h.li { parts.link(last.attempt), " ended ", h.b(last.ending == "ok" and "qc" or last.ending or "?"), ": ",
      last.error or last.reason or "no message" }
  end
  if t.stale == 1 then lines[#lines + 1] = h.li { "an input was made anew since: ", h.code("eas rerun " .. t.task) } end
  return #lines > 0 and h.ul { class = "why", ["data-live"] = "why", lines } or h.p { ["data-live"] = "why", hidden = true }
end

local function inputs(t)
  local rows = {}
  for i, e in ipairs(t.inputs) do
    rows[i] = { e.kind, { e.directory ~= "" and e.directory .. "/" or "", parts.link(e.version or e.product, e.filename) },
      e.met == 1 and parts.state("passed", "there") or h.span "not made yet", { parts.link(e.maker), " ", e.maker_type } }
  end
  return parts.table({ "input", "file", "state", "made by" }, rows, "It reads no file.", { live = "inputs", label = "inputs" })
end

local function outputs(t)
  local rows = {}
  for i, e in ipairs(t.outputs) do
    rows[i] = { e.kind, { e.directory ~= "" and e.directory .. "/" or "", parts.link(e.version or e.product, e.filename) },
      e.version and parts.state("passed", "passed QC") or h.span(t.done == 1 and "no version passed" or "not made yet") }
  end
  return parts.table({ "output", "file", "state" }, rows, "It makes no file.", { live = "outputs", label = "outputs" })
end

function page.attempts(list)
  local rows = {}
  for i, a in ipairs(list) do
    local cores = a.wall_us and a.wall_us > 0 and a.cpu_us and a.cpu_us / a.wall_us
    rows[i] = { parts.link(a.attempt, ("%s, no. %d"):format(a.attempt, a.number)),
      parts.state(a.state == "ended" and (a.verdict == "pass" and "passed" or a.ending == "cancelled" and "cancelled" or "failed")
      or a.state, a.ending ~= "ok" and a.ending or nil),
      parts.stamp(a.started_at or a.queued_at), a.started_at and format.duration(a.started_at - a.queued_at), format.duration(a.wall_us),
      cores and ("%s (%.2f)"):format(format.duration(a.cpu_us), cores) or "-", a.peak_kb and format.size(a.peak_kb * 1024), a.error
        or a.reason or "" }
  end
  return parts.table({ "attempt", "ended", "started", { "queued for", n = true }, { "wall", n = true }, { "CPU (per wall)", n = true },
    { "peak", n = true }, "why" }, rows,
    "It was not tried yet.", { live = "attempts", label = "attempts" })
end

local function retry(t, user)
  if not (user.session and (t.state == "failed" or t.state == "cancelled")) then return nil end
  return h.form { method = "post", action = "/" .. t.task .. "/retry", class = "act",
    h.input { type = "hidden", name = "csrf", value = user.session.csrf }, h.button { type = "submit", "Retry this task" } }
end

function page.page(t, _, user)
  local last = t.attempts[#t.attempts]
  local shown = t.state == "ready" and last and last.state or t.state
  return { title = t.task .. " " .. t.type, heading = { t.task, " ", t.type, t.name and " " .. t.name or "" }, here = "/tasks",
    job = { job = t.job, name = t.job_name }, topic = t.job, body = {
    h.p { class = "facts", ["data-live"] = "state", parts.state(shown), t.parent
      and { " in ", h.a { href = h.url("/jobs/" .. t.job, { task = t.parent }) .. "#tree", t.parent } },
      " at ", h.code(t.node) },
    why(t), retry(t, user),
    h.div { class = "pair", parts.section("Parameters", "parameters", parts.values(t.parameters)),
      parts.section("Lineage", "lineage", graph.draw(t.lineage, t.task)) },
    parts.section("Inputs", "inputs", inputs(t)), parts.section("Outputs", "outputs", outputs(t)),
    parts.section("Attempts", "attempts", page.attempts(t.attempts)),
    h.p { class = "hint", "In a terminal: ", h.code("eas why " .. t.task), last and { ", ", h.code("eas show " .. last.attempt) } } } }
end

return page
