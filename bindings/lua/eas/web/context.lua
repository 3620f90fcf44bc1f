-- eas.web.context: the job that a page is about, and how fast things go.
local ask = require "eas.web.ask"
local h = require "eas.web.html"

local context = {}

-- The job of ?job=, else the newest; nil if there is none.
function context.job(query)
  local id = query.job
  if not id then
    local newest = ask.of("jobs", { limit = 1 }).items[1]
    if not newest then return nil end
    id = newest.job
    query.job = id
  end
  return ask.of("job", { job = id })
end

function context.no_jobs(title)
  return { title = title, topic = "all", body = h.p { class = "empty", ["data-live"] = "body",
    "No jobs: submit one with ", h.code "eas submit FILE", " or ", h.code "eas run FILE", "." } }
end

-- Ended attempts per second over the last minute, from what earlier looks saw; else over all of a job's life.
local seen = {}
function context.rate(topic, now, ended, since)
  local list = seen[topic] or {}
  seen[topic] = list
  local last = list[#list]
  if not last or now - last[1] >= 1e6 then list[#list + 1] = { now, ended } end
  while list[2] and now - list[1][1] > 60e6 do table.remove(list, 1) end
  local first = list[1]
  if now - first[1] >= 5e6 then return math.max(0, ended - first[2]) / (now - first[1]) * 1e6, "last minute" end
  if since and now > since then return ended / (now - since) * 1e6, "since it began" end
end

-- Sums over a job's types without flow control.
function context.counts(job)
  local sums, total = {}, 0
  for _, t in ipairs(job.types) do
    if not t.flow then
      for _, s in ipairs(require("eas.web.format").states) do
        sums[s] = (sums[s] or 0) + t[s]
        total = total + t[s]
      end
    end
  end
  return sums, total
end

return context
