-- attempt: how it ended, traceback with source, QC checks, log, resources, settings, what was found.
local ask = require "eas.web.ask"
local fold_plot = require "eas.web.fold_plot"
local format = require "eas.web.format"
local h = require "eas.web.html"
local json = require "eas.json"
local parts = require "eas.web.parts"
local usage_plot = require "eas.web.usage_plot"

local MOST_LINES = 1000
local page = {
  summary = "an attempt: ending, verdict, error, traceback, QC checks, resources, settings, metadata, files",
  query = { { "seq", "integer", "log lines after this one" }, { "period", "number", "fold at this period (day)" } },
}

function page.data(query)
  local a = ask.of("attempt", { attempt = query.attempt })
  a.lines = ask.of("log", { attempt = query.attempt, seq = query.seq, limit = MOST_LINES })
  return a
end

local LEVELS = { [10] = "debug", [20] = "info", [30] = "warn", [40] = "error" }
function page.level(n) return LEVELS[n] or tostring(n) end

-- The newest lines are where a script adds to: it stops when somebody scrolls up.
local function log(a)
  local lines = {}
  for i, l in ipairs(a.lines) do
    local level = page.level(l.level)
    lines[i] = h.div { class = "line l-" .. level, h.span { class = "at", format.clock(l.at) }, " ", h.span { class = "level", level },
      " ", l.text }
  end
  local last = a.lines[#a.lines]
  local more
  if a.log then
    more = h.p { class = "hint", ("The first and last lines of %s, %s lines are here. "):format(format.size(a.log_bytes),
      format.count(a.log_lines)),
      h.a { href = "/attempts/" .. a.attempt .. "/log", download = true, "download all" } }
  end
  return { more, #lines > 0 and h.div { class = "log", tabindex = "0", role = "log", ["aria-label"] = "log", ["data-live"] = "log",
    ["data-tail"] = true, lines }
    or h.p { class = "empty", ["data-live"] = "log", a.state == "queued" and "Not started yet." or "It logged nothing." },
    #lines == MOST_LINES and h.p(h.a { href = h.url("/attempts/" .. a.attempt, { seq = last.seq }) .. "#log",
      "lines after these \226\134\146" }) }
end

-- "power (tls.so+0x1a2b)" with its file and line, as `eas show` has it.
local function placed(a, text)
  if not text or not text:find("+0x", 1, true) then return text end
  return ask.of("places", { text = text, at = a.ended_at or 1 })
end

