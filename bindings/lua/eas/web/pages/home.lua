-- home: what goes on now: jobs, rates, workers, queues, failures.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local format = require "eas.web.format"
local h = require "eas.web.html"
local jobs = require "eas.web.pages.jobs"
local parts = require "eas.web.parts"

local page = { summary = "jobs, rates, workers, queues, failures of now", query = {} }
local MOST_JOBS, JOBS_WITH_ERRORS = 15, 4

local function failures_of(items)
  local list, looked = {}, 0
  for _, j in ipairs(items) do
    if (j.failed or 0) > 0 and looked < JOBS_WITH_ERRORS then
      looked = looked + 1
      for i, e in ipairs(ask.of("errors", { job = j.job })) do
        if i > 5 then break end
        e.job = j.job
        list[#list + 1] = e
      end
    end
  end
  table.sort(list, function(a, b) return (a.last or 0) > (b.last or 0) end)
  while #list > 8 do table.remove(list) end
  return require("eas.json").list(list)
end

function page.data(_, user)
  local load, list = ask.of "load", ask.of("jobs", { limit = MOST_JOBS })
  local ended, first = 0, nil
  for _, t in ipairs(load.types) do
    if not t.type:find "^execution_" then ended = ended + (t.ended or 0) end
  end
  for _, j in ipairs(list.items) do
    if not j.done_at then first = math.min(first or j.created_at, j.created_at) end
  end
  local rate, over = context.rate("all", user.now, ended)
  return { jobs = list.items, types = load.types, workers = ask.of "workers", failures = failures_of(list.items),
    running = ask.of("running", { limit = 12 }), attempts_ended = ended, per_second = rate, over = over }
end

local function cards(data)
  local w, waiting, queued, running = data.workers, 0, 0, 0
  for _, t in ipairs(data.types) do
    if not t.type:find "^execution_" then waiting, queued, running = waiting + t.waiting, queued + t.queued, running + t.running end
  end
  local function card(name, value, more)
    return h.div { class = "card", h.dt(name), h.dd { h.b(value), more and h.span(more) } }
  end
  local missing
  for _, n in ipairs(w.needed) do
    if n.queued > 0 and n.workers == 0 then missing = ("no worker for %s; %s wait"):format(n.container, format.count(n.queued)) end
  end
  return { h.dl { class = "cards", ["data-live"] = "cards",
    card("rate", data.per_second and format.number(tonumber(("%.3g"):format(data.per_second))) .. " /s" or "-", data.over
      or "measured while you look"),
    card("slots busy", ("%d of %d"):format(w.busy, w.slots), w.active == 1 and "1 worker" or ("%d workers"):format(w.active)),
    card("running", format.count(running)), card("queued", format.count(queued)), card("waiting", format.count(waiting)) },
    missing and h.p { class = "banner bad", ["data-live"] = "missing", missing } or h.p { ["data-live"] = "missing", hidden = true } }
end

function page.errors_table(list, empty)
  local rows, of_job = {}, list[1] and list[1].job
  for i, e in ipairs(list) do
    rows[i] = { h.a { href = "/attempts/" .. e.attempt, e.message ~= "" and e.message or "(no message)" }, format.count(e.n),
      h.span { class = "state s-failed", format.symbol "failed", " ", e.kind }, e.type, parts.stamp(e.last), of_job and parts.link(e.job) }
  end
  return parts.table({ "first message", { "n", n = true }, "kind", "type", "last", of_job and "job" or nil }, rows, empty,
    { live = "errors", label = "failures" })
end

local function running_table(list, now)
  local rows = {}
  for i, a in ipairs(list) do
    rows[i] = { parts.link(a.attempt), a.type, parts.link(a.task), a.host and (a.host .. " " .. (a.worker or "")),
      format.duration(now - a.started_at), a.total and a.total > 0
        and h.progress { value = a.done, max = a.total, ("%d %%"):format(100 * a.done / a.total) } }
  end
  return parts.table({ "attempt", "type", "task", "where", { "for", n = true }, "progress" }, rows, "Nothing runs.",
    { live = "running", label = "running attempts" })
end
page.running_table = running_table

local function queues(types)
  local rows = {}
  for _, t in ipairs(types) do
    if t.waiting + t.queued + t.running > 0 and not t.type:find "^execution_" then
      rows[#rows + 1] = { t.type, format.count(t.running), format.count(t.queued), format.count(t.startable), format.count(t.waiting) }
    end
  end
  return parts.table({ "type", { "running", n = true }, { "queued", n = true }, { "could start", n = true }, { "waiting", n = true } },
    rows,
    "Nothing waits.", { live = "queues", label = "queues" })
end

function page.page(data, _, user)
  if #data.jobs == 0 then return context.no_jobs "Overview" end
  local heads = { unpack(jobs.heads) }
  return { title = "Overview", topic = "all", body = {
    cards(data),
    parts.section("Jobs", "jobs", parts.table(heads, jobs.rows(data.jobs, user.now), "", { live = "jobs", label = "jobs" }),
      #data.jobs == MOST_JOBS and h.p(h.a { href = "/jobs", "all jobs" })),
    h.div { class = "pair",
      parts.section("Failures now", "failures", page.errors_table(data.failures, "Nothing failed.")),
      parts.section("Running now", "now", running_table(data.running, user.now)) },
    parts.section("Queues", "queues", queues(data.types)) } }
end

return page
