-- timeline: what each slot of each worker did, as bars.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local h = require "eas.web.html"
local json = require "eas.json"
local parts = require "eas.web.parts"
local timeline_plot = require "eas.web.timeline_plot"
local format = require "eas.web.format"

local page = {
  summary = "attempts of a job over time, newest first",
  query = { { "job", "string", "j3; default the newest" }, { "type", "string", "task type" },
    { "longer", "number", "only those over so many seconds" },
    { "limit", "integer", "at most so many (800)" } },
  columns = { "attempt", "task", "type", "state", "ending", "verdict", "started_at", "ended_at", "wall_us", "cpu_us", "peak_kb", "worker",
    "host", "slot" },
}
local MOST = 800

function page.data(query)
  local job = context.job(query)
  if not job then return { items = json.list() } end
  return { job = job, items = ask.of("runs", { job = job.job, type = query.type, wall_us_min = query.longer and query.longer * 1e6 or 0,
    limit = math.min(query.limit or MOST, 5000) }) }
end

function page.page(data, query, user)
  local job = data.job
  if not job then return context.no_jobs "Timeline" end
  local types, rows = { { "", "all types" } }, {}
  for _, t in ipairs(job.types) do
    if not t.flow then types[#types + 1] = t.type end
  end
  for i, a in ipairs(data.items) do
    if i > 100 then break end
    rows[i] = { parts.link(a.attempt), a.type, parts.link(a.task),
      parts.state(a.state == "running" and "running" or a.verdict == "pass" and "passed" or "failed"),
      parts.stamp(a.started_at), format.duration(a.wall_us or user.now - a.started_at),
        ("%s %s"):format(a.host or "?", a.worker or "") }
  end
  return { title = "Timeline of " .. job.job, heading = "Timeline", job = job, topic = job.job, body = {
    parts.form("/timeline", { job = job.job }, { parts.choice("longer", "Longer than", query.longer and format.number(query.longer) or "",
      { { "", "any" }, { "2", "2 s" }, { "60", "60 s" } }),
      parts.choice("type", "Type", query.type, types), parts.choice("limit", "Newest", tostring(query.limit or MOST),
        { "200", "800", "5000" }) }),
    timeline_plot.draw(data.items, user.now, not job.done_at),
    h.details { h.summary "as a table (the newest 100)", parts.table({ "attempt", "type", "task", "state", "started",
      { "wall", n = true }, "where" }, rows, "None.", { label = "attempts" }) } } }
end

return page
