-- timeline: what each slot of each worker did, as bars.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local h = require "eas.web.html"
local json = require "eas.json"
local parts = require "eas.web.parts"
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

-- Lanes: of each worker as many as ran at once. (Which slot it was plays no part.)
local function lanes_of(items, now)
  local sorted, by, list = {}, {}, {}
  for i, a in ipairs(items) do sorted[i] = a end
  table.sort(sorted, function(a, b) return a.started_at < b.started_at end)
  for _, a in ipairs(sorted) do
    local name = ("%s %s"):format(a.host or "?", a.worker or "")
    by[name] = by[name] or {}
    local found
    for _, lane in ipairs(by[name]) do
      found = found or (lane.until_us <= a.started_at and lane)
    end
    if not found then
      found = { name = name, key = ("%s %03d"):format(name, #by[name]) }
      table.insert(by[name], found)
      list[#list + 1] = found
    end
    found[#found + 1], found.until_us = a, a.ended_at or now
  end
  table.sort(list, function(a, b) return a.key < b.key end)
  return list
end

function page.draw(items, now)
  if #items == 0 then return h.p { class = "empty", ["data-live"] = "timeline", "No attempt has begun yet." } end
  local first, last = math.huge, -math.huge
  for _, a in ipairs(items) do
    first, last = math.min(first, a.started_at), math.max(last, a.ended_at or now)
  end
  local span, high, left, wide = math.max(last - first, 1e3), 18, 150, 1000
  local lanes, drawn = lanes_of(items, now), {}
  for i, lane in ipairs(lanes) do
    local y = (i - 1) * (high + 4)
    drawn[#drawn + 1] = h.text { x = 0, y = y + 13, class = "lane", lane.name }
    drawn[#drawn + 1] = h.rect { x = left, y = y, width = wide - left, height = high, class = "track" }
    for _, a in ipairs(lane) do
      local x = left + (a.started_at - first) / span * (wide - left)
      local w = math.max(1, ((a.ended_at or now) - a.started_at) / span * (wide - left))
      local state = a.state == "running" and "running" or a.verdict == "pass" and "passed" or "failed"
      drawn[#drawn + 1] = h.a { href = "/attempts/" .. a.attempt,
        h.rect { x = ("%.2f"):format(x), y = y + 1, width = ("%.2f"):format(w), height = high - 2, class = "f-" .. state,
        h.title(("%s %s %s %s"):format(a.attempt, a.type, a.ending or a.state, format.duration(a.wall_us or now - a.started_at))) } }
    end
  end
  local total = #lanes * (high + 4)
  for k = 0, 4 do
    local x = left + k / 4 * (wide - left)
    drawn[#drawn + 1] = h.text { x = x, y = total + 14, class = "tick", ["text-anchor"] = k == 0 and "start" or k == 4 and "end"
      or "middle", format.clock(first + span * k / 4) }
  end
  return h.div { class = "scroll", ["data-live"] = "timeline", tabindex = "0", role = "region", ["aria-label"] = "timeline",
    h.svg { class = "timeline", viewBox = ("0 0 %d %d"):format(wide, total + 20), width = wide, height = total + 20, role = "img",
      ["aria-label"] = ("%d attempts on %d slots over %s; the table lists them"):format(#items, #lanes, format.duration(span)), drawn } }
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
        { "200", "800", "2000" }) }),
    page.draw(data.items, user.now),
    h.details { h.summary "as a table (the newest 100)", parts.table({ "attempt", "type", "task", "state", "started",
      { "wall", n = true }, "where" }, rows, "None.", { label = "attempts" }) } } }
end

return page
