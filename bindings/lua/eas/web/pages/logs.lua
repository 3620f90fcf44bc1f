-- logs: lines of a job by level, age and text.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local format = require "eas.web.format"
local h = require "eas.web.html"
local json = require "eas.json"
local level = require("eas.web.pages.attempt").level
local parts = require "eas.web.parts"

local page = {
  summary = "log lines of a job, newest attempts first",
  query = { { "job", "string", "j3; default the newest" }, { "level", "integer", "10 debug, 20 info, 30 warn, 40 error: at least (30)" },
    { "type", "string", "task type" },
    { "text", "string", "a part of the line" }, { "minutes", "integer", "not older than so many" },
      { "after", "string", "attempt (a533) to go on from" },
    { "seq", "integer", "and its line" }, { "limit", "integer", "at most so many (200)" } },
  columns = { "at", "level", "attempt", "task", "type", "text" },
}

function page.data(query, user)
  local job = context.job(query)
  if not job then return { items = json.list() } end
  local list = ask.of("logs", { job = job.job, level = query.level or 30, type = query.type, text = query.text, limit = query.limit or 200,
    since = query.minutes and user.now - query.minutes * 60e6 or nil, after = query.after, seq = query.seq })
  list.job = job
  return list
end

function page.page(data, query)
  local job = data.job
  if not job then return context.no_jobs "Logs" end
  local rows, types = {}, { { "", "all types" } }
  for _, t in ipairs(job.types) do
    if not t.flow then types[#types + 1] = t.type end
  end
  for i, l in ipairs(data.items) do
    rows[i] = { h.span { title = format.stamp(l.at), format.clock(l.at) }, h.span { class = "l-" .. level(l.level), level(l.level) },
      parts.link(l.attempt), l.type,
      h.span { class = "mono", l.text } }
  end
  local again = {}
  for k, v in pairs(query) do again[k] = v end
  if data.next then again.after, again.seq = data.next.attempt, data.next.seq end
  return { title = "Logs of " .. job.job, heading = "Logs", job = job, topic = job.job, body = {
    parts.form("/logs", { job = job.job }, { parts.choice("level", "Level", tostring(query.level or 30),
      { { "10", "debug" }, { "20", "info" }, { "30", "warn" }, { "40", "error" } }),
      parts.choice("type", "Type", query.type, types), parts.field("text", "Text", query.text),
      parts.choice("minutes", "Since", query.minutes and tostring(query.minutes) or "",
        { { "", "ever" }, { "10", "10 min" }, { "60", "1 h" }, { "1440", "24 h" } }) }),
    parts.table({ "time", "level", "attempt", "type", "text" }, rows, data.next
      and "None among the attempts that were looked at; go on with \"next\"."
      or "No line matches" .. (query.minutes and "; look at 24 h, or ever." or "."),
        { label = "log lines", live = not query.after and "lines" or nil }),
    h.nav { class = "pager", ["aria-label"] = "pages", data.next
      and h.a { rel = "next", href = h.url("/logs", again), "older \226\134\146" } or h.span "that is all" } } }
end

return page
