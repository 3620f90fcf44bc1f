-- eas.repl.things: what the prompt has at hand: task, attempt, product, db, lightcurve, search, fold, plot.
local core = require "eas.core"
local fold_bins = require "eas.fold"
local help = require "eas.repl.help"
local json = require "eas.json"
local lc = require "eas.lc"

local things = {}

-- A question to the engine; what it cannot answer is an error at the caller of the function at `level`.
function things.ask(what, arguments, level)
  local text, why, hint = core.ask(what, json.encode(arguments or {}))
  if not text then error(why .. (hint and hint ~= "" and "; " .. hint or ""), level == 0 and 0 or (level or 1) + 1) end
  return json.decode(text)
end
local ask = things.ask

-- Objects whose misspelt fields are errors; what they are is in repl/types.d.lua.
local function class(name, text, methods, brief)
  return { class = name, brief = brief, __tostring = text, __index = function(self, key)
    if methods and methods[key] then return methods[key] end
    local names = help.names(name) or {}
    for _, known in ipairs(names) do if known == key then return nil end end
    for known in next, self do names[#names + 1] = tostring(known) end
    table.sort(names)
    local near = core.nearest(tostring(key), names)
    error(("%s has no field '%s'; use %s"):format(name, tostring(key), near or table.concat(names, ", ")), 2)
  end }
end

local function where(file)
  return (file.directory and file.directory ~= "" and file.directory .. "/" or "") .. (file.filename or "?")
end

local file_class = class("file", function(f)
  local size = f.size and ("  %d bytes"):format(f.size) or f.version and "" or "  not made yet"
  local verdict = f.verdict and "  " .. f.verdict .. (f.reason and ": " .. f.reason or "") or ""
  return ("%s %s: %s%s%s"):format(f.kind, f.version or f.product or "", where(f), size, verdict)
end, nil, true)

local function by_kind(list)
  local files = {}
  for _, file in ipairs(list or {}) do files[file.kind] = setmetatable(file, file_class) end
  return files
end

local function label(v) return v.ending and v.ending ~= "ok" and v.ending or v.verdict or v.state end

local rows_of = {
  jobs = { "job", "name", "state", "waiting", "queued", "running", "passed", "reused", "failed", "skipped" },
  tasks = { "task", "type", "state", "attempts", "parameters", "reason" },
  attempts = { "attempt", "task", "type", "number", "state", "ending", "verdict", "worker", "reason" },
  errors = { "n", "kind", "type", "message", "attempt", "task" },
  logs = { "at", "level", "attempt", "type", "text" },
  files = { "product", "version", "kind", "directory", "filename", "size", "verdict", "task" },
  results = { "task", "type", "parameters", "result" },
  workers = { "worker", "host", "pid", "slots", "running", "container" },
  types = { "type", "description" },
}

-- db.tasks { job = "j1", state = "failed", type =, limit = 100 } and so on.
things.db = {}
for what, columns in pairs(rows_of) do
  things.db[what] = function(arguments)
    if arguments ~= nil and type(arguments) ~= "table" then
      error(("db.%s takes a table, as db.%s { limit = 10 }"):format(what, what), 2)
    end
    return setmetatable(ask(what, arguments, 2), { columns = columns })
  end
end

local function attempt_log(self)
  return setmetatable(ask("logs", { attempt = self.attempt, limit = 0 }, 2), { columns = { "at", "level", "text" } })
end

local checks_class = { columns = { "name", "value", "limit", "verdict" } }

local attempt_class = class("attempt", function(a)
  local why = a.reason or a.error
  return ("%s of %s %s: %s%s"):format(a.attempt, a.task, a.type, label(a), why and label(a) ~= "pass" and ", " .. why or "")
end, { log = attempt_log })

local function id_of(id, letter, what)
  if type(id) == "number" then return letter .. ("%d"):format(id) end
  if type(id) == "string" and id:match("^[" .. letter .. "]?%d+$") then return id:match "^%a" and id or letter .. id end
  error(('%s takes an id, as %s "%s12"'):format(what, what, letter), 3)
end

function things.attempt(id)
  local a = ask("attempt", { id = id_of(id, "a", "attempt") }, 2)
  a.inputs, a.outputs = by_kind(a.inputs), by_kind(a.outputs)
  a.metadata, a.settings = a.metadata or {}, a.description or {}
  a.credible, a.description = a.metadata.credible, nil
  a.seed = a.provenance and a.provenance.seed -- as scripts see it
  if a.checks then setmetatable(a.checks, checks_class) end
  return setmetatable(a, attempt_class)
end

local task_class = class("task", function(t)
  return ("%s %s of %s: %s, %d attempts"):format(t.task, t.type, t.job, t.state, #(t.attempts or {}))
end)

local brief_attempt = class("attempt of a task", function(a) return ("%s: %s"):format(a.attempt, label(a)) end, nil, true)

function things.task(id)
  local t = ask("task", { id = id_of(id, "t", "task") }, 2)
  t.inputs, t.outputs = by_kind(t.inputs), by_kind(t.outputs)
  for _, a in ipairs(t.attempts or {}) do setmetatable(a, brief_attempt) end
  return setmetatable(t, task_class)
end

local product_class = class("product", function(p)
  return ("%s %s of %s: %s, %d versions"):format(p.product, where(p), p.task, p.kind, #(p.versions or {}))
end)

local version_class = class("version", function(v)
  return ("%s by %s: %d bytes, %s%s"):format(v.version, v.attempt, v.size, v.verdict, v.reason and ": " .. v.reason or "")
end, nil, true)

function things.product(id)
  local text = type(id) == "string" and id:match "^v%d+$" or id_of(id, "p", "product")
  local p = ask("file", { id = text }, 2)
  for _, v in ipairs(p.versions or {}) do setmetatable(v, version_class) end
  return setmetatable(p, product_class)
end

-- Path and metadata of what a person may mean by a light curve.
local function find_curve(from, level)
  if type(from) == "table" and rawget(from, "sha256") then
    return ask("path", { sha256 = from.sha256 }, level + 1), from.metadata
  end
  if type(from) ~= "string" then
    error("lightcurve takes a file's path, a product (p12), a version (v31) or an input of an attempt", level + 1)
  end
  if not from:match "^[pv]%d+$" or core.exists(from) then return from end
  local p, wanted = things.product(from), nil
  for _, v in ipairs(p.versions) do
    if v.version == (from:match "^v" and from or p.passed or p.versions[1].version) then wanted = v end
  end
  if not wanted then error(("%s has no version yet; eas why %s says why"):format(from, p.task), level + 1) end
  return ask("path", { sha256 = wanted.sha256 }, level + 1), wanted.metadata
end

function things.lightcurve(from, options)
  if lc.is(from) then return from end
  local path, metadata = find_curve(from, 2)
  local curve, why, hint = lc.read(path, options, metadata)
  if not curve then error(why .. (hint and hint ~= "" and "; " .. hint or ""), 2) end
  return curve
end

local fold_class
fold_class = class("fold", function(f)
  return ("fold: %d points, period %.7g d, mid-time %.7g"):format(#f.phase, f.period, f.t0)
end, {
  -- Means of n bins.
  bin = function(self, n)
    if type(n) ~= "number" or n < 2 or n % 1 ~= 0 then error("fold:bin takes a number of bins, from 2", 2) end
    local half = self.period / 2
    local flux, phase = fold_bins.bins(self.curve, self.period, self.t0, half, n), {}
    for k = 1, n do phase[k] = (k - 0.5) / n * self.period - half end
    return setmetatable({ curve = self.curve, period = self.period, t0 = self.t0, phase = phase, flux = flux }, fold_class)
  end,
  -- Only phases from -half to half, day.
  around = function(self, half)
    if type(half) ~= "number" or not (half > 0) then error("fold:around takes half a width, day", 2) end
    local phase, flux = {}, {}
    for i, p in ipairs(self.phase) do
      if math.abs(p) <= half then phase[#phase + 1], flux[#flux + 1] = p, self.flux[i] end
    end
    return setmetatable({ curve = self.curve, period = self.period, t0 = self.t0, phase = phase, flux = flux }, fold_class)
  end,
}, true)

function fold_class.plot(f)
  return { title = ("folded at %.7g d"):format(f.period), x_label = "time from mid-transit / d", y_label = "flux",
    series = { { x = f.phase, y = f.flux, kind = "points", size = #f.phase > 2000 and 1.4 or 3 } } }
end

function things.fold(curve, period, t0)
  curve = things.lightcurve(curve)
  if type(period) ~= "number" or not (period > 0) then error("fold takes a light curve, a period > 0 and a mid-time, day", 2) end
  t0 = t0 or curve.n > 0 and curve.time[0] or 0
  local phase, flux, good = {}, {}, curve:clean()
  for i = 0, good.n - 1 do
    phase[i + 1] = (good.time[i] - t0 + period / 2) % period - period / 2
    flux[i + 1] = good.flux[i]
  end
  return setmetatable({ curve = good, period = period, t0 = t0, phase = phase, flux = flux }, fold_class)
end

local result_class = class("result", function(r)
  local function n(format, x) return type(x) == "number" and x == x and format:format(x) or "-" end
  return ("%s: period %s d, mid-time %s, depth %s ppm, sde %s, credible %s"):format(r.method, n("%.7g", r.period), n("%.5f", r.t0),
    n("%.0f", r.depth and r.depth * 1e6), n("%.2f", r.sde), tostring(r.credible or "-"))
end)
-- In the terminal: means of 80 bins around mid-transit.
function result_class.plot(r)
  if not (r.period and r.period == r.period) then error("plot: the search found no period", 0) end
  local half, phase = math.min(r.period / 2, 3 * r.duration), {}
  local bins = fold_bins.bins(r.curve:clean(), r.period, r.t0, half, 80)
  for k = 1, #bins do phase[k] = (k - 0.5) / #bins * 2 * half - half end
  return { title = ("folded at %.7g d, means of %d bins"):format(r.period, #bins), x_label = "time from mid-transit / d", y_label = "flux",
    series = { { x = phase, y = bins, kind = "points", size = 4 } } }
end
function result_class.svg(r)
  return require("eas.plot.fold").svg(r.curve, { period = r.period, t0 = r.t0, duration = r.duration, depth = r.depth, standalone = true,
    title = ("%s finds %.7g d"):format(r.method, r.period), note = tostring(r):match "(mid%-time.*)$" })
end
result_class.__index = function(r, key) return rawget(r.values, key) end

-- search(curve, method, settings): nil when Ctrl-C came.
function things.search(curve, method, settings)
  local search = require "eas.search"
  curve = things.lightcurve(curve)
  local path, name = search.find(method or "bls")
  if not path then error(("there is no search method '%s'; %s"):format(tostring(method), name), 2) end
  local request = { method = method or "bls", settings = settings or {}, threads = things.request.threads,
    progress = things.request.progress, periodogram = "periodogram.fits", keep = true }
  local found = {}
  local ok, err = search.curve(request, path, name, curve, found)
  if core.resume() then
    io.stderr:write(("interrupted at %d %%, no result\n"):format(request.percent or 0))
    return nil
  end
  if not ok then error(type(err) == "table" and err.message or tostring(err), 0) end
  local result = { method = request.method, curve = curve, values = found.values, settings = found.settings,
    periodogram = found.periodogram }
  for _, key in ipairs { "period", "t0", "depth", "duration", "sde", "credible", "vetting" } do result[key] = found.values[key] end
  if result.vetting then setmetatable(result.vetting, checks_class) end
  return setmetatable(result, result_class)
end

function things.plot(thing, path)
  local plot = require "eas.plot"
  if type(thing) == "string" then thing = things.lightcurve(thing) end
  if path then
    plot.write(thing, path)
    io.stdout:write("wrote ", path, "\n")
    return
  end
  local p, width = plot.of(thing), things.request.width or 0
  for _, line in ipairs(plot.lines(p, { columns = width > 0 and math.min(width, 120) or 90, utf8 = things.request.utf8 })) do
    io.stdout:write(line, "\n")
  end
end

return things
