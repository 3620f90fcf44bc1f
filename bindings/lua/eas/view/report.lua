-- eas.view.report: a job on one page: the answer first, then maps, false alarms, results, folds, failures, timings, provenance.
-- The request is what engine/cli/cmd_report.c gathers.
local fold = require "eas.plot.fold"
local json = require "eas.json"
local lc = require "eas.lc"
local map = require "eas.plot.map"
local page = require "eas.view.page"
local say, tag, escape, concat = page.say, page.tag, page.escape, table.concat

local function short(type) return (type:gsub("^transit_search_", "")) end
local function number(x) return type(x) == "number" and x or 0 end
local function plural(n, word) return ("%d %s%s"):format(n, word, n == 1 and "" or "s") end

-- A picture and its words, no wider than the picture.
local function figure(picture, words)
  local width = tonumber(picture:match 'width="([%d.]+)"') or 480
  return tag("figure", { style = ("max-width:%.0fpx"):format(width) }, picture .. tag("figcaption", {}, words))
end

local SAVE = '<button type="button" class="save">Save as SVG</button>'

local function section(id, title, inner)
  if inner == "" then return "" end
  return ('<section id="%s" aria-labelledby="h-%s"><h2 id="h-%s">%s</h2>\n%s</section>\n'):format(id, id, id, title, inner)
end

-- --- the verdict ---

