-- eas.host: what the binary calls: load (zygote), run (child), and the command line's script, job, search and view.
local core = require "eas.core"
local json = require "eas.json"

local host = {}
local EVENT = { ERROR = 5 }
local MEMORY = "not enough memory"
local DEPTH = 30
-- The names in a request: kept, so that they are there before each of the clones makes them anew.
local WORDS = [=[["role", "task", "qc", "type", "script", "attempt", "job", "number", "job_name", "task_name",
  "working_directory", "description", "metadata", "requested_metadata", "seed", "threads", "memory_bytes", "inputs",
  "outputs", "path", "filename", "directory", "version", "size", "ending", "ok", "error", "log", "made", "result",
  "wall_seconds", "traceparent"]]=]

-- Modules are shown in tracebacks by their place in the tree, not in this installation.
local function add_loader(share, packs)
  local function loader(name)
    local part = name:gsub("%.", "/")
    local candidates = {}
    if name == "eas" or name:match "^eas%." then
      candidates = { { share .. "/lua/" .. part .. ".lua", part .. ".lua" },
                     { share .. "/lua/" .. part .. "/init.lua", part .. "/init.lua" } }
    elseif name:match "^native%.[%w_]+$" then
      for _, pack in ipairs(packs) do candidates[#candidates + 1] = { pack .. "/" .. part .. ".lua", part .. ".lua" } end
    end
    for _, c in ipairs(candidates) do
      local file = io.open(c[1], "rb")
      if file then
        local text = file:read "*a"
        file:close()
        local chunk, why = load(text, "@" .. c[2])
        if not chunk then error(why, 0) end
        return chunk
      end
    end
    return ("\n\tno module '%s' in the engine or a pack"):format(name)
  end
  table.insert(package.loaders, 2, loader)
end

local function preload(share)
  local sandbox = require "eas.sandbox"
  for _, name in ipairs { "eas", "eas.task", "eas.qc", "eas.lc", "eas.array" } do sandbox.require(name) end
  for _, name in ipairs(core.list(share .. "/lua/eas/native") or {}) do
    local stem = name:match "^(.+)%.lua$"
    -- A binding whose kernel is missing fails where it is required, and says so there.
    if stem then pcall(sandbox.require, "eas.native." .. stem) end
  end
end

function host.load(share, packs)
  if host.share then return end
  host.share = share
  -- A short task is over before machine code pays for itself; a loop that matters comes by far more often than this.
  require("jit.opt").start("hotloop=400", "hotexit=40")
  io.stdout:setvbuf "line" -- so that what a script printed before it crashed is kept
  add_loader(share, packs)
  require("eas.sandbox").load(packs)
  local native = require "eas.native" -- by our loader, which gives the names that tracebacks show
  native.late = true
  preload(share)
  native.late = false
  require("eas.sandbox").prepare()
  host.words = json.decode(WORDS)
end

local function text_of(err)
  if type(err) == "string" then return err end
  if type(err) == "table" then
    local meta = getmetatable(err)
    if type(meta) == "table" and meta.__tostring then return tostring(err) end
    return "an error that is a table: " .. (json.encode(err) or tostring(err))
  end
  return ("an error that is a %s: %s"):format(type(err), tostring(err))
end

local function frame_text(f)
  local where = f.short_src .. ":" .. f.currentline
  if f.what == "main" then return where .. ": in main chunk" end
  if f.name then return ("%s: in %s"):format(where, f.name) end
  return ("%s: in the function at line %d"):format(where, f.linedefined)
end

-- Message handler: { message, trace } with the source line of each frame in a script.
local function traceback(err)
  local sandbox = require "eas.sandbox"
  local lines, level = {}, 2
  while #lines < DEPTH do
    local f = debug.getinfo(level, "Sln")
    if not f or f.source:match "eas/host%.lua$" then break end
    if f.what ~= "C" then
      lines[#lines + 1] = frame_text(f)
      local source = not f.source:match "^@eas/" and sandbox.source_line(f.short_src, f.currentline)
      if source then lines[#lines + 1] = ("  %4d | %s"):format(f.currentline, source) end
    end
    level = level + 1
  end
  while lines[#lines] and lines[#lines]:match "^eas/task%.lua" or lines[#lines] and lines[#lines]:match "^eas/qc%.lua" do
    lines[#lines] = nil -- the wrapper below the handler
  end
  return { message = text_of(err), trace = table.concat(lines, "\n") }
end
host.traceback = traceback

local function report(failure, limit)
  core.heap_limit(0)
  collectgarbage()
  if type(failure) ~= "table" then failure = { message = text_of(failure), trace = "" } end
  if failure.message == MEMORY or failure.message:match(": " .. MEMORY .. "$") then
    failure = { ending = "memory", trace = "", message = limit and
      ("Lua needs more memory than the limit of %.0f MB"):format(limit / 1048576) or MEMORY }
  elseif failure.message:find("no memory", 1, true) then -- of a library, beside the heap of Lua
    failure.ending = "memory"
  elseif core.stopped() then
    failure.ending = core.stopped()
  end
  core.event(EVENT.ERROR, 0, json.encode(failure))
end

-- One object of "NAME": "digest".
local function code_text(used)
  local parts = {}
  for name, digest in pairs(used) do parts[#parts + 1] = json.string(name) .. ':"' .. digest .. '"' end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- Runs one attempt: true, or false when an error was reported; the verdict, if there is one; the code that was used.
function host.run()
  local sandbox = require "eas.sandbox"
  local place, limit = sandbox.place(), nil
  local ok, result = xpcall(function()
    local request = core.request()
    limit = request.memory_bytes
    core.heap_limit(limit or 0)
    if request.debug then require("eas.debugger").open(request.debug, sandbox.entry(request.script).shown) end
    local object = place.run(request.role, request.script)
    if type(object) ~= "table" or object.role ~= request.role then
      error(("%s does not return eas.%s(function ...)"):format(sandbox.entry(request.script).shown, request.role), 0)
    end
    place.env.math.randomseed(request.seed or 1)
    core.stage(3)
    return object.run(request)
  end, traceback)
  if not ok then report(result, limit) end
  core.heap_limit(0)
  io.stdout:flush()
  return ok, ok and result or nil, code_text(place.used)
end

-- A Lua job file: a table, as JSON text. It sees no files, no programs and no network.
function host.job(path)
  local sandbox = require "eas.sandbox"
  local file, why = io.open(path, "rb")
  if not file then error(why, 0) end
  local text = file:read "*a"
  file:close()
  local chunk, fault = load(text, "@" .. path, "t", sandbox.strict(sandbox.globals()))
  if not chunk then error(fault, 0) end
  local ok, job = xpcall(chunk, traceback)
  if not ok then error(type(job) == "table" and job.message or tostring(job), 0) end
  if type(job) ~= "table" then error(("%s: returns a %s, not a table with task_list"):format(path, type(job)), 0) end
  local encoded, reason = json.encode(job)
  if not encoded then error(path .. ": " .. reason, 0) end
  return encoded
end

-- eas lua FILE arguments: exit status.
function host.script(arguments)
  _G.arg = arguments
  local chunk, why = loadfile(arguments[0])
  if not chunk then
    io.stderr:write("eas: ", why, "\n")
    return 2
  end
  local ok, result = xpcall(chunk, traceback, unpack(arguments))
  if ok then return type(result) == "number" and result or 0 end
  if type(result) ~= "table" then result = { message = tostring(result), trace = "" } end
  io.stderr:write("eas: ", result.message, "\n", result.trace, "\n")
  return 1
end

-- A page or picture of eas.view.NAME, made of a request as JSON text.
function host.view(name, request)
  if not name:match "^[%l_]+$" then error(("there is no view '%s'"):format(name), 0) end
  local ok, result = xpcall(function() return require("eas.view." .. name)(json.decode(request)) end, traceback)
  if ok then return result end
  error(type(result) == "table" and result.message .. "\n" .. result.trace or tostring(result), 0)
end

function host.search(request)
  local ok, result = xpcall(function() return require("eas.search").run(json.decode(request)) end, traceback)
  if ok then return result end
  if type(result) ~= "table" then result = { message = tostring(result), trace = "" } end
  io.stderr:write("eas: ", result.message, "\n", result.trace, "\n")
  return 1
end

-- eas repl, eas shell: exit status.
function host.repl(request)
  return require("eas.repl").run(json.decode(request))
end

return host
