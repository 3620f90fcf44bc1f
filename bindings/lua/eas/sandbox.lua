-- eas.sandbox: where scripts live. They see a short list of globals that cannot be added to, and require only
-- eas.*, lib.* (tasks_lua/lib, qc_lua/lib) and native.* (a pack's bindings). This keeps honest scripts honest and
-- typing errors loud; what holds a hostile one is the process around it.
local core = require "eas.core"
local native = require "eas.native"

local sandbox = { packs = {} }
local entries = {}  -- absolute path -> { shown, text, digest, chunk | error }
local libraries = {} -- "lib.NAME" -> path
local kernels = {}   -- module -> { kernel = true }: what its loading asked for
local private = { ["eas.core"] = true, ["eas.host"] = true, ["eas.sandbox"] = true, ["eas.search"] = true,
  ["eas.repl"] = true, ["eas.shell"] = true, ["eas.debugger"] = true, ["eas.asan"] = true }
local open_modules = {} -- engine modules that are being loaded now

native.on_load = function(name)
  for _, set in ipairs(open_modules) do set[name] = true end
end

-- The engine's require, remembering which kernels a module stands on.
local function trusted_require(name)
  if package.loaded[name] == nil or not kernels[name] then
    kernels[name] = kernels[name] or {}
    open_modules[#open_modules + 1] = kernels[name]
    local ok, module = xpcall(require, function(e) return e end, name)
    open_modules[#open_modules] = nil
    if not ok then error(module, 0) end
  end
  for _, set in ipairs(open_modules) do
    for kernel in pairs(kernels[name]) do set[kernel] = true end
  end
  return package.loaded[name]
end
sandbox.require = trusted_require

local read = native.read

-- Compiles a script once; a failure is remembered and raised when the script is wanted.
function sandbox.compile(path, shown)
  local entry = { path = path, shown = shown }
  entries[path] = entry
  local text, why = read(path)
  if not text then
    entry.error = why
    return entry
  end
  entry.digest = core.sha256(text)
  entry.chunk, entry.error = load(text, "@" .. shown, "t")
  return entry
end

function sandbox.entry(path)
  return entries[path] or sandbox.compile(path, path:match "([^/]+/[^/]+)$" or path)
end

-- Line `number` of a script that is shown by this name, for tracebacks: read again, since every attempt would have a copy
-- of what is kept; none if the file is not the one that runs.
function sandbox.source_line(shown, number)
  for _, entry in pairs(entries) do
    local text = entry.shown == shown and entry.digest and read(entry.path)
    if text and core.sha256(text) == entry.digest then
      local n = 0
      for line in (text .. "\n"):gmatch "(.-)\r?\n" do
        n = n + 1
        if n == number then return line end
      end
    end
  end
end

local function compile_folder(pack, folder, as_library)
  for _, name in ipairs(core.list(pack .. "/" .. folder) or {}) do
    local stem = name:match "^(.+)%.lua$"
    if stem then
      local path = pack .. "/" .. folder .. "/" .. name
      local entry = sandbox.compile(path, folder .. "/" .. name)
      local module = "lib." .. stem
      if as_library and libraries[module] then
        entry.error = ("module '%s' is in two places: %s and %s"):format(module, libraries[module], path)
      end
      if as_library then libraries[module] = path end
    end
  end
end

function sandbox.load(packs)
  sandbox.packs = packs
  for _, pack in ipairs(packs) do
    native.folders[#native.folders + 1] = pack .. "/native"
    for _, folder in ipairs { "tasks_lua", "qc_lua" } do
      compile_folder(pack, folder .. "/lib", true)
      compile_folder(pack, folder, false)
    end
  end
end

local allowed = {
  "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawset",
  "select", "setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall",
}
local copied = { "math", "string", "table", "bit", "coroutine" }

function sandbox.globals()
  local env = {}
  for _, name in ipairs(allowed) do env[name] = _G[name] end
  for _, name in ipairs(copied) do
    env[name] = {}
    for k, v in pairs(_G[name]) do env[name][k] = v end
  end
  env.string.dump = nil
  return env
end

function sandbox.strict(env)
  env._G = env
  return setmetatable(env, {
    __index = function(_, name)
      error(("there is no global '%s'"):format(tostring(name)), 2)
    end,
    __newindex = function(_, name)
      error(("a script may not make the global '%s': put 'local' before it"):format(tostring(name)), 2)
    end,
    __metatable = "globals of a script",
  })
end

local function refuse(name)
  error(("module '%s' is not for scripts: they require eas.*, lib.* and native.*"):format(tostring(name)), 3)
end

-- A place to run a script in: an environment with its own require; used.NAME gathers the digests of what was loaded.
local function new_place()
  local env, done, used = sandbox.globals(), {}, {}
  local place = { env = env, used = used }
  function place.run(name, path)
    local entry = sandbox.entry(path)
    if entry.error then error(entry.error, 0) end
    used[name] = entry.digest
    if entry.env ~= env then setfenv(entry.chunk, env) end
    return entry.chunk(name)
  end
  function env.require(name)
    if type(name) ~= "string" then refuse(name) end
    if done[name] == false then error(("module '%s' requires itself"):format(name), 2) end
    if done[name] == nil and name:match "^lib%." then
      if not libraries[name] then
        error(("module '%s' is in no pack's tasks_lua/lib or qc_lua/lib"):format(name), 2)
      end
      done[name] = false
      done[name] = place.run(name, libraries[name]) or true
    elseif done[name] == nil then
      if private[name] or not (name == "eas" or name:match "^eas%.[%w_.]+$" or name:match "^native%.[%w_]+$") then
        refuse(name)
      end
      done[name] = trusted_require(name)
      for kernel in pairs(kernels[name]) do
        native.open(kernel)
        used["kernel " .. kernel] = native.loaded[kernel].digest
      end
    end
    return done[name]
  end
  sandbox.strict(env)
  return place
end

-- A process that is cloned for each attempt prepares the place of the one script that each clone will run.
local prepared

function sandbox.prepare()
  prepared = new_place()
  for _, entry in pairs(entries) do
    if entry.chunk then
      setfenv(entry.chunk, prepared.env)
      entry.env = prepared.env
    end
  end
end

-- place.run(role, path) runs a script's chunk there, and gives what it returns.
function sandbox.place()
  local place = prepared or new_place()
  prepared = nil
  return place
end

return sandbox
