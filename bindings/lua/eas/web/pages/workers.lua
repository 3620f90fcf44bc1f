-- workers: who works where, on what; what waits for a container that nobody is.
local ask = require "eas.web.ask"
local format = require "eas.web.format"
local h = require "eas.web.html"
local home = require "eas.web.pages.home"
local parts = require "eas.web.parts"

local page = { summary = "workers, their slots and attempts; slots needed by container", query = {} }

function page.data()
  local w = ask.of "workers"
  w.running = ask.of("running", { limit = 200 })
  return w
end

function page.page(w, _, user)
  local rows, need = {}, {}
  for i, v in ipairs(w.list) do
    rows[i] = { v.worker, v.host .. " (" .. v.pid .. ")", v.container or "any", v.slots > 0
      and ("%d of %d"):format(math.min(v.running, v.slots), v.slots) or "control",
      v.slots > 0 and h.meter { min = 0, max = v.slots, value = math.min(v.running, v.slots), ("%d of %d"):format(v.running, v.slots) }
        or "", v.version,
      { format.duration(user.now - v.beat_at), " ago" }, format.duration(v.lease_until - user.now) }
  end
  local missing = {}
  for i, n in ipairs(w.needed) do
    need[i] = { n.container, format.count(n.queued), format.count(n.workers), format.count(n.slots), format.count(n.busy),
      format.count(n.missing), table.concat(n.types, ", ") }
    if n.queued > 0 and n.workers == 0 then
      missing[#missing + 1] = h.p { class = "banner bad", ("No worker for %s; %s wait."):format(n.container, format.count(n.queued)) }
    end
  end
  return { title = "Workers", topic = "all", body = { h.div { ["data-live"] = "missing", missing },
    h.p { class = "facts", ["data-live"] = "facts", ("%d workers, %d of %d slots busy"):format(w.active, w.busy, w.slots) },
    parts.table({ "worker", "host (process)", "container", { "slots busy", n = true }, "", "version", { "last beat", n = true },
      { "lease left", n = true } }, rows,
      "No worker is up: eas worker, or eas run JOB.", { live = "workers", label = "workers" }),
    parts.section("Running now", "now", home.running_table(w.running, user.now)),
    parts.section("Needed by container", "needed", parts.table({ "container", { "queued", n = true }, { "workers", n = true },
      { "slots", n = true }, { "busy", n = true },
      { "missing", n = true }, "types that wait" }, need, "The registry names no container.",
        { live = "needed", label = "containers" })) } }
end

return page
