-- jobs: newest first.
local ask = require "eas.web.ask"
local format = require "eas.web.format"
local h = require "eas.web.html"
local parts = require "eas.web.parts"

local page = {
  summary = "jobs, newest first",
  query = { { "after", "string", "the id (j3) where the page before ended" }, { "limit", "integer", "at most so many (100)" } },
  columns = { "job", "name", "state", "created_at", "done_at", "passed", "reused", "failed", "skipped", "cancelled", "running",
    "queued", "waiting" },
}

function page.data(query)
  return ask.of("jobs", { after = query.after, limit = query.limit })
end

local function state_of(j)
  if not j.done_at then return j.state == "active" and ((j.running or 0) + (j.queued or 0) > 0 and "running" or "waiting") or j.state end
  return (j.failed or 0) + (j.skipped or 0) > 0 and "failed" or (j.cancelled or 0) > 0 and "cancelled" or "passed"
end
page.state_of = state_of

function page.rows(items, now)
  local rows = {}
  for i, j in ipairs(items) do
    local total, done = 0, 0
    for _, s in ipairs(format.states) do total = total + (j[s] or 0) end
    for _, s in ipairs { "passed", "reused", "failed", "skipped", "cancelled" } do done = done + (j[s] or 0) end
    local left = "not known yet"
    if not j.done_at and done > 0 and total > done then
      left = format.duration((now - j.created_at) / done * (total - done)) .. " left"
    end
    local bad = j.failed or 0
    rows[i] = { parts.link(j.job, j.job .. " " .. j.name), parts.state(state_of(j)), parts.bar(j, total),
      format.count(done) .. " of " .. format.count(total),
      bad > 0 and h.a { class = "bad", href = h.url("/errors", { job = j.job }), format.count(bad) } or "0",
      parts.stamp(j.created_at), j.done_at and format.duration(j.done_at - j.created_at) or left }
  end
  return rows
end

page.heads = { "job", "state", { "tasks by state", title = "hover for counts" }, { "ended", n = true }, { "failed", n = true },
  "submitted", "took" }

function page.page(data, query, user)
  return { title = "Jobs", topic = "all", body = {
    parts.table(page.heads, page.rows(data.items, user.now), "No jobs: eas submit FILE", { live = "jobs", label = "jobs" }),
    parts.pager("/jobs", query, "after", data.next) } }
end

return page
