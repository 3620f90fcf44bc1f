-- errors: failures of a job by cause.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local h = require "eas.web.html"
local home = require "eas.web.pages.home"
local json = require "eas.json"
local format = require "eas.web.format"

local page = {
  summary = "failures of a job by kind, type and cause",
  query = { { "job", "string", "j3; default the newest" } },
  columns = { "n", "kind", "type", "message", "first", "last", "attempt", "task" },
}

function page.data(query)
  local job = context.job(query)
  return { items = job and job.failed > 0 and ask.of("errors", { job = job.job }) or json.list(), job = job }
end

function page.page(data)
  local job = data.job
  if not job then return context.no_jobs "Errors" end
  local counts, total = context.counts(job)
  local seen = 0
  for _, e in ipairs(data.items) do seen = seen + e.n end
  return { title = "Errors of " .. job.job, heading = "Errors", job = job, topic = job.job, body = {
    h.p { class = "facts", ["data-live"] = "facts", ("%s of %s tasks failed, %s were skipped"):format(format.count(counts.failed or 0),
      format.count(total),
      format.count(counts.skipped or 0)), seen < (counts.failed or 0) and (", causes of the newest " .. format.count(seen)) or "",
      " \194\183 ", h.a { href = h.url("/tasks", { job = job.job, state = "failed" }), "list them" } },
    home.errors_table(data.items, ("Nothing failed: 0 of %s."):format(format.count(total))),
    #data.items > 0 and h.p { class = "hint", "Mend the cause, then ", h.code("eas retry " .. job.job), "; one group: ",
      h.code("eas errors " .. job.job .. " --group 1") } } }
end

return page
