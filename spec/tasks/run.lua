-- run.lua: runs a script as an attempt, without worker and database (spec/host/run_script.c), and sorts its events.
local T = require "spec.support"
local json = require "eas.json"

local run = {}
run.share = T.build .. "/share/eas"

local KINDS = { "log", "metadata", "outputs", "spawn", "error", "checks", "products", "verdict", "code", "finished" }

local function gather(text)
  local got = { log = {}, metadata = {}, outputs = {}, checks = {}, products = {}, stdout = {} }
  for line in text:gmatch "([^\n]*)\n" do
    local number, level, payload = line:match "^(%d+) (%d+) (.*)$"
    local kind = KINDS[tonumber(number)]
    if line:match "^STATUS " then got.status = tonumber(line:match "%d+")
    elseif line:match "^PROGRESS " then got.done, got.total = line:match "(%d+) (%d+)"
    elseif kind == "log" then got.log[#got.log + 1] = { level = tonumber(level), text = payload }
    elseif kind == "finished" then got.finished = true
    elseif kind == "metadata" then
      for k, v in pairs(json.decode(payload)) do got.metadata[k] = v end
      got.metadata_text = payload
    elseif kind == "outputs" then
      local o = json.decode(payload)
      got.outputs[o.kind] = o
    elseif kind == "products" then
      local p = json.decode(payload)
      got.products[p.kind] = p
    elseif kind == "checks" then
      local c = json.decode(payload)
      got.checks[c.name] = c
    elseif kind == "spawn" then
      got.spawn = got.spawn or {}
      for _, item in ipairs(json.decode(payload)) do got.spawn[#got.spawn + 1] = item end
    elseif kind then got[kind] = json.decode(payload)
    else got.stdout[#got.stdout + 1] = line end
  end
  return got
end

-- Runs a request (see engine/worker/runner.h; role, type, seed and so on have defaults). options: soft, cancel (ms), packs.
function run.request(request, options)
  options = options or {}
  local scratch = options.scratch or T.tmpdir()
  request.role = request.role or "task"
  request.type = request.type or "x"
  request.seed = request.seed or 7
  for _, name in ipairs { "description", "metadata", "requested_metadata", "inputs", "outputs" } do
    request[name] = request[name] or {}
  end
  local file = T.write(T.tmpdir() .. "/request.json", assert(json.encode(request)))
  local packs = options.packs or run.share
  local result = T.sh(("cd %s && timeout -k 5 120 %s %s %s %d %d"):format(T.quote(scratch),
    T.quote(T.build .. "/bin/eas-run-script"), T.quote(packs), T.quote(file), options.soft or 0, options.cancel or 0))
  local got = gather(result.out)
  assert(got.status, "eas-run-script: " .. result.err)
  got.stderr, got.scratch = result.err, scratch
  return got
end

-- A shipped task type, or its quality check.
function run.type(name, request, options)
  request = request or {}
  request.type = name
  request.script = ("%s/%s/%s.lua"):format(run.share, request.role == "qc" and "qc_lua" or "tasks_lua", name)
  return run.request(request, options)
end

-- A shipped task type, then its quality check on what came of it. spoil(request of the check, what came) may change it.
function run.judged(name, request, spoil)
  local got = run.type(name, request)
  local made = {}
  for kind, o in pairs(got.outputs) do
    made[kind] = { path = got.scratch .. "/out/" .. o.file, filename = o.file, size = 1, metadata = o.metadata }
  end
  local check = { role = "qc", ending = got.finished and "ok" or "error", error = got.error, made = made, result = got.metadata,
                  inputs = request.inputs, outputs = request.outputs, description = request.description }
  if spoil then spoil(check, got) end
  return got, run.type(name, check)
end

-- The text of a script, written into a pack of its own. modules: { ["tasks_lua/lib/x.lua"] = text }
function run.text(text, request, options, modules)
  local pack = T.tmpdir()
  os.execute(("mkdir -p %s/tasks_lua/lib %s/qc_lua/lib"):format(T.quote(pack), T.quote(pack)))
  request, options = request or {}, options or {}
  local folder = request.role == "qc" and "qc_lua" or "tasks_lua"
  request.script = T.write(("%s/%s/x.lua"):format(pack, folder), text)
  for path, body in pairs(modules or {}) do T.write(pack .. "/" .. path, body) end
  options.packs = run.share .. ":" .. pack
  return run.request(request, options)
end

-- The body of a task handler: run.body("task:set{ a = 1 }")
function run.body(body, request, options, modules)
  return run.text('local eas = require "eas"\nreturn eas.task(function(task)\n' .. body .. "\nend)\n", request, options, modules)
end

-- The body of a quality check's handler.
function run.judge(body, request)
  request = request or {}
  request.role, request.ending = "qc", request.ending or "ok"
  return run.text('local eas = require "eas"\nreturn eas.qc(function(attempt)\n' .. body .. "\nend)\n", request)
end

-- A text light curve of n points with boxes: path.
function run.light_curve(n, options)
  options = options or {}
  local lines, step = {}, options.step or 1800
  for k = 0, n - 1 do
    local t = k * step / 86400
    local inside = options.period and (t - options.t0 + options.period / 2) % options.period - options.period / 2
    local flux = 1 + 1e-4 * math.sin(12.9898 * k) * math.cos(78.233 * k)
    if inside and math.abs(inside) < 0.06 then flux = flux - (options.depth or 0.01) end
    lines[#lines + 1] = ("%.18e %.18e 0 1e-4"):format(k * step, flux)
  end
  return T.write(T.tmpdir() .. "/lc.txt", table.concat(lines, "\n") .. "\n")
end

return run
