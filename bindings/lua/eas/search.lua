-- eas.search: `eas search`: the search scripts of the packs, run in this process on files that a person names.
-- What a script is for the engine it is here: its settings, its result, its vetting, its periodogram.
local core = require "eas.core"
local json = require "eas.json"
local lc = require "eas.lc"
local native = require "eas.native"
local sandbox = require "eas.sandbox"
local task = require "eas.task"

local search = {}
local PREFIX = "transit_search_"
local short = { bls = "bls_reference", dst = "dst_v29" }
-- What a script sets beside its result: shown in places of their own.
local apart = { vetting = true, credible = true, time_first = true, span = true }

local function say(format, ...)
  io.stderr:write("eas: ", format:format(...), "\n")
end

function search.methods()
  local list = {}
  for _, pack in ipairs(sandbox.packs) do
    for _, file in ipairs(core.list(pack .. "/tasks_lua") or {}) do
      local name = file:match("^" .. PREFIX .. "(.+)%.lua$")
      if name then list[#list + 1] = name end
    end
  end
  table.sort(list)
  return list
end

-- Path of a method's script and its name, or nil and what to do.
function search.find(given)
  local name = short[given] or given
  for _, pack in ipairs(sandbox.packs) do
    local path = pack .. "/tasks_lua/" .. PREFIX .. name .. ".lua"
    if core.exists(path) then return path, name end
  end
  local all = search.methods()
  local names = { unpack(all) }
  for alias in pairs(short) do names[#names + 1] = alias end
  table.sort(names)
  local near = core.nearest(given, names)
  return nil, near and "use " .. near or "methods: " .. table.concat(all, ", ")
end

local function show_progress(request, done, total)
  if not request.progress or not total or total == 0 then return end
  local percent = math.floor(100 * done / total)
  if percent == request.percent then return end
  request.percent = percent
  io.stderr:write(("\r  %3d %% "):format(percent))
end

-- The task object that the script gets: one input, results gathered instead of sent.
local function local_task(request, name, curve, found)
  local settings = {}
  for key, value in pairs(request.settings or {}) do settings[key] = value end
  local duration = settings.lc_duration
  settings.lc_duration = nil
  local object = task.object {
    type = PREFIX .. name, threads = request.threads or 1, seed = 1,
    description = { task = PREFIX .. name, lc_duration = duration, search_settings = settings },
    outputs = request.periodogram and { periodogram = { filename = request.periodogram } } or {},
  }
  function object.input() return curve end
  function object.output(_, kind, made)
    if request.keep then
      found[kind] = made
      return
    end
    made:write(request[kind])
    found.wrote[#found.wrote + 1] = request[kind]
  end
  function object.set(_, values)
    for key, value in pairs(values) do found.values[key] = value end
  end
  function object.progress(_, done, total) show_progress(request, done, total) end
  for _, level in ipairs { "debug", "info" } do object[level] = function() end end
  for _, level in ipairs { "warn", "error" } do
    object[level] = function(_, format, ...) say(tostring(format), ...) end
  end
  return object
end

-- Text of an error as a person wants it: without the place in a script.
local function plain(err)
  local text = type(err) == "table" and err.message or tostring(err)
  return (text:gsub("^[%w_./]+%.lua:%d+: ", ""))
end

-- CPU seconds of the kernels that searched so far.
local function kernel_seconds()
  local sum = 0
  for name, seconds in pairs(native.cpu) do
    if name ~= "vetting" then sum = sum + seconds end
  end
  return sum
end

-- Runs a method's script on a light curve; found gets values, settings, and with request.keep the periodogram. As xpcall.
function search.curve(request, path, name, curve, found)
  found.values, found.wrote = {}, {}
  request.percent = nil
  local ok, err = xpcall(function()
    local script = sandbox.place().run("task", path)
    local object = local_task(request, name, curve, found)
    script.handler(object)
    found.settings = rawget(object, "settings_used") or request.settings or {}
  end, require("eas.host").traceback)
  if request.progress then io.stderr:write "\r        \r" end
  return ok, err
end

-- One light curve: what was found; or nil, exit status, message, hint.
local function run_one(request, path, name, file)
  local wall, cpu = core.clocks(), kernel_seconds()
  local options = { flux = request.flux, quality = request.quality, columns = request.columns }
  local curve, why, hint = lc.read(file, options)
  if not curve then return nil, 2, why, hint end
  local found = { file = file, method = request.method, curve = curve }
  local ok, err = search.curve(request, path, name, curve, found)
  if not ok then
    local message = plain(err)
    return nil, (message:find "unknown setting" or message:find "search_settings: ") and 2 or 1, file .. ": " .. message
  end
  found.wall_seconds, found.cpu_seconds = core.clocks() - wall, kernel_seconds() - cpu
  found.n_points = found.values.n_points or curve.n
  found.span = found.values.span or curve:duration()
  return found
end

local function result_of(found)
  local result = {}
  local judged = found.values.outcome ~= "UNDEFINED"
  for key, value in pairs(found.values) do
    if not apart[key] and (judged or key ~= "outcome" and key ~= "target_period") then result[key:lower()] = value end
  end
  return result
end

local function print_json(found)
  local line, why = json.encode {
    method = found.method, file = found.file, n_points = found.n_points, span = found.span,
    settings = found.settings, result = result_of(found), credible = found.values.credible,
    vetting = json.list(found.values.vetting or {}), cpu_seconds = found.cpu_seconds, wall_seconds = found.wall_seconds,
  }
  io.write(line or json.encode { method = found.method, file = found.file, error = { message = why } }, "\n")
  io.flush()
end

local function print_failure(request, file, message, hint)
  if request.json then
    local problem = { message = message, hint = hint ~= "" and hint or nil }
    io.write(json.encode { method = request.method, file = file, error = problem }, "\n")
    return
  end
  say("%s", message)
  if hint and hint ~= "" then io.stderr:write("   ", (hint:gsub("\n", "\n   ")), "\n") end
end

local function check_request(request)
  local n = #(request.files or {})
  if n == 0 then return "search: which light curve? eas search FILE..." end
  for _, kind in ipairs { "periodogram", "plot" } do
    if request[kind] and n > 1 then return ("--%s takes one light curve, not %d"):format(kind, n) end
  end
  if request.plot and not request.plot:match "%.svg$" then
    return ("--plot %s: the file must end in .svg"):format(request.plot)
  end
end

-- A request of the command line (engine/cli): exit status.
function search.run(request)
  local card = require "eas.card"
  request.method = request.method or "bls"
  local fault = check_request(request)
  local path, name = search.find(request.method)
  if fault or not path then
    say("%s", fault or ("there is no search method '%s'"):format(request.method))
    if not fault then io.stderr:write("   ", name, "\n") end
    return 2
  end

  local status, several = 0, #request.files > 1
  if several and not request.json then card.header(request) end
  for _, file in ipairs(request.files) do
    local found, code, message, hint = run_one(request, path, name, file)
    if found and request.plot then
      local ok, why = pcall(card.svg, found, request.plot)
      if ok then found.wrote[#found.wrote + 1] = request.plot else found, code, message = nil, 2, plain(why) end
    end
    if not found then
      print_failure(request, file, message, hint)
      status = math.max(status, code)
    elseif request.json then print_json(found)
    elseif several then card.row(found, request)
    else card.card(found, request) end
  end
  return status
end

return search