-- Frames and source lines of a traceback, each kind in its look.
local function trace(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local source = line:match "^%s+%d+ | "
    lines[#lines + 1] = h.span { class = source and "source" or "frame", line, "\n" }
  end
  return h.pre { class = "trace", lines }
end

local function checks(list)
  local rows = {}
  for i, c in ipairs(list) do
    local verdict = c.verdict == "pass" and parts.state("passed", "") or c.verdict == "fail" and parts.state("failed", "") or c.verdict
    rows[i] = { c.name, format.value(c.value), format.value(c.limit), verdict }
  end
  return parts.table({ "check", { "value", n = true }, { "limit", n = true }, "verdict" }, rows, "No checks.", { label = "QC checks" })
end

local function files(list, empty)
  local rows = {}
  for i, f in ipairs(list) do
    rows[i] = { f.kind, { f.directory ~= "" and f.directory .. "/" or "", parts.link(f.version, f.filename) }, format.size(f.size),
      f.verdict and { parts.state(f.verdict == "pass" and "passed" or "failed"), f.reason and " " .. f.reason or "" } or "-",
        h.code(f.sha256:sub(1, 12)) }
  end
  return parts.table({ "type", "file", { "size", n = true }, "QC", "sha256" }, rows, empty, { label = "files" })
end

local function top(a)
  local shown = a.state == "ended" and (a.verdict == "pass" and "passed" or a.ending == "cancelled" and "cancelled" or "failed") or a.state
  local facts = { ("attempt %d of %d of "):format(a.number, a.last_number), parts.link(a.task), " " .. a.type }
  return { h.p { class = "facts", ["data-live"] = "state", parts.state(shown, a.ending ~= "ok" and a.ending or nil), " \194\183 ", facts,
      a.reused and { " \194\183 reuses ", parts.link(a.reused) } },
    a.state == "running" and a.progress_total and a.progress_total > 0
      and h.p { ["data-live"] = "progress", h.progress { value = a.progress_done, max = a.progress_total },
      (" %s of %s"):format(format.count(a.progress_done), format.count(a.progress_total)) }
        or h.p { ["data-live"] = "progress", hidden = true },
    (a.error or a.reason) and h.p { class = "banner bad", ["data-live"] = "error", placed(a, a.error or a.reason) }
      or h.p { ["data-live"] = "error", hidden = true } }
end

local function resources(a)
  local v = { ran = a.host and (a.slot and ("%s slot %d"):format(a.host, a.slot) or a.host), worker = a.worker,
    queued = format.stamp(a.queued_at),
    started = a.started_at and format.stamp(a.started_at), ended = a.ended_at and format.stamp(a.ended_at), wall = a.wall_us
      and format.duration(a.wall_us),
    CPU = a.cpu_us and a.wall_us and ("%s, %.2f of a CPU"):format(format.duration(a.cpu_us), a.cpu_us / math.max(a.wall_us, 1)) or nil,
    ["peak memory"] = a.peak_kb and format.size(a.peak_kb * 1024), ["in the queue"] = a.started_at
      and format.duration(a.started_at - a.queued_at) }
  return parts.values(v, { "ran", "worker", "queued", "in the queue", "started", "ended", "wall", "CPU", "peak memory" })
end

local function later(a)
  if #a.later == 0 then return nil end
  local items = {}
  for i, b in ipairs(a.later) do items[i] = h.li { parts.link(b.attempt), " ", b.ending or b.state } end
  return h.p { "later: ", h.ul { class = "inline", items } }
end

local function pretty(value)
  local out = {}
  local function write(v, indent)
    if type(v) ~= "table" then out[#out + 1] = json.encode(v) return end
    local keys = {}
    for k in pairs(v) do keys[#keys + 1] = k end
    if #keys == 0 then out[#out + 1] = json.encode(v) return end
    local list = type(keys[1]) == "number"
    table.sort(keys)
    out[#out + 1] = list and "[\n" or "{\n"
    for i, k in ipairs(keys) do
      out[#out + 1] = indent .. "  " .. (list and "" or json.string(k) .. ": ")
      write(v[k], indent .. "  ")
      out[#out + 1] = i < #keys and ",\n" or "\n"
    end
    out[#out + 1] = indent .. (list and "]" or "}")
  end
  write(value, "")
  return h.pre { class = "code", table.concat(out) }
end

function page.page(a, query)
  local period = query.period or a.metadata and a.metadata.period
  local light = #a.inputs > 0 and type(period) == "number"
  return { title = a.attempt .. " " .. a.type, heading = { a.attempt, " ", a.type }, here = "/tasks", plots = light,
    job = { job = a.job, name = a.job_name }, topic = a.attempt, body = {
    top(a), later(a),
    parts.command("eas shell --attempt " .. a.attempt, "the same inputs, settings and limits, to try it again by hand"),
    a.trace and parts.section("Traceback", "trace", trace(placed(a, a.trace))),
    light and { fold_plot.section(a, query), fold_plot.periodogram(a, query) } or nil,
    h.div { class = "pair", parts.section("What it found", "found", parts.values(a.metadata or {})),
      parts.section("Resources", "resources", h.div { ["data-live"] = "resources", resources(a) },
        h.div { ["data-live"] = "usage", usage_plot.section(a) }) },
    a.checks and #a.checks > 0 and parts.section("QC checks", "checks", checks(a.checks)) or nil,
    parts.section("Log", "log", log(a)),
    parts.section("Inputs", "inputs", files(a.inputs, "It read no file.")),
    parts.section("Outputs", "outputs", files(a.outputs, a.state == "ended" and "It made no file." or "Not ended yet.")),
    parts.section("Settings", "settings", h.details { h.summary "description, as it was evaluated", pretty(a.description or {}) },
      h.details { h.summary "provenance", pretty(a.provenance or {}) },
        h.p { class = "hint", "seed ", h.code(("%.0f"):format(a.seed or 0)), a.key and { ", key ", h.code(a.key:sub(1, 16)) } }),
    h.p { class = "hint", "In a terminal: ", h.code("eas show " .. a.attempt), ", ", h.code("eas logs " .. a.attempt) } } }
end

return page
