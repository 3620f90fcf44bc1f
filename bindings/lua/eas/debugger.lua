-- eas.debugger: eas.debug() in a script, and the stops of `run { breakpoint = 24 }`: the side of the child. It speaks by events
-- to the prompt of `eas shell` and hears lines by a pipe in its scratch folder. Everywhere else it only says that it is ignored.
local core = require "eas.core"
local EVENT = { LOG = 1, DEBUG = 11 }
local debugger = {}

local told      -- of the request: { pipe, line, gdb }
local script    -- shown name of the script that the line is of
local pipe      -- open when it stops first
local warned    -- it was said that eas.debug() is ignored
local stopped   -- where it stopped last: a hook that is set anew is called for its line once more
local mode, base, last -- "run" | "s" | "n" | "f", the depth it began at, the last command

local function say(message) core.event(EVENT.DEBUG, 0, require("eas.json").encode(message)) end

local function is_engine(info) return info.what == "C" or info.source:match "^@eas/" ~= nil or info.source:match "/lua/eas/" ~= nil end

local function depth()
  local n = 0
  while debug.getinfo(n + 2, "l") do n = n + 1 end
  return n
end

local function source_lines(info, around)
  local sandbox, out = require "eas.sandbox", {}
  for number = info.currentline - around, info.currentline + around do
    local text = sandbox.source_line(info.short_src, number)
    if text then out[#out + 1] = ("%s%4d | %s"):format(number == info.currentline and "> " or "  ", number, text) end
  end
  return table.concat(out, "\n")
end

local function place(info) return ("%s:%d"):format(info.short_src, info.currentline) end

-- Levels of the frames of scripts, as seen by who is called by interact.
local function frames()
  local list, level = {}, 4
  while true do
    local info = debug.getinfo(level, "Slnf")
    if not info then return list end
    if not is_engine(info) then list[#list + 1] = { level = level, info = info } end
    level = level + 1
  end
end

-- Names and values of one frame: locals, then what it took from outside. At the same depth as frames.
local function variables(frame)
  local values, places, order = {}, {}, {}
  for i = 1, 250 do
    local name, value = debug.getlocal(frame.level, i)
    if not name then break end
    if name:sub(1, 1) ~= "(" then
      if not places[name] then order[#order + 1] = name end
      values[name], places[name] = { value }, { index = i }
    end
  end
  for i = 1, 60 do
    local name, value = debug.getupvalue(frame.info.func, i)
    if not name then break end
    if not places[name] and name ~= "" then
      order[#order + 1] = name
      values[name], places[name] = { value }, { index = i, up = true }
    end
  end
  return values, places, order
end

local function write_back(frame, places, changed)
  for name, value in pairs(changed) do
    if places[name].up then
      debug.setupvalue(frame.info.func, places[name].index, value[1])
    else
      debug.setlocal(frame.level, places[name].index, value[1])
    end
  end
end

-- The value of an expression, or the doing of a statement, among a frame's variables.
local function evaluate(text, frame, values, places)
  local changed, show = {}, require "eas.repl.show"
  local env = setmetatable({}, {
    __index = function(_, name)
      if values[name] then return values[name][1] end
      return getfenv(frame.info.func)[name]
    end,
    __newindex = function(_, name, value)
      if not places[name] then error(("there is no variable '%s' here"):format(name), 2) end
      values[name], changed[name] = { value }, { value }
    end,
  })
  local expression = text:match "^%s*=(.*)$" or text
  local chunk, why = load("return " .. expression, "=debug", "t", env)
  local is_statement = not chunk
  if is_statement then chunk, why = load(text, "=debug", "t", env) end
  if not chunk then return (why:gsub("^debug:1: ", "")), changed end
  local results = { pcall(chunk) }
  if not results[1] then return (tostring(results[2]):gsub("^[%w_/.]+:%d+: ", "")), changed end
  local n = #results - 1
  return not is_statement and (n > 0 and show.list(n, { unpack(results, 2) }) or "nil") or nil, changed
end

local function locals_text(values, order)
  local show, lines = require "eas.repl.show", {}
  for _, name in ipairs(order) do
    lines[#lines + 1] = ("%s = %s"):format(name, show.short(values[name][1]))
  end
  return #lines > 0 and table.concat(lines, "\n") or "no variables here"
end

local function stack_text(list, at)
  local lines = {}
  for i, f in ipairs(list) do
    local name = f.info.name and "in " .. f.info.name or f.info.what == "main" and "in main chunk"
      or ("in the function at line %d"):format(f.info.linedefined)
    lines[i] = ("%s%d %s %s"):format(i == at and "> " or "  ", i, place(f.info), name)
  end
  return table.concat(lines, "\n")
end

local HELP = "n next line   s into calls   f to the end of this function   c on to the next stop   q end the run\n" ..
  "bt stack   up, down another frame   locals   l source   anything else is Lua, with the variables of the frame; =n prints n"

local moves = { n = true, s = true, f = true, c = true }

-- Talks until the script is to go on: the command that says how.
local function interact()
  local list, at = frames(), 1
  say { stop = true, text = ("%s\n%s"):format(place(list[1].info), source_lines(list[1].info, 2)) }
  while true do
    say { prompt = true }
    local line = pipe:read "*l" or ""
    line = line:match "^%s*(.-)%s*$"
    if line == "" then line = last or "n" end
    local frame = list[at]
    if moves[line] then
      last = line
      return line
    elseif line == "q" then
      error("the run was ended in the debugger", 0)
    elseif line == "bt" then say { text = stack_text(list, at) }
    elseif line == "l" then say { text = source_lines(frame.info, 6) }
    elseif line == "h" or line == "help" then say { text = HELP }
    elseif line == "up" or line == "down" then
      at = math.max(1, math.min(#list, at + (line == "up" and 1 or -1)))
      say { text = ("%s\n%s"):format(place(list[at].info), source_lines(list[at].info, 2)) }
    else
      local values, places, order = variables(frame)
      if line == "locals" then
        say { text = locals_text(values, order) }
      else
        local text, changed = evaluate(line, frame, values, places)
        write_back(frame, places, changed)
        say { text = text }
      end
    end
  end
end

local function open_pipe() pipe = pipe or assert(io.open(core.scratch() .. "/" .. told.pipe, "r")) end

local hook

local function go_on(command)
  mode, base = command == "c" and "run" or command, stopped.depth
  if mode == "run" and told.line == 0 then debug.sethook() else debug.sethook(hook, "l") end
end

function hook(_, line)
  local info = debug.getinfo(2, "Sf")
  if is_engine(info) then return end
  local here = depth() - 1
  if stopped and stopped.func == info.func and stopped.line == line and stopped.depth == here then return end
  if not (stopped and here > stopped.depth and mode ~= "s") then stopped = nil end
  if mode == "run" and not (line == told.line and info.short_src == script) then return end
  if mode == "n" and here > base or mode == "f" and here >= base then return end
  stopped = { func = info.func, line = line, depth = here }
  debug.sethook()
  open_pipe()
  local command = interact()
  go_on(command)
end

local function without_jit()
  jit.off()
  jit.flush() -- compiled code looks at no hook
end

-- A request that has a debugger: line 0 is none. script_name: as tracebacks show it.
function debugger.open(request, script_name)
  told, script = request, script_name
  mode = "run"
  if told.gdb then
    core.traceable()
    open_pipe()
    say { gdb = true }
    pipe:read "*l" -- comes when gdb has attached
  end
  if told.line == 0 then return end
  without_jit()
  debug.sethook(hook, "l")
end

-- eas.debug(): stops at the next line of a script.
function debugger.stop()
  if told and not told.gdb then -- under gdb nobody could answer
    without_jit()
    mode = "s"
    debug.sethook(hook, "l")
  elseif not warned then
    warned = true -- level 2 is eas.debug
    local why = told and "eas.debug() does not stop under gdb" or "eas.debug() stops under eas shell only"
    local text = ("%s: %s; ignored here"):format(place(debug.getinfo(3, "Sl")), why)
    if core.scratch() then core.event(EVENT.LOG, 30, text) else io.stderr:write(text, "\n") end
  end
end

return debugger
