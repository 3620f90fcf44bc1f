-- eas shell: an attempt made anew: run, qc, edit, save, breakpoints, Ctrl-C, crashes; and that the database stays as it is.
local T = require "spec.support"
local World = require "spec.cli.world"
local Keyboard = require "spec.cli.keyboard"

local MAKE = [[
  local lc = eas.lightcurve(200)
  for i = 0, lc.n - 1 do lc.time[i] = i / 48 lc.flux[i] = 1 lc.flux_err[i] = 1e-4 end
  task:output("lightcurve", lc)
]]
-- The fault: arrays end at n - 1.
local DIPS = [[--raw
local eas = require "eas"
local function count(lc, limit)
  local n = 0
  for i = 0, lc.n do
    if lc.flux[i] < limit then n = n + 1 end
  end
  return n
end
return eas.task(function(task)
  local lc = task:input "lightcurve"
  task:warn("size is %g, seed %d", task.metadata.size, task.seed)
  eas.debug()
  local limit = task.description.limit
  task:set { dips = count(lc, limit) }
end)
]]
local DIPS_QC = [[
  attempt:require("dips", (attempt.metadata.dips or -1) >= 0, attempt.metadata.dips, "0 or more")
  return #attempt.failed == 0
]]
local CRASH = "int eas_boom_run(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }\n"

local world, id, boom

setup(function()
  local pack = World.pack { make = { task = MAKE }, dips = { task = DIPS, qc = DIPS_QC },
    boom = { task = 'require("native.boom").run()' }, spin = { task = "local n = 0 while true do n = n + 1 task:progress(n % 100, 100) end", timeout = "0.3 s", max_attempts = 1 } }
  World.native(pack, "boom", CRASH, "int eas_boom_run(int *p, int n);",
    'local lib = require("eas.native").load "boom"\nreturn { run = function() return lib.eas_boom_run(nil, 3) end }\n')
  world = World.new(pack, { HOME = T.tmpdir(), TMPDIR = T.tmpdir(), EDITOR = "sed -i 's/i = 0, lc.n do/i = 0, lc.n - 1 do/'" })
  local got = world:run({ { task = "execution_for_loop", parameter = "size", values = { 3 }, task_list = {
      { task = "make", outputs = { lightcurve = "'lc_{size}.fits'.format(**metadata)" } },
      { task = "dips", inputs = { lightcurve = "'lc_{size}.fits'.format(**metadata)" }, limit = 0.99 } } },
    { task = "boom" } }, "job", { words = {} })
  assert.equal(1, got.status, got.out .. got.err)
  id, boom = world:attempt("dips").attempt, world:attempt("boom").attempt
end)