local function panels_with_truth(q)
  local list = {}
  for i, p in ipairs(q.recovery and q.recovery.panels or {}) do
    if number(p.n) + number(p.open) > 0 then list[#list + 1] = { at = i, panel = p } end
  end
  return list
end

-- Found and tried of each search, over all its panels.
local function by_type(q)
  local order, sums = {}, {}
  for _, p in ipairs(q.recovery and q.recovery.panels or {}) do
    local s = sums[p.type]
    if not s then
      s = { type = p.type }
      sums[p.type] = s
      order[#order + 1] = s
    end
    for _, key in ipairs { "n", "found", "alias", "open", "failed", "found_credible", "false_alarms", "no_truth", "no_truth_credible" } do
      s[key] = number(s[key]) + number(p[key])
    end
  end
  return order
end

local function verdict(q)
  local job, parts = q.job, {}
  local found = {}
  for _, s in ipairs(by_type(q)) do
    if s.n > 0 then
      found[#found + 1] = say("<strong>%s recovered %d of %d</strong> (%.0f %%)", short(s.type), s.found, s.n, 100 * s.found / s.n)
    end
  end
  if #found > 0 then parts[1] = concat(found, ", ") .. "." end
  local left = job.total - job.done
  local state = left > 0 and say('<span class="warn">%d of %s are not done yet</span>', left, plural(job.total, "task"))
    or job.failed > 0 and say('<span class="bad">%d of %s did not pass</span>', job.failed, plural(job.total, "task"))
    or say('<span class="good">All %s passed</span>', plural(job.total, "task"))
  parts[#parts + 1] = state .. (job.done_at > 0 and " in " .. page.duration(job.done_at - job.created_at) or "") .. "."
  return '<p class="lead">' .. concat(parts, " ") .. "</p>"
end

local function head(q)
  local job = q.job
  return say("<header><h1>%s</h1>", job.name) .. verdict(q)
    .. say('<p class="dim">Job j%d, begun %s, %s; this page was made %s by eas %s.</p>', job.id, page.stamp(job.created_at),
      job.done_at > 0 and "ended " .. page.stamp(job.done_at) or job.state, page.stamp(q.made_at), q.version)
end

-- --- recovery ---

local function map_table(recovery, panel)
  local names, across, up = map.header(recovery)
  local columns, rows = { up ~= "" and up or "" }, map.rows(recovery, panel)
  for k, name in ipairs(names) do columns[k + 1] = { name, right = true } end
  for _, row in ipairs(rows) do
    for k = 2, #columns do
      local c = row[k]
      row[k] = c and { html = ("%d/%d"):format(number(c.found), number(c.n)), sort = c.n > 0 and c.found / c.n or -1 } or { html = "" }
    end
  end
  local caption = "found/tried by " .. (up ~= "" and up .. " (down) and " or "") .. (across ~= "" and across .. " (across)" or "all")
  return page.table { caption = caption, columns = columns, rows = rows, row_heads = true }
end

local function maps(q)
  local figures = {}
  for i, x in ipairs(panels_with_truth(q)) do
    figures[i] = figure(map.svg(q.recovery, x.panel, { id = tostring(x.at) }), escape(map.sentence(q.recovery, x.panel)) .. ". " .. SAVE
      .. "<details><summary>as a table</summary>" .. map_table(q.recovery, x.panel) .. "</details>")
  end
  if #figures == 0 then return "" end
  local averaged = {}
  for _, name in ipairs(q.recovery.averaged) do averaged[#averaged + 1] = (name:gsub("_", " ")) end
  return "<p>Share of the injected signals that were found: the period is within 3 % of the truth.</p>"
    .. '<div class="key"><span>light to dark: 0 to 100 %</span><span>17/20: found of tried</span>'
    .. '<span>alias: at a multiple of the period</span><span>dashed: fewer than 5 tries</span>'
    .. '<span>hatched: some have not ended</span><span class="line">line: half is found</span></div>'
    .. (#averaged > 0 and say("<p>Each cell averages over %s.</p>", concat(averaged, ", ")) or "")
    .. '<div class="figures">' .. concat(figures, "\n") .. "</div>"
end

local function alarms(q)
  local rows = {}
  for _, s in ipairs(by_type(q)) do
    if s.n + s.no_truth > 0 then
      rows[#rows + 1] = { short(s.type), s.n, s.found, s.found_credible, s.alias, s.false_alarms, s.n - s.found - s.false_alarms,
                          s.no_truth, s.no_truth_credible }
    end
  end
  if #rows == 0 then return "" end
  local columns = { "search" }
  for _, name in ipairs { "known signals", "found", "found, credible", "alias found", "false alarms", "missed", "nothing known",
                          "new, credible" } do
    columns[#columns + 1] = { name, right = true }
  end
  return "<p>A false alarm is a candidate that vetting calls credible at a period that is not the injected one (aliases among them). "
    .. "Where nothing was injected, every credible candidate is new, or one.</p>"
    .. page.table { caption = "what vetting made of what each search found", columns = columns, rows = rows, row_heads = true }
end

-- --- results ---

local SHOWN = { "period", "target_period", "sde", "power", "depth", "duration", "t0", "recovered", "alias", "credible" }
local UNITS = { period = "period (d)", target_period = "true period (d)", depth = "depth (ppm)", duration = "duration (h)",
                t0 = "mid-transit (d)" }
local FACTOR = { depth = 1e6, duration = 24 }

local function result_columns(q)
  local columns, there = { "task", "type" }, {}
  for _, r in ipairs(q.results) do
    for key, v in pairs(r.parameters) do
      if not key:match "_index$" and type(v) ~= "table" and not there[key] then
        there[key] = true
        columns[#columns + 1] = key
      end
    end
    for key in pairs(r.row) do if not there[key] then there[key] = "result" end end
  end
  table.sort(columns, function(a, b)
    local x, y = a == "task" and 0 or a == "type" and 1 or 2, b == "task" and 0 or b == "type" and 1 or 2
    if x ~= y then return x < y end
    return a < b
  end)
  for _, key in ipairs(SHOWN) do
    local name = there[key] == true and "found_" .. key or key
    if there[name] == "result" or key == "recovered" then columns[#columns + 1] = name end
  end
  return columns
end

local function results(q)
  if #q.results == 0 then return "" end
  local keys, names, rows = result_columns(q), {}, {}
  for i, key in ipairs(keys) do
    local plain = key:gsub("^found_", "")
    names[i] = (key ~= plain and "found " or "") .. (UNITS[plain] or key:gsub("_", " "))
  end
  for i, r in ipairs(q.results) do
    rows[i] = {}
    for k, key in ipairs(keys) do
      local v = r.row[key]
      if key == "type" then v = short(v) end
      if type(v) == "number" and not r.parameters[key] then v = v * (FACTOR[key:gsub("^found_", "")] or 1) end
      rows[i][k] = v
    end
  end
  local columns = {}
  for i, name in ipairs(names) do
    columns[i] = { name, right = type(rows[1][i]) == "number" }
  end
  local more = q.n_results > #q.results
    and say("<p>The first %d of %d; all: <code>eas results j%d --csv</code></p>", #q.results, q.n_results, q.job.id) or ""
  return more .. page.table { caption = "what each search found; a heading sorts", columns = columns, rows = rows, sortable = true }
end

-- --- folds ---

local GROUPS = { { "best", "Best: found, the highest significance" }, { "borderline", "Borderline: found, the lowest significance" },
                 { "nearly", "Missed, although significant" }, { "worst", "Missed, the lowest significance" } }

local function parameters_text(f)
  local keys, parts = {}, {}
  for key, v in pairs(f.parameters or {}) do
    if not key:match "_index$" and type(v) ~= "table" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local v = f.parameters[key]
    parts[#parts + 1] = key:gsub("_", " ") .. " " .. (type(v) == "number" and page.number(v) or tostring(v))
  end
  return concat(parts, ", ")
end

local function fold_figure(f)
  local curve, why = lc.read(f.path)
  if not curve then return nil, why end
  if type(f.lc_duration) == "number" and f.lc_duration > 0 then curve = curve:truncate(f.lc_duration) end
  local truth = type(f.target_period) == "number" and (", true period %s d"):format(page.number(f.target_period)) or ""
  local ok, picture = pcall(fold.svg, curve, { period = f.period, t0 = f.t0, duration = f.duration, depth = f.depth,
    title = ("%s: %.6g d"):format(short(f.type), f.period), note = f.filename })
  if not ok then return nil, picture end
  return figure(picture, say("%s%s%s%s; task %s. ", parameters_text(f), truth, f.sde and (", SDE %.1f"):format(f.sde) or "",
    f.alias and ", alias " .. f.alias or "", f.task) .. SAVE)
end

local function folds(q)
  local parts = {}
  for _, group in ipairs(GROUPS) do
    local figures = {}
    for _, f in ipairs(q.folds) do
      if f.group == group[1] then
        local made, why = fold_figure(f)
        figures[#figures + 1] = made or say('<p class="dim">%s of task %s: %s</p>', f.filename, f.task, why)
      end
    end
    if #figures > 0 then parts[#parts + 1] = "<h3>" .. group[2] .. '</h3><div class="figures">' .. concat(figures, "\n") .. "</div>" end
  end
  if #parts == 0 then return "" end
  return "<p>Samples (thinned), their means, and the box of the search, around mid-transit.</p>" .. concat(parts)
end

-- --- failures, timings, provenance ---

local function failures(q)
  if #q.errors == 0 then return "<p>Nothing failed.</p>" end
  local parts = {}
  for _, g in ipairs(q.errors) do
    local inner = say("<p>First %s, last %s%s. <code>eas show %s</code></p>", page.stamp(g.first), page.stamp(g.last),
      g.host and ", on " .. g.host or "", g.attempt)
    if g.error then
      inner = inner .. "<pre>" .. escape(g.error) .. (g.trace and g.trace ~= "" and "\n\n" .. escape(g.trace) or "") .. "</pre>"
    end
    if g.reason and g.reason ~= g.error then inner = inner .. say("<p>%s</p>", g.reason) end
    if g.description then
      inner = inner .. "<details><summary>its settings</summary><pre>" .. escape(json.encode(g.description) or "") .. "</pre></details>"
    end
    parts[#parts + 1] = tag("details", { open = #parts < 5 or nil },
      say('<summary><strong>%d</strong> %s of %s: <span class="bad">%s</span></summary>', g.n, g.kind, g.type, g.message) .. inner)
  end
  return concat(parts, "\n")
end

local function tasks(q)
  local rows = {}
  for _, t in ipairs(q.job.types) do rows[#rows + 1] = { t.type, t.passed, t.reused, t.failed, t.skipped, t.cancelled, t.open } end
  local columns = { "type" }
  for _, name in ipairs { "passed", "reused", "failed", "skipped", "cancelled", "open" } do
    columns[#columns + 1] = { name, right = true }
  end
  return page.table { caption = "tasks by type and state", columns = columns, rows = rows, row_heads = true }
end

local function timings(q)
  local rows = {}
  for _, t in ipairs(q.timings) do
    local function time(key) return { html = page.duration(t[key]), sort = t[key] } end
    rows[#rows + 1] = { t.type, t.n, time "wall_median_us", time "wall_p95_us", time "wall_max_us",
      { html = ("%.2f"):format(t.wall_us > 0 and t.cpu_us / t.wall_us or 0) }, time "queued_median_us", time "queued_p99_us",
      { html = page.bytes(t.peak_kb * 1024) }, time "cpu_us" }
  end
  if #rows == 0 then return "" end
  local columns = { "type" }
  for _, name in ipairs { "attempts", "wall, median", "95 %", "longest", "CPU/wall", "queued, median", "99 %", "peak memory", "all CPU" } do
    columns[#columns + 1] = { name, right = true }
  end
  return page.table { caption = "how long attempts ran and waited", columns = columns, rows = rows, row_heads = true }
end

local function code_table(q)
  local rows = {}
  for _, s in ipairs(q.provenance or {}) do
    local files = {}
    for name, digest in pairs(s.provenance and s.provenance.code or {}) do files[#files + 1] = { name, tostring(digest) } end
    table.sort(files, function(a, b) return a[1] < b[1] end)
    for i, f in ipairs(files) do files[i] = say('%s <code title="%s">%s</code>', f[1], f[2], f[2]:sub(1, 8)) end
    rows[#rows + 1] = { s.type, s.n, s.version or "-", s.host or "-", { html = concat(files, ", ") } }
  end
  local columns = { "type", { "passed", right = true }, "eas", "host", "code (SHA-256, begins with)" }
  local caption = "what ran: code of the newest attempt of each type"
  local wrap = page.table { caption = caption, columns = columns, rows = rows, row_heads = true }
  return (wrap:gsub('<div class="scroll"', '<div class="scroll wrap"', 1))
end

local function base64(text)
  local out, letters = {}, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local n, parts = a * 65536 + (b or 0) * 256 + (c or 0), {}
    for k = 0, 3 do
      local v = math.floor(n / 64 ^ (3 - k)) % 64 + 1
      parts[k + 1] = letters:sub(v, v)
    end
    if not c then parts[4] = "=" end
    if not b then parts[3] = "=" end
    out[#out + 1] = concat(parts)
  end
  return concat(out)
end

local function provenance(q)
  local job = q.job
  local name = (job.name:gsub("[^%w._-]", "_")) .. ".json"
  local command = ("eas run %s --seed %.0f%s"):format(name, job.seed, job.prototype_names and " --prototype-names" or "")
  local link = tag("a", { download = name, href = "data:application/json;base64," .. base64(job.document) }, escape(name))
  return say("<p>The same again: save %%s, then <code>%s</code>. What rebuilds one product, bit for bit: "
      .. "<code>eas provenance PRODUCT</code>.</p>", command):format(link)
    .. say("<p>Seed %.0f; job file %s; database %s.</p>", job.seed, job.file, q.database) .. code_table(q)
    .. "<details><summary>the job file</summary><pre>" .. escape(job.document) .. "</pre></details>"
end

local SCRIPT = [[
document.querySelectorAll('table.sortable').forEach(function(t){var h=t.tHead.rows[0].cells;
Array.prototype.forEach.call(h,function(th,k){
th.firstChild.addEventListener('click',function(){
var up=th.getAttribute('aria-sort')!=='ascending',b=t.tBodies[0],r=Array.from(b.rows);
function v(x){var c=x.cells[k];return c.dataset.v!==undefined?+c.dataset.v:c.textContent}
r.sort(function(x,y){x=v(x);y=v(y);
var d=typeof x==='number'&&typeof y==='number'?x-y:typeof x==='number'?-1:typeof y==='number'?1:x<y?-1:x>y?1:0;
return up?d:-d});
r.forEach(function(x){b.appendChild(x)});Array.prototype.forEach.call(h,function(o){o.removeAttribute('aria-sort')});
th.setAttribute('aria-sort',up?'ascending':'descending')})})});
document.querySelectorAll('.save').forEach(function(b){b.addEventListener('click',function(){
var s=b.closest('figure').querySelector('svg').cloneNode(true),
y=document.createElementNS('http://www.w3.org/2000/svg','style');y.textContent=STYLE;s.insertBefore(y,s.firstChild);
s.style.background='#fff';var a=document.createElement('a');a.href='data:image/svg+xml;
charset=utf-8,'+encodeURIComponent(s.outerHTML);
a.download=(s.getAttribute('aria-label')||'plot').replace(/[^A-Za-z0-9]+/g,'_')+'.svg';a.click()})});
]]

return function(q)
  local svg = require "eas.plot.svg"
  q.results, q.errors, q.timings, q.folds = q.results or {}, q.errors or {}, q.timings or {}, q.folds or {}
  local parts = {
    { "recovery", "Recovery", maps(q) }, { "alarms", "False alarms", alarms(q) },
    { "folds", "Folded light curves", folds(q) },
    { "results", "Results", results(q) }, { "failures", "Failures", failures(q) },
    { "timings", "Tasks and timings", tasks(q) .. timings(q) },
    { "provenance", "Provenance", provenance(q) },
  }
  local menu, body = {}, {}
  for _, p in ipairs(parts) do
    if p[3] ~= "" then menu[#menu + 1] = ('<li><a href="#%s">%s</a></li>'):format(p[1], p[2]) end
    body[#body + 1] = section(p[1], p[2], p[3])
  end
  local style = json.encode { svg.light .. svg.css }:sub(2, -2)
  return page.document { title = q.job.name .. ": report", script = "var STYLE=" .. style .. ";" .. SCRIPT,
    body = head(q) .. '<nav aria-label="Sections"><ul>' .. concat(menu) .. "</ul></nav></header>\n<main>" .. concat(body)
      .. "</main>\n<footer><p>EAS engine " .. escape(q.version) .. ". This page needs no network.</p></footer>" }
end
