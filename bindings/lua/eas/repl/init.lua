-- eas.repl: the prompt of `eas repl` and `eas shell`.
local core = require "eas.core"
local complete = require "eas.repl.complete"
local help = require "eas.repl.help"
local host = require "eas.host"
local show = require "eas.repl.show"
local things = require "eas.repl.things"

local repl = { prompt = "> ", more = ">> " }
local env

local function new_env()
  local new = setmetatable({}, { __index = _G })
  new._G = new
  new.eas = require "eas"
  for _, name in ipairs { "task", "attempt", "product", "lightcurve", "search", "fold", "plot", "db" } do new[name] = things[name] end
  new.help = function(v) io.stdout:write(help.text(v, new), "\n") end
  new.print = function(...)
    local n, values = select("#", ...), { ... }
    for i = 1, n do values[i] = type(values[i]) == "string" and values[i] or show.value(values[i]) end
    io.stdout:write(table.concat(values, "\t", 1, n), "\n")
  end
  return new
end

local function is_open(why) return why:find "near '<eof>'%s*$" ~= nil end

-- The chunk of a text: an expression if it is one. nil and "more" when it goes on in the next line, or nil and why.
function repl.compile(text, within)
  local expression = text:match "^%s*=(.*)$"
  local chunk, why = load("return " .. (expression or text), "=prompt", "t", within)
  if not chunk and not expression then
    local first = why
    chunk, why = load(text, "=prompt", "t", within)
    if not chunk and is_open(first) and not why:find "near '='" then why = is_open(why) and why or first end
  end
  if chunk then
    jit.off(chunk, true) -- a compiled loop would not see Ctrl-C
    return chunk
  end
  if is_open(why) then return nil, "more" end
  return nil, (why:gsub("^prompt:1: ", ""):gsub("^prompt:", "line "))
end

-- Frames of what people wrote: the engine's own say nothing to them.
local function without_engine(trace)
  local lines = {}
  for line in (trace .. "\n"):gmatch "(.-)\n" do
    if not line:match "^eas/" then lines[#lines + 1] = line:gsub("^prompt:", "line ") end
  end
  if #lines == 1 and lines[1]:match "^line %d+: in main chunk" then return "" end
  return table.concat(lines, "\n")
end

-- A misspelt global shows as a call of nil.
local function suggestion(message)
  local name = message:match "attempt to call global '([%w_]+)' %(a nil value%)"
  if not name or #name < 4 then return "" end
  local names = {}
  for k in next, env do names[#names + 1] = tostring(k) end
  for k in next, _G do names[#names + 1] = tostring(k) end
  local near = core.nearest(name, names)
  return near and near ~= name and "; use " .. near or ""
end

function repl.complain(err)
  local message = type(err) == "table" and err.message or tostring(err)
  local trace = type(err) == "table" and without_engine(err.trace or "") or ""
  message = message:gsub("^prompt:%d+: ", "")
  io.stdout:flush()
  io.stderr:write(message, suggestion(message), "\n", trace, trace ~= "" and "\n" or "")
end

local function values_of(ok, ...) return ok, select("#", ...), { ... } end

-- Runs a chunk and prints what it gives. Returns whether it ended well.
function repl.call(chunk)
  local ok, n, values = values_of(core.guard(host.traceback, chunk))
  if not ok then
    repl.complain(values[1])
    return false
  end
  if n > 0 then
    env._ = values[1]
    local shown, text = pcall(show.list, n, values)
    io.stdout:write(shown and text or tostring(values[1]), "\n")
  end
  io.stdout:flush()
  return true
end

-- Lines that belong together, as one entry of the history.
local function entry_of(lines)
  for _, line in ipairs(lines) do if line:find("--", 1, true) then return nil end end
  return table.concat(lines, " ")
end

local function remember(lines)
  local entry = entry_of(lines)
  for _, line in ipairs(entry and { entry } or lines) do
    if line:match "%S" then core.edit_add(line) end
  end
end

-- One statement from read(prompt). nil and "end" at the end, "interrupt" when it was dropped, else the text.
local function read_chunk(read, remembered, within, prompt)
  local lines, text = {}, nil
  while true do
    local line, why = read(#lines == 0 and prompt or repl.more)
    if not line then
      if why == "end" and #lines > 0 then return text end -- what is there is not whole: it will say so
      return nil, why
    end
    lines[#lines + 1] = line
    text = table.concat(lines, "\n")
    local chunk, reason = repl.compile(text, within)
    if chunk or reason ~= "more" then
      if remembered then remember(lines) end
      return text
    end
  end
end

local hinted = false
local function hint_local(text)
  if hinted or not text:match "^%s*local%s" or text:find "\n" then return end
  hinted = true
  io.stderr:write "a local ends with its line here; without the word it stays\n"
end

-- Reads, runs, prints until the end of input or until leave() says so. Returns whether all went well.
function repl.loop(options)
  local all_well = true
  local read = options.terminal and core.edit_line or function()
    local line = io.read "*l"
    return line, not line and "end" or nil
  end
  while not (options.leave and options.leave()) do
    local prompt = options.prompt or repl.prompt
    local text, why = read_chunk(read, options.terminal, env, type(prompt) == "function" and prompt() or prompt)
    if not text and why == "end" then break end
    if text and text:match "%S" then
      local chunk, fault = repl.compile(text, env)
      if chunk then
        if options.terminal then hint_local(text) end
        all_well = repl.call(chunk) and all_well
      else
        all_well = false
        io.stdout:flush()
        io.stderr:write(fault == "more" and "the input ends before the statement does" or fault, "\n")
      end
    end
  end
  return all_well
end

local function topics()
  local list = {}
  for k in next, env do list[#list + 1] = tostring(k) end
  return list
end

-- Opens the terminal; false: there is none, lines come from standard input.
function repl.open(request, more)
  things.request = request
  env = new_env()
  for name, value in pairs(more or {}) do env[name] = value end
  repl.env = env
  local context = { env = env, topics = topics, methods = function() return require("eas.search").methods() end,
    ask = function(what, arguments)
      local ok, rows = pcall(things.ask, what, arguments)
      return ok and rows or {}
    end }
  return core.edit_open(request.history, function(line) return complete.line(line, context) end) == true
end

local function run_files(files)
  for _, file in ipairs(files or {}) do
    local chunk, why = loadfile(file)
    if not chunk then
      io.stderr:write("eas: ", why, "\n")
      return false
    end
    setfenv(chunk, env)
    if not repl.call(chunk) then return false end
  end
  return true
end

function repl.run(request)
  if request.kind == "shell" then return require("eas.shell").run(request) end
  local terminal = repl.open(request)
  if not run_files(request.files) then return 1 end
  if terminal then
    io.stdout:write(("eas %s  %s  %s (read-only)   help()  Tab  Ctrl-D leaves\n"):format(core.version, jit.version, request.database))
  end
  local all_well = repl.loop { terminal = terminal }
  return (terminal or all_well) and 0 or 1
end

return repl
