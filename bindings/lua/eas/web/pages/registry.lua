-- registry: task types and their limits.
local ask = require "eas.web.ask"
local h = require "eas.web.html"
local parts = require "eas.web.parts"
local format = require "eas.web.format"

local page = { summary = "task types: containers, limits, retries", query = {} }

function page.data() return { items = ask.of "registry" } end

function page.page(data)
  local rows = {}
  for i, t in ipairs(data.items) do
    local usable = t.flow or (t.script and t.qc)
    rows[i] = { { t.name, not usable and h.p { class = "bad", t.script and "no QC script" or "no task script" } or nil }, t.description,
      ("%g"):format(t.cpu), ("%g GB"):format(t.memory_gb),
      t.flow and "-" or format.duration(t.timeout_seconds * 1e6), t.flow and "-"
        or ("%d (%s)"):format(t.max_attempts, table.concat(t.retry, " ")),
      t.max_running > 0 and t.max_running or "-", t.flow and "engine" or table.concat(t.containers, ", ") }
  end
  return { title = "Registry", body = parts.table({ "type", "what it does", { "CPU", n = true }, { "memory", n = true },
    { "time limit", n = true }, "attempts (tried again after)",
    { "at once", n = true }, "containers" }, rows, "No task type is registered.", { label = "task types" }) }
end

return page
