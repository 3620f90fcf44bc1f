-- file: a product: plot, versions, what is known of it, lineage; text as it begins.
local ask = require "eas.web.ask"
local curve = require "eas.web.curve"
local download = require "eas.web.pages.download"
local format = require "eas.web.format"
local graph = require "eas.web.graph"
local h = require "eas.web.html"
local marks = require "eas.web.marks"
local parts = require "eas.web.parts"
local svg = require "eas.web.svg"

local page = {
  summary = "a product (p77) or version (v91): versions, metadata, who made and who uses it",
  query = { { "from", "number", "plot from this time or period" }, { "to", "number", "to this one" } },
}

function page.data(query)
  local p = ask.of("file", { id = query.file })
  p.lineage = ask.of("lineage", { task = p.task })
  return p
end

-- Without scripts one zooms by links: into the middle, to the sides, out.
local function zoom(path, part)
  local span = part.to - part.from
  local function to(a, b, text)
    a, b = math.max(a, part.first), math.min(b, part.last)
    return h.a { href = h.url(path, { from = ("%.10g"):format(a), to = ("%.10g"):format(b) }) .. "#plot", text }
  end
  return h.p { class = "zoom", to(part.from + span / 4, part.to - span / 4, "zoom in"),
    to(part.from - span / 2, part.to + span / 2, "zoom out"),
    to(part.from - span / 2, part.to - span / 2, "\226\134\144 earlier"),
      to(part.from + span / 2, part.to + span / 2, "later \226\134\146"),
    h.a { href = path .. "#plot", class = "reset", "Reset" } }
end

local function plot(p, v, query)
  local c, axes = curve.open(v.sha256, p.kind, v.size)
  if not c then return nil, axes end
  local part = curve.part(c, axes, query.from, query.to)
  local low, high = curve.bounds(part)
  local sentence = ("%s of %s points, %s %s to %s %s"):format(format.count(part.shown), format.count(part.n), part.xname,
    format.number(part.from), format.number(part.to), part.xunit)
  local period, transits = v.metadata and v.metadata.period, nil
  if part.xname == "time" then transits = marks.transits(p.used_by) end
  return parts.section(p.kind, "plot", h.figure { class = "plotted", ["data-plot"] = "curve", ["data-url"] = "/api/v1/files/" .. v.version
    .. "/plot",
    ["data-from"] = query.from, ["data-to"] = query.to, ["data-page"] = "/files/" .. v.version,
    ["data-period"] = transits and ("%.12g"):format(transits.period), ["data-t0"] = transits and ("%.12g"):format(transits.t0),
    ["data-marks"] = part.xname == "period" and type(period) == "number" and ("%.12g"):format(period),
    svg.plot { series = { { x = part.x, y = part.y, lo = part.lo, hi = part.hi, kind = part.lo and "range" or part.xname == "period"
      and "line" or "dots" } },
      marks = part.xname == "period" and type(period) == "number" and { period, period / 2, period * 2 }
        or transits and marks.times(transits, part.from, part.to) or nil,
      x0 = part.from, x1 = part.to, y0 = low, y1 = high, xlabel = part.xname .. " / " .. part.xunit, ylabel = part.yname,
        label = sentence },
    h.figcaption { sentence .. (part.lo and ", least and greatest of each column" or ""), transits and { ". Marked: transits every ",
      ("%.6g days, found by "):format(transits.period), parts.link(transits.attempt), " ", transits.type } } },
    zoom("/files/" .. v.version, part), part.xname == "period" and v.attempt and marks.peak_links(c, v.attempt) or nil,
    marks.curve_table(part))
end

local function versions(p)
  local rows = {}
  for i, v in ipairs(p.versions) do
    rows[i] = { parts.link(v.version), { parts.state(v.verdict == "pass" and "passed" or "failed", "QC"), v.reason and " " .. v.reason
      or "" }, format.size(v.size), parts.stamp(v.created_at),
      parts.link(v.attempt), h.code(v.sha256:sub(1, 12)), h.a { href = "/files/" .. v.version .. "/download", download = true,
        "download" } }
  end
  return parts.table({ "version", "QC", { "size", n = true }, "made", "by", "sha256", "" }, rows, "Not made yet.", { label = "versions" })
end

-- The first 4 KB of what is no curve, if it is text.
local function beginning(v)
  local text = ask.head(v.sha256, 4096)
  if text:find "[%z\1-\8\14-\31]" then return parts.section("Contents", "contents", h.p { class = "empty", "These bytes are no text." }) end
  return parts.section("Contents", "contents", h.pre { class = "code", text }, v.size > 4096 and h.p { class = "hint", "The first 4 KB." })
end

function page.page(p, query)
  local drawn, body = nil, nil
  local ok, v = pcall(download.version, p, query.file)
  if ok and ask.of("object", { sha256 = v.sha256 }).path then
    drawn = plot(p, v, query)
    body = not drawn and beginning(v) or nil
  end
  local uses = {}
  for i, u in ipairs(p.used_by) do uses[i] = h.li { parts.link(u.task), " ", u.type, " ", parts.state(u.state) } end
  return { title = p.filename, here = "/files", plots = drawn ~= nil, job = { job = p.job }, body = {
    h.p { class = "facts", ok and parts.state(v.verdict == "pass" and "passed" or "failed", "QC") or "not made yet", " \194\183 ", p.kind,
      " of ", parts.link(p.task), " ", p.type,
      " in ", h.a { href = h.url("/files", { job = p.job, directory = p.directory }), p.directory == "" and "(top)" or p.directory },
      ok and { " \194\183 ", format.size(v.size), " \194\183 ",
        h.a { href = "/files/" .. v.version .. "/download", download = true, "download" } } },
    drawn, body,
    parts.section("Versions", "versions", versions(p)),
    h.div { class = "pair", parts.section("What is known of it", "meta", parts.values(ok and v.metadata or {})),
      parts.section("Lineage", "lineage", graph.draw(p.lineage, p.task)) },
    #uses > 0 and parts.section("Used by", "uses", h.ul(uses)) or nil } }
end

return page
