-- timings: how long attempts of each type took, as a distribution.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local format = require "eas.web.format"
local h = require "eas.web.html"
local json = require "eas.json"
local parts = require "eas.web.parts"

local page = {
  summary = "run times by task type: quantiles and histograms, of the newest attempts",
  query = { { "job", "string", "j3; default the newest" }, { "type", "string", "task type" } },
  columns = { "type", "n", "wall_median_us", "wall_p95_us", "wall_max_us", "cpu_per_wall", "queued_median_us", "queued_p99_us",
    "peak_max_kb", "wall_total_us", "attempts_ended" },
}

local function quantile(sorted, q)
  if #sorted == 0 then return nil end
  return sorted[math.max(1, math.ceil(q * #sorted))]
end

-- Counts over logarithmic bins, four to a decade, from 1 ms.
local function histogram(walls)
  local bins, most = {}, 0
  for _, w in ipairs(walls) do
    local k = math.max(0, math.min(31, math.floor(4 * math.log10(math.max(w, 1) / 1e3))))
    bins[k] = (bins[k] or 0) + 1
    most = math.max(most, k)
  end
  local out = json.list()
  for k = 0, most do out[k + 1] = { from_us = 1e3 * 10 ^ (k / 4), n = bins[k] or 0 } end
  return out
end

local function summary(of, list)
  local walls, queued, cpu, wall, peak = {}, {}, 0, 0, 0
  for _, a in ipairs(list) do
    walls[#walls + 1] = a.wall_us
    queued[#queued + 1] = math.max(0, a.started_at - a.queued_at)
    cpu, wall, peak = cpu + (a.cpu_us or 0), wall + a.wall_us, math.max(peak, a.peak_kb or 0)
  end
  table.sort(walls)
  table.sort(queued)
  return { type = of.type, n = #walls, wall_median_us = quantile(walls, 0.5), wall_p95_us = quantile(walls, 0.95),
    wall_max_us = walls[#walls],
    cpu_per_wall = wall > 0 and cpu / wall or nil, queued_median_us = quantile(queued, 0.5), queued_p99_us = quantile(queued, 0.99),
      peak_max_kb = peak,
    wall_total_us = of.wall_us, attempts_ended = of.attempts_ended, histogram = histogram(walls) }
end

function page.data(query)
  local job = context.job(query)
  if not job then return { items = json.list() } end
  local by, items = {}, json.list()
  for _, a in ipairs(ask.of("runs", { job = job.job, type = query.type, limit = 3000 })) do
    if a.wall_us then
      by[a.type] = by[a.type] or {}
      table.insert(by[a.type], a)
    end
  end
  for _, t in ipairs(job.types) do
    if by[t.type] then items[#items + 1] = summary(t, by[t.type]) end
  end
  return { items = items, job = job }
end

local function bars(t)
  local most, drawn = 1, {}
  for _, b in ipairs(t.histogram) do most = math.max(most, b.n) end
  for i, b in ipairs(t.histogram) do
    local high = b.n > 0 and math.max(1, 28 * b.n / most) or 0
    drawn[i] = h.rect { x = (i - 1) * 7, y = 30 - high, width = 6, height = high, class = "f-passed",
      h.title(("%s up: %d"):format(format.duration(b.from_us), b.n)) }
  end
  return h.svg { class = "hist", width = math.max(70, 7 * #t.histogram), height = 31, role = "img",
    ["aria-label"] = ("half took under %s, 95 of 100 under %s"):format(format.duration(t.wall_median_us), format.duration(t.wall_p95_us)),
      drawn }
end

function page.page(data)
  local job = data.job
  if not job then return context.no_jobs "Timings" end
  local rows, n = {}, 0
  for i, t in ipairs(data.items) do
    n = n + t.n
    rows[i] = { t.type, format.count(t.attempts_ended), format.duration(t.wall_median_us), format.duration(t.wall_p95_us),
      format.duration(t.wall_max_us), bars(t),
      t.cpu_per_wall and ("%.2f"):format(t.cpu_per_wall), format.duration(t.queued_median_us), format.duration(t.queued_p99_us),
        format.size(t.peak_max_kb * 1024), format.duration(t.wall_total_us) }
  end
  return { title = "Timings of " .. job.job, heading = "Timings", job = job, topic = job.job, body = {
    h.p { class = "facts", ("Distributions are of the newest %s attempts; the bins are logarithmic, from 1 ms. "):format(format.count(n)),
      h.a { href = h.url("/api/v1/timings.csv", { job = job.job }), download = true, "CSV" } },
    parts.table({ "type", { "ended", n = true }, { "median", n = true }, { "p95", n = true }, { "max", n = true },
      "distribution of wall time", { "CPU/wall", n = true },
      { "queued, median", n = true }, { "p99", n = true }, { "peak", n = true }, { "total wall", n = true } }, rows,
        "Nothing has ended yet.", { live = "timings", label = "timings" }) } }
end

return page