local function shell(words, ...)
  local list = { "shell" }
  for word in words:gmatch "%S+" do list[#list + 1] = word end
  local lines = { ... }
  return world:eas(list, { stdin = #lines > 0 and table.concat(lines, "\n") .. "\n" or nil })
end

local function has(text, ...)
  for _, part in ipairs { ... } do assert.truthy(text:find(part, 1, true), ("'%s' is not in:\n%s"):format(part, text)) end
end

local function state()
  return world:value "SELECT count(*) || ' ' || (SELECT count(*) FROM version) || ' ' || (SELECT count(*) FROM log_line) FROM attempt",
    T.sh("cd " .. T.quote(world:path "data") .. " && find store -type f | sort | xargs sha256sum | sha256sum").out
end

describe("the shell of an attempt", function()
  it("shows its situation, runs it as it was, and changes nothing", function()
    local rows, files = state()
    local got = shell(id, "help(run)", "help()", "qc()", "run()", "c", "=inputs.lightcurve ~= nil, lightcurve(inputs.lightcurve).n", "a.settings.limit", "about.seed", "qc()")
    local seed = world:ask("show " .. id).provenance.seed
    has(got.out, "run(options)\n  under eas shell: runs the task script", "  save(file) ", id .. "  dips t", "input lightcurve lc_3.fits ✓ same   code ✓ same", "nothing here changes the database",
      "judged: what " .. id .. " made", "warn  size is 3, seed " .. ("%d"):format(seed),
      "✗ error ", "index 200 is outside of 0 .. 199", "       6 |     if lc.flux[i] < limit then n = n + 1 end", "true  200\n0.99\n", ("%d\n"):format(seed),
      "fail  dips", "✗ fail: tasks_lua/dips.lua:6: index 200")
    assert.equal(0, got.status, got.err)
    local rows_after, files_after = state()
    assert.equal(rows, rows_after)
    assert.equal(files, files_after)
    assert.equal("", T.sh("ls " .. T.quote(world.env.TMPDIR)).out)
  end)

  it("is edited and run again, and the change is kept as a patch", function()
    local got = shell(id, "edit()", "run()", "c", "qc()", "=result.dips, verdict", "save()", "save \"mine.patch\"")
    assert.equal(0, got.status, got.err)
    has(got.out, "dips.lua: 1 line changed", "✓ ok ", "dips 0 (" .. id .. ": nil)", "pass  dips", "✓ pass\n", '0  "pass"\n', id .. ".patch; patch ")
    local patch = T.read(world:path(id .. ".patch"))
    has(patch, "-  for i = 0, lc.n do\n+  for i = 0, lc.n - 1 do\n")
    assert.equal(patch, T.read(world:path "mine.patch"))
    has(T.read(world.folder .. "/tasks_lua/dips.lua"), "for i = 0, lc.n do")
  end)

  it("stops where eas.debug() stands and at a line, with variables, stack and steps", function()
    local got = shell(id, "run()", "locals", "=limit", "n", "limit", "s", "bt", "up", "lc.n", "none.x", "limit = 2", "down", "h", "n", "n", "f", "c",
      "run { breakpoint = 6 }", "c", "i", "n = 41", "c", "=i, n", "q", "run { brekpoint = 6 }")
    has(got.out, ">   14 |   local limit = task.description.limit", "task = task t", "lc = lightcurve: 200 points", ">   15 |   task:set", "0.99",
      ">    4 |   local n = 0", "> 1 tasks_lua/dips.lua:4 in count\n  2 tasks_lua/dips.lua:15 in handler", "there is no global 'none'",
      "bt stack", ">    6 |     if lc.flux[i]", "the run was ended in the debugger")
    assert.falsy(got.out:find "host%.lua:%d")
    has(got.err, "run has no option 'brekpoint'; it has threads, breakpoint, gdb, preset")
    assert.truthy(got.out:find "\n1  41\n", got.out)
  end)

  it("runs once for a script, and says by its status whether it passes", function()
    local got = shell(id .. " --run --folder again")
    assert.equal(1, got.status)
    has(got.out, "eas.debug() stops under eas shell only", "✗ error", "✗ fail")
    T.sh(("mkdir -p %s/again/pack/tasks_lua && sed 's/lc.n do/lc.n - 1 do/' %s/tasks_lua/dips.lua >%s/again/pack/tasks_lua/dips.lua")
      :format(world.dir, world.folder, world.dir))
    got = shell("--attempt " .. id .. " --run --folder again")
    assert.equal(0, got.status, got.out .. got.err)
    got = shell(id .. " --qc --folder again")
    assert.equal(0, got.status, got.out .. got.err)
    has(got.out, "judged: the last run in this folder", "pass  dips")
  end)

  it("is a shell with run and qc as commands", function()
    local got = world:eas({ "shell", id, "--sh" }, { env = { SHELL = "/bin/sh" }, stdin =
      "run\nsed -i 's/lc.n do/lc.n - 1 do/' pack/tasks_lua/dips.lua\nrun && qc\nls inputs attempt.json\necho $PWD >" .. world:path "kept" .. "\n" })
    assert.equal(0, got.status, got.err)
    has(got.out, "✗ error", "✓ ok", "✓ pass", "attempt.json\n", "lc_3.fits", "edited scripts are in")
    assert.equal(0, T.sh("rm -r " .. T.quote(T.read(world:path "kept"):match "%S+")).status)
  end)

  it("says what code has changed since", function()
    local path = world.folder .. "/tasks_lua/dips.lua"
    local text = T.read(path)
    T.write(path, text .. "-- more\n")
    local got = shell(id, "=1")
    T.write(path, text)
    assert.truthy(got.out:find("script ✗ %x%x%x%x → %x%x%x%x since"), got.out)
  end)

  it("tells a crash of a kernel by function, and goes on", function()
    local got = shell(boom, "run()", "=1 + 1", "run()")
    has(got.out, "✗ crashed", "eas_boom_run", "boom.c:1)", "2\n")
    assert.equal(0, got.status, got.err)
  end)

  it("refuses what is none", function()
    for words, why in pairs { [""] = "which attempt?", t1 = "eas show t1 lists its attempts", a99 = "there is no a99", x = "'x' is no id",
      [world:attempt("execution_chain").attempt] = "has no scripts here" } do
      local got = shell(words)
      assert.equal(2, got.status, words)
      has(got.err, why)
    end
    local sha = world:ask("show " .. id).inputs[1].sha256
    local object = T.sh("find " .. T.quote(world:path "data") .. " -name " .. sha).out:match "%S+"
    local bytes = T.read(object)
    T.sh("chmod u+w " .. object)
    T.write(object, bytes:sub(1, -2) .. "x")
    local got = shell(id)
    T.write(object, bytes)
    assert.truthy(got.status > 0)
    has(got.err, "input lightcurve v", "its bytes are not what was stored", "eas fsck --verify")
  end)
end)

describe("a run in gdb", function()
  local function commands(...) return T.write(world:path "look.gdb", table.concat({ ... }, "\n") .. "\n") end

  it("is attached to before the script starts, and goes on when gdb has quit", function()
    T.skip_unless(T.sh("command -v gdb").status == 0, "gdb is not installed")
    commands("break eas_boom_run", "continue", "print n", "bt 1", "delete", "continue", "print p")
    local got = shell(boom, 'run { gdb = "look.gdb" }', "=6 * 7", "run()")
    if got.err:find("cannot attach", 1, true) then T.skip_unless(false, got.err:match "[^\n]+") end
    assert.equal(0, got.status, got.err)
    has(got.out, "Breakpoint 1, eas_boom_run (p=0x0, n=3)", "$1 = 3\n", "#0  eas_boom_run", "SIGSEGV", "✗ crashed", "\n42\n")
    assert.truthy(select(2, got.out:gsub("✗ crashed", "")) == 3, got.out) -- the banner, and two runs
  end)

  it("tells after it what the script said meanwhile; eas.debug() stops for nobody then", function()
    T.skip_unless(T.sh("command -v gdb").status == 0, "gdb is not installed")
    commands "continue"
    local got = shell(id, 'run { gdb = "look.gdb" }')
    if got.err:find("cannot attach", 1, true) then T.skip_unless(false, got.err:match "[^\n]+") end
    has(got.out, "warn  size is 3", "eas.debug() does not stop under gdb", "index 200 is outside", "✗ error")
  end)

  it("says what is missing", function()
    local got = shell(id, "run { gdb = true }", 'run { gdb = "none.gdb" }')
    has(got.err, "needs a terminal", "none.gdb: no such file")
    local bin = T.tmpdir()
    T.sh(("ln -s $(command -v timeout) %s/timeout"):format(bin))
    got = world:eas({ "shell", id }, { env = { PATH = bin }, stdin = 'run { gdb = "look.gdb" }\n=1\n' })
    has(got.err, "gdb is not installed", "Debian's package is gdb")
    has(got.out, "\n1\n")
  end)
end)

describe("a run by another build", function()
  local REPORT = { "=================================================================",
    "==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x604000034cc0 at pc 0x7f bp 0x7f sp 0x7f",
    "WRITE of size 8 at 0x604000034cc0 thread T0 (eas-task)", "    #0 0x7f7fcd7242a4  (/p/native/asan/boom.so+0x12a4, boom.c:17)",
    "    #1 0x7f7fce8b78d5  (/lib/libasan.so.8+0xb78d5)", "",
    "0x604000034cc0 is located 0 bytes to the right of 48-byte region [0x604000034c90,0x604000034cc0)",
    "allocated by thread T0 (eas-task) here:", "    #1 0x5  (/b/libexec/eas-zygote+0x81, host.c:79)",
    "SUMMARY: AddressSanitizer: heap-buffer-overflow (/p/native/boom.so+0x12a4)", "Shadow bytes around the buggy address:",
    "  0x0c087fffe940: fa fa fd fd", "==1==ABORTING", "after it" }

  it("shows of a sanitizer's report what was done where", function()
    local file = T.write(world:path "filter.lua", "local readable = require('eas.asan').filter()\nfor line in io.lines(arg[1]) do\n" ..
      "  local text = readable(line)\n  if text then print(text) end\nend\n")
    local got = world:eas { "lua", file, T.write(world:path "report", table.concat(REPORT, "\n") .. "\n") }
    assert.equal("AddressSanitizer: heap-buffer-overflow: an array was left\n  WRITE of size 8\n    #0 boom.c:17  (boom.so)\n" ..
      "  0 bytes to the right of 48-byte region\n  allocated at\n    #1 host.c:79  (eas-zygote)\nafter it\n", got.out, got.err)
  end)

  it("says how to make one that is not there", function()
    local got = shell(id, 'run { preset = "none" }', "run { preset = 3 }", 'run { preset = "asan", gdb = true }', "=1")
    has(got.err, "there is no build 'none'", "cmake --preset none && cmake --build --preset none", "names a build", "takes no gdb")
    has(got.out, "\n1\n")
  end)

  it("finds the array that a kernel leaves, and is judged by qc()", function()
    T.skip_unless(T.asan, "needs the asan preset")
    local path = world.folder .. "/native/edge"
    World.task_script(world.folder, "boom", 'require("native.edge").run()')
    World.native(world.folder, "edge", "void eas_edge(double *x, int n) { for (int i = 0; i <= n; i++) x[i] = i; }\n", "void eas_edge(double *x, int n);",
      'local native = require "eas.native"\nlocal lib = native.load "edge"\nlocal a = require("eas.array").new(3)\nreturn { run = function() lib.eas_edge(a.data, 3) end }\n')
    T.sh(("mkdir -p %s/native/asan && cc -g -O0 -fsanitize=address -shared -fPIC -o %s/native/asan/edge.so %s.c"):format(world.folder, world.folder, path))
    local got = shell(boom, 'run { preset = "asan" }', "qc()")
    has(got.out, "AddressSanitizer: heap-buffer-overflow", "WRITE of size 8", "#0 edge.c:1  (edge.so)", "✗ crashed", "✗ fail: SIGABRT")
    assert.equal(0, got.status, got.err)
  end)
end)

describe("the shell at a keyboard", function()
  it("debugs, and Ctrl-C stops a run that does not end", function()
    world:run({ { task = "spin" } }, "spin")
    local spin = world:attempt("spin", "spin").attempt
    local k = Keyboard.start(world, { "shell", spin })
    k:expect(spin .. "> ")
    k:line("run()", "%")
    k:send(Keyboard.ctrl_c):expect "cancelled"
    k:expect(spin .. "> "):line("=6 * 7", "42"):expect "> "
    k:send(Keyboard.ctrl_d)
    assert.equal(0, k:finish())
    k = Keyboard.start(world, { "shell", id })
    k:expect(id .. "> "):line("run()", id .. " debug> "):line("lc.n", "200"):expect "debug> "
    k:line("s", "tasks_lua/dips.lua:15"):expect "debug> "
    k:line("", "tasks_lua/dips.lua:4"):expect "debug> "
    k:line("q", id .. "> ")
    k:send(Keyboard.ctrl_d)
    assert.equal(0, k:finish())
  end)
end)
