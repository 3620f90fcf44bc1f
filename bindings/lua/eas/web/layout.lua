-- eas.web.layout: the frame of every page: menu, row of a job's pages, live mark, content.
local h = require "eas.web.html"
local parts = require "eas.web.parts"

local MENU = { { "/", "Overview" }, { "/jobs", "Jobs" }, { "/workers", "Workers" }, { "/registry", "Registry" }, { "/api", "API" } }
local OF_JOB = { { "", "Job" }, { "/tasks", "Tasks" }, { "/errors", "Errors" }, { "/results", "Results" }, { "/maps", "Maps" },
  { "/timeline", "Timeline" }, { "/timings", "Timings" }, { "/files", "Files" }, { "/logs", "Logs" } }

local layout = {}

local function menu(here)
  local items = {}
  for i, m in ipairs(MENU) do
    items[i] = h.li(h.a { href = m[1], ["aria-current"] = m[1] == here and "page", m[2] })
  end
  return h.nav { ["aria-label"] = "Main", h.ul(items) }
end

local function job_row(job, here)
  local items = {}
  for i, m in ipairs(OF_JOB) do
    local to = m[1] == "" and "/jobs/" .. job.job or h.url(m[1], { job = job.job })
    items[i] = h.li(h.a { href = to, ["aria-current"] = (m[1] == here or m[1] == "" and here == "/jobs/{job}") and "page", m[2] })
  end
  return h.nav { class = "job", ["aria-label"] = "Pages of the job",
    h.p { class = "name", h.b(job.job), " ", job.name, " ", h.span { ["data-live"] = "jobstate", job.state and parts.state(job.state) } },
    h.ul(items) }
end

local function static(name) return "/static/" .. name .. "?" .. layout.assets end

local function head(page)
  return h.head {
    h.meta { charset = "utf-8" },
    h.title((page.title or "EAS") .. " \194\183 EAS"),
    h.meta { name = "viewport", content = "width=device-width, initial-scale=1" },
    h.meta { name = "color-scheme", content = "light dark" },
    h.link { rel = "icon", href = static "icon.svg", type = "image/svg+xml" },
    h.link { rel = "stylesheet", href = static "style.css" },
    page.plots and layout.uplot and { h.link { rel = "stylesheet", href = static "uPlot.min.css" },
      h.script { src = static "uPlot.iife.min.js", defer = true } },
    page.plots and h.script { src = static "plot.js", defer = true },
    h.script { src = static "live.js", defer = true },
  }
end

-- page: { title, here (menu), job = {job, name, state} or nil, topic (of events) or nil, plots, body, heading }
function layout.page(page, user)
  return "<!DOCTYPE html>\n" .. h.render(h.html { lang = "en", ["data-topic"] = page.topic, head(page), h.body {
    h.a { class = "skip", href = "#main", "To the content" },
    h.header { class = "top",
      h.a { class = "brand", href = "/", "EAS" }, menu(page.here),
      h.p { class = "tools",
        h.span { id = "live", role = "status", ["aria-live"] = "off", page.topic and "as of loading" },
        h.button { id = "theme", type = "button", hidden = true, "Theme" },
        h.button { id = "help", type = "button", hidden = true, "Keys" },
        user.actions and (user.session and h.form { method = "post", action = "/session/end",
          h.input { type = "hidden", name = "csrf", value = user.session.csrf }, h.button { type = "submit", "Log out" } }
          or h.a { href = "/session", "Log in" }) } },
    page.job and job_row(page.job, page.here),
    h.main { id = "main", tabindex = "-1", h.h1(page.heading or page.title), page.body },
    h.footer { h.p { "Times are UTC. ", h.a { href = "/api", "JSON API" }, " \194\183 eas ", layout.version } },
    h.div { id = "say", class = "unseen", ["aria-live"] = "polite" },
  } })
end

return layout
