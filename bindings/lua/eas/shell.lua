-- eas.shell: `eas shell`: an attempt as it was, to be run again, looked at and mended: run, qc, edit, save at the prompt.
local asan = require "eas.asan"
local core = require "eas.core"
local repl = require "eas.repl"
local show = require "eas.repl.show"
local things = require "eas.repl.things"

local shell = {}
local ask = things.ask
local request, attempt, about, env, terminal
local edited = {} -- "task", "qc" -> path of the copy
local ran = false

local function mark(ok)
  if request.utf8 == false then return ok and "+" or "x" end
  return ok and "✓" or "✗"
end

local function say(format, ...) io.stdout:write(format:format(...), "\n") end

local function short(digest) return digest and digest:sub(1, 4) or "none" end

-- What of the code is another than the attempt had.
local function code_lines()
  local was = attempt.provenance and attempt.provenance.code
  local now = about.provenance and about.provenance.code
  if not was or not now then return { "code not recorded for this type of task" } end
  local names, list = {}, {}
  for name in pairs(was) do names[name] = true end
  for name in pairs(now) do names[name] = true end
  for name in pairs(names) do
    if was[name] ~= now[name] and name ~= attempt.type then -- under its type the script is told again
      local label = name == "task" and "script" or name == "qc" and "QC script" or name
      list[#list + 1] = ("%s %s %s → %s since"):format(label, mark(false), short(was[name]), short(now[name]))
    end
  end
  table.sort(list)
  if #list > 4 then list = { list[1], list[2], list[3], ("%d more modules %s changed since"):format(#list - 3, mark(false)) } end
  if #list == 0 then list[1] = "code " .. mark(true) .. " same" end
  return list
end

local function banner()
  local state = attempt.ending == "ok" and attempt.verdict == "fail" and "qc" or attempt.ending or attempt.state
  local good = attempt.verdict == "pass"
  say("%s  %s %s of %s   %s", attempt.attempt, attempt.type, attempt.task, attempt.job,
    mark(good) .. " " .. (good and "pass" or state) .. (attempt.reason and ": " .. attempt.reason or ""))
  local parts = {}
  for kind, file in pairs(attempt.inputs) do parts[#parts + 1] = ("input %s %s %s same"):format(kind, file.filename, mark(true)) end
  table.sort(parts)
  for _, line in ipairs(code_lines()) do parts[#parts + 1] = line end
  say("%s", table.concat(parts, "   "))
  say("%s%.1f GB, %d threads, seed %d; nothing here changes the database   run()  qc()  edit()  help()",
    #about.layers > 0 and ("isolated (%d layers), "):format(#about.layers) or "", about.memory_bytes / 2 ^ 30, about.threads, about.seed)
end

local LEVEL = { [10] = "debug", [20] = "info", [30] = "warn", [40] = "error" }

-- --- a run, step by step ---

local function clear_progress() if request.progress then io.stderr:write "\r        \r" end end

local readable = asan.filter()

local function show_step(step)
  for _, line in ipairs(step.log) do
    clear_progress()
    local text = readable(line.text)
    if text then io.stdout:write(("%-5s %s\n"):format(LEVEL[line.level] or line.level, text)) end
  end
  if request.progress and step.total > 0 and not step.over then
    io.stderr:write(("\r  %3d %% "):format(math.floor(100 * step.done / step.total)))
  end
end

-- A line for the debugger of the child; at the end of the input it goes on by itself.
local function ask_debugger()
  local line
  if terminal then line = core.edit_line(attempt.attempt .. " debug> ") else line = io.read "*l" end
  ask("shell.say", { line = line or "c" })
  if terminal and line and line:match "%S" then core.edit_add(line) end
end

local commands -- a file of them, for gdb; nil: its prompt

-- The terminal is gdb's until it quits.
local function gdb()
  clear_progress()
  if terminal then say "gdb: before the script; b eas_bls_run and the like, then c; q lets it run on" end
  io.stdout:flush()
  return ask("shell.gdb", { commands = commands, batch = not terminal })
end

local function hear_debugger(messages)
  for _, m in ipairs(messages) do
    if m.text then io.stdout:write(m.text, "\n") end
    if m.prompt then
      io.stdout:flush()
      ask_debugger()
    end
    if m.gdb then
      local step = gdb()
      show_step(step)
      hear_debugger(step.debug)
    end
  end
end

local function follow()
  local function turn()
    local step = ask("shell.step", { ms = 100 })
    show_step(step)
    hear_debugger(step.debug)
    return step.over
  end
  while true do
    local ok, over = pcall(turn)
    if not ok then
      if not core.resume() then error(over, 0) end
      io.stderr:write "stopping; Ctrl-C again kills it\n"
      ask "shell.stop"
    elseif over then
      break
    end
  end
  clear_progress()
  io.stdout:flush()
end

local OPTIONS = { threads = true, breakpoint = true, gdb = true, preset = true }

local function start(options, is_qc)
  options = options or {}
  if type(options) ~= "table" then error("run takes a table, as run { threads = 1, breakpoint = 24 }", 3) end
  for name in pairs(options) do
    if not OPTIONS[name] then
      error(("run has no option '%s'; it has threads, breakpoint, gdb, preset"):format(tostring(name)), 3)
    end
  end
  commands = type(options.gdb) == "string" and options.gdb or nil
  if options.gdb and not commands and not terminal then
    error('run { gdb = true } needs a terminal; run { gdb = "FILE" } takes gdb\'s commands from a file', 3)
  end
  if options.gdb and options.breakpoint then error("run { gdb } takes no breakpoint: gdb has the terminal until it quits", 3) end
  if commands and not core.exists(commands) then error(commands .. ": no such file", 3) end
  ask("shell.start", { qc = is_qc, threads = options.threads or 0, line = options.breakpoint or 0, debug = not request.once,
    gdb = options.gdb and true or false }, 3)
  follow()
  return ask("shell.result", {}, 3)
end

local function near(a, b) return a == b or type(a) == "number" and type(b) == "number" and math.abs(a - b) <= 1e-12 * math.abs(a) end

-- What was found that is not what the attempt found.
local function differences(found)
  local was, list, n = attempt.metadata or {}, {}, 0
  local keys = {}
  for k in pairs(found) do keys[k] = true end
  for k in pairs(was) do keys[k] = true end
  local sorted = {}
  for k in pairs(keys) do
    if type(found[k]) ~= "table" and type(was[k]) ~= "table" and not near(found[k], was[k]) then sorted[#sorted + 1] = k end
  end
  table.sort(sorted)
  for _, k in ipairs(sorted) do
    n = n + 1
    if n <= 6 then list[n] = ("%s %s (%s: %s)"):format(k, show.value(found[k]), attempt.attempt, show.value(was[k])) end
  end
  if n > 6 then list[7] = ("%d more"):format(n - 6) end
  return list
end

local function print_failure(result)
  local lines = {}
  for line in ((result.trace or "") .. "\n"):gmatch "(.-)\n" do
    if line ~= "" and not line:match "^eas/debugger" then lines[#lines + 1] = "  " .. line end
  end
  if #lines > 0 then say("%s", table.concat(lines, "\n")) end
end

-- Kernels of packs that the sanitizer would not look into.
local function say_unchecked()
  for i = 2, #request.packs do
    local folder = request.packs[i] .. "/native"
    for _, file in ipairs(core.list(folder) or {}) do
      if file:match "%.so$" and not core.exists(folder .. "/asan/" .. file) then
        say("%s/%s is not watched: make asan there builds it for this", folder, file)
      end
    end
  end
end

-- By another build of the program, in the same folder: what it finds is judged by the next qc().
local function run_preset(options)
  if type(options.preset) ~= "string" then error('run { preset = "asan" } names a build', 0) end
  if options.gdb or options.breakpoint then error("run { preset } takes no gdb and no breakpoint: another program runs it", 0) end
  if options.preset == "asan" then say_unchecked() end
  ask("shell.preset", { preset = options.preset, threads = options.threads or 0 }, 0)
  ran = true
end

local function run(options)
  if type(options) == "table" and options.preset ~= nil then return run_preset(options) end
  local result = start(options, false)
  ran = true
  result.outputs = result.outputs or {}
  local outputs = {}
  for _, file in ipairs(result.outputs) do outputs[file.kind] = file end
  env.result, env.outputs = result.metadata, outputs
  local good = result.ending == "ok"
  say("%s %s  %.2f s wall, %.2f s CPU, peak %.0f MB", mark(good), result.ending, result.wall_us / 1e6, result.cpu_us / 1e6,
    result.peak_kb / 1024)
  if not good then print_failure(result) end
  for _, file in ipairs(result.outputs) do
    local why = file.reason and "  " .. file.reason or ""
    say("  %s  %s/outputs/%s  %d bytes%s", file.kind, about.folder, file.filename or file.kind, file.size, why)
  end
  if not good then return end
  local list = differences(result.metadata)
  say("  %s", #list == 0 and "the same results as " .. attempt.attempt or table.concat(list, ", "))
end

local function qc(options)
  local result = start(options, true)
  local good = result.verdict == "pass"
  local recorded = request.last and "the last run in this folder" or "what " .. attempt.attempt .. " made"
  if not ran then say("judged: %s; run() makes it anew", recorded) end
  for _, c in ipairs(result.checks) do
    local limit = c.limit ~= nil and ("  (limit %s)"):format(type(c.limit) == "string" and c.limit or show.value(c.limit)) or ""
    say("  %-5s %-24s %s%s", c.verdict, c.name, c.value == nil and "-" or show.value(c.value), limit)
  end
  for _, file in ipairs(result.outputs) do
    say("  %-5s %s%s", file.verdict or "-", file.kind, file.reason and ": " .. file.reason or "")
  end
  say("%s %s%s", mark(good), result.verdict or "no verdict", result.reason and not good and ": " .. result.reason or "")
  env.verdict = result.verdict
end

-- --- editing ---

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function original(which) return which == "qc" and attempt.qc_path or attempt.script_path end

local function copy_of(which)
  if which ~= "task" and which ~= "qc" then error('edit takes "task" (the default) or "qc"', 3) end
  if edited[which] then return edited[which] end
  local folder = ("%s/pack/%s"):format(about.folder, which == "qc" and "qc_lua" or "tasks_lua")
  local path = ("%s/%s.lua"):format(folder, attempt.type)
  if not core.exists(path) then
    local file = assert(io.open(original(which), "rb"))
    local text = file:read "*a"
    file:close()
    core.system("mkdir -p " .. quoted(folder))
    assert(core.write_file(path, text, false))
  end
  edited[which] = path
  return path
end

local function changes(which, name)
  local labels = name and ("--label %s --label %s "):format(quoted(name), quoted(name)) or ""
  return ("diff -u %s%s %s"):format(labels, quoted(original(which)), quoted(edited[which]))
end

local function output_of(command)
  local pipe = io.popen(command)
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function count_changed(which)
  local added, removed = 0, 0
  for line in output_of(changes(which)):gmatch "[^\n]+" do
    if line:match "^%+" and not line:match "^%+%+%+" then added = added + 1 end
    if line:match "^%-" and not line:match "^%-%-%-" then removed = removed + 1 end
  end
  return math.max(added, removed)
end

local function edit(which)
  which = which or "task"
  local path = copy_of(which)
  local editor = os.getenv "VISUAL" or os.getenv "EDITOR" or "vi"
  local status = core.system(editor .. " " .. quoted(path))
  if status ~= 0 then error(("edit: %s ended with %d"):format(editor, status), 2) end
  local n = count_changed(which)
  say("%s: %s changed; run() runs it, save() keeps it", path, n == 1 and "1 line" or n .. " lines")
end

-- A patch of all that was edited; patch takes no absolute names: they are from here, or from the root.
local function save(file)
  file = file or attempt.attempt .. ".patch"
  local here, text = output_of("pwd -P"):gsub("\n$", "") .. "/", ""
  local below = true
  for which in pairs(edited) do below = below and original(which):sub(1, #here) == here end
  for _, which in ipairs { "task", "qc" } do
    if edited[which] then text = text .. output_of(changes(which, original(which):sub(below and #here + 1 or 2))) end
  end
  if text == "" then return say "nothing was edited" end
  local ok, why = core.write_file(file, text, false)
  if not ok then error(why, 2) end
  say("%s; patch %s-p0 <%s mends the original", file, below and "" or "-d / ", file)
end

-- --- the prompt ---

local function open()
  things.request = request
  attempt = things.attempt(request.attempt)
  about = ask "shell.about"
  rawset(attempt, "script_path", request.script)
  rawset(attempt, "qc_path", request.qc)
  terminal = repl.open(request, { a = attempt, run = run, qc = qc, edit = edit, save = save, inputs = about.inputs, about = about })
  env = repl.env
  terminal = terminal and not request.once
  for _, which in ipairs { "task", "qc" } do
    local path = ("%s/pack/%s/%s.lua"):format(about.folder, which == "qc" and "qc_lua" or "tasks_lua", attempt.type)
    if core.exists(path) then edited[which] = path end
  end
end

local function once(what)
  local ok = repl.call(function()
    if what == "run" then run() end
    if what == "run" and request.judge then qc() elseif what == "qc" then qc() end
  end)
  if not ok then return 1 end
  local result = ask "shell.result"
  if what == "run" and not request.judge then return result.ending == "ok" and 0 or 1 end
  return result.ending == "ok" and result.verdict == "pass" and 0 or 1
end

function shell.run(given)
  request = given
  open()
  if request.once then return once(request.once) end
  banner()
  local all_well = repl.loop { terminal = terminal, prompt = attempt.attempt .. "> " }
  return (terminal or all_well) and 0 or 1
end

return shell
