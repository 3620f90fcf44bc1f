-- What comes of scripts that end badly: each gives its own ending and message, loses no log, and leaves the worker well.
local T = require "spec.support"
local World = require "spec.cli.world"

local NATIVE_C = [[
#include <signal.h>
#include <stdlib.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
int bad_power(int *where) { *where = 1; return 0; }
void bad_exit(int status) { _exit(status); }
void bad_abort(void) { abort(); }
void bad_signal(int n) { signal(n, SIG_IGN); }
int bad_link(const char *to, const char *path) { return symlink(to, path); }
void bad_garbage(void) { char text[64]; memset(text, 0xff, sizeof text); for (int fd = 3; fd < 64; fd++) if (write(fd, text, sizeof text) < 0) continue; }
void bad_close(void) { for (int fd = 0; fd < 256; fd++) close(fd); }
void bad_spin(void) { for (volatile long i = 0; ; i++) ; }
int bad_cpu(void) { struct rlimit l; getrlimit(RLIMIT_CPU, &l); int was = (int)l.rlim_cur; l.rlim_cur = 1; setrlimit(RLIMIT_CPU, &l); return was; }
int bad_forks(void) { for (int i = 0; i < 1000; i++) { pid_t p = fork(); if (p == 0) for (;;) pause(); if (p < 0) return i; } return 1000; }
]]
local NATIVE_H = [[
int bad_power(int *where);
void bad_exit(int status);
void bad_abort(void);
void bad_signal(int n);
int bad_link(const char *to, const char *path);
void bad_garbage(void);
void bad_close(void);
void bad_spin(void);
int bad_cpu(void);
int bad_forks(void);
]]
local NATIVE_LUA = [[
local ffi = require "ffi"
local lib = require("eas.native").load "bad"
local core = require "eas.core"
return {
  power = function() return lib.bad_power(ffi.cast("int *", 16)) end,
  exit = function(n) lib.bad_exit(n) end, abort = function() lib.bad_abort() end, ignore = function(n) lib.bad_signal(n) end,
  link = function(to, path) return lib.bad_link(to, path) end, garbage = function() lib.bad_garbage() end,
  close = function() lib.bad_close() end, spin = function() lib.bad_spin() end, cpu = function() return lib.bad_cpu() end, forks = function() return lib.bad_forks() end,
  event = core.event,
}
]]

local SAW = 'attempt:info("QC saw %s, %s", attempt.ending, attempt.error and attempt.error.message or "no error")\n  attempt:pass_all(true)\n  return true'
local BAD = 'local bad = require "native.bad"\n  task:info("said before") print("printed before")\n  '
local MAKE = 'task:exec { "sh", "-c", "echo 1 2 3 > x.txt" }\n  '

local types = {
  e_fine = { task = 'task:set { answer = 42 }' },
  e_error = { task = 'task:info("said before")\n  local function inner() error("no such star") end\n  inner()', qc = SAW },
  e_table = { task = 'error { code = 7 }' },
  e_nil = { task = 'error(nil)' },
  e_syntax = { task = '--raw\nlocal x = = 3\n' },
  e_nothing = { task = '--raw\nreturn 5\n' },
  e_utf8 = { task = 'error("bad \\200 byte")' },
  e_set = { task = 'task:set { name = "bad \\200 byte", zero = "a\\0b" }' },
  e_infinite = { task = 'task:set { x = 1 / 0 }' },
  e_large = { task = 'task:set { x = ("z"):rep(3e6) }' },
  e_spawn = { task = 'task:spawn { task = "no_such_type" }' },
  e_spawn2 = { task = 'task:spawn { task = "e_fine", inputs = { lightcurve = "nobody.fits" } }' },
  e_spawn3 = { task = 'task:spawn { task = "e_fine", outputs = { text = "o_good.txt" } }' },
  e_global = { task = 'cuont = 1' },
  e_loop = { task = 'task:info("said before")\n  local t = {} while true do t[#t % 9 + 1] = tostring(#t) end', timeout = "1 s", qc = SAW },
  e_jit = { task = 'task:info("said before")\n  local s = 0 for i = 1, 1e15 do s = s + i % 7 end task:set { s = s }', timeout = "1 s", qc = SAW },
  e_sleep = { task = 'task:info("said before") task:sleep(60)', timeout = "1 s", qc = SAW },
  e_stubborn = { task = 'while true do pcall(function() while true do task:sleep(60) end end) end', timeout = "1 s" },
  e_spin = { task = BAD .. 'bad.ignore(10) bad.ignore(12) bad.ignore(15) bad.spin()', timeout = "1 s", qc = SAW },
  e_program = { task = 'task:exec { "sh", "-c", "echo hello; trap : TERM INT; sleep 60" }', timeout = "1 s" },
  e_memory = { task = 'local t = {} while true do t[#t + 1] = ("x"):rep(1e5) .. #t end', memory_gb = "0.1", qc = SAW },
  e_flood = { task = 'for i = 1, 1e6 do print(("line %07d "):format(i) .. ("x"):rep(86)) end task:info("the end")', timeout = "60 s" },
  e_line = { task = 'print(("y"):rep(5e6))' },
  e_binary = { task = 'print("a\\0b\\255\\254 c\\27[31m") task:warn("\\200\\201")' },
  e_garbage = { task = BAD .. 'bad.garbage() task:info("said after")', qc = SAW },
  e_close = { task = BAD .. 'bad.close() task:sleep(0.2)' },
  e_exit = { task = BAD .. 'bad.exit(0)', qc = SAW },
  e_exit3 = { task = BAD .. 'bad.exit(3)' },
  e_crash = { task = BAD .. 'local function inner() bad.power() return 1 end\n  inner() task:info("after")', qc = SAW },
  e_cpu = { task = BAD .. 'task:set { limit = bad.cpu() } bad.spin()', timeout = "20 s", qc = SAW },
  e_forks = { task = BAD .. 'task:set { forks = bad.forks() } task:exec { "true" }', qc = SAW },
  e_abort = { task = BAD .. 'bad.abort()' },
  e_bomb = { task = 'local status = task:exec { "sh", "-c", "b() { b | b & }; b; sleep 0.3" } task:set { status = status }', timeout = "3 s" },
  o_good = { task = MAKE .. 'task:output("text", "x.txt")' },
  o_missing = { task = 'task:info("makes nothing")' },
  o_unasked = { task = MAKE .. 'task:output("other", "x.txt")' },
  o_forged = { task = MAKE .. 'local bad = require "native.bad"\n  task:output("text", "x.txt")\n  bad.event(3, 0, [[{"kind":"other","file":"x.txt"}]])' },
  o_path = { task = 'local bad = require "native.bad"\n  bad.event(3, 0, [[{"kind":"text","file":"../../../../etc/passwd"}]])' },
  o_link = { task = 'local bad = require "native.bad"\n  assert(bad.link("/etc/hostname", task.scratch .. "/x.txt") == 0)\n  task:output("text", "x.txt")' },
  o_folder = { task = 'task:exec { "mkdir", "x.txt" } task:output("text", "x.txt")' },
  o_error = { task = MAKE .. 'task:output("text", "x.txt") error("after the output")', qc = SAW },
  q_error = { qc = 'error("no limit known")' },
  q_silent = { qc = 'local x = 1' },
  q_refuses = { qc = 'attempt:require("points", 3 > 5, 3, "> 5") return false, "too few points"' },
  q_crash = { qc = 'require("native.bad").power()' },
  q_loop = { qc = 'while true do end', timeout = "1 s" },
  q_unnamed = { task = MAKE .. 'task:output("text", "x.txt")', qc = 'return true' },
  q_fails = { task = MAKE .. 'task:output("text", "x.txt")', qc = 'attempt:fail("text", "no columns") return true' },
}
for _, t in pairs(types) do
  t.max_attempts, t.memory_gb, t.reuse = "1", t.memory_gb or "0.5", "no"
end

local pack = World.pack(types)
World.native(pack, "bad", NATIVE_C, NATIVE_H, NATIVE_LUA)
local world, ran

lazy_setup(function()
  world = World.new(pack)
  local tasks, names = {}, {}
  for name in pairs(types) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local task = { task = name, name = name }
    if name:find "^o_" or name == "q_unnamed" or name == "q_fails" then task.outputs = { text = name .. ".txt" } end
    tasks[#tasks + 1] = task
  end
  tasks[#tasks + 1] = { task = "o_good", name = "hangs_on", inputs = { text = "q_unnamed.txt" }, outputs = { text = "hangs_on.txt" } }
  ran = world:run(tasks, "job", { words = { "--slots", "4", "--json" }, timeout = 120 })
end)

-- Ending, error (a part of it) and, if the ending is ok, the reason of a type's attempt.
local function expect(name, ending, text)
  local a = world:attempt(name)
  assert.equal(ending, a.ending, name .. ": " .. tostring(a.error))
  local said = ending == "ok" and a.reason or a.error
  if text then assert.truthy(tostring(said):find(text, 1, true), ("%s: %s"):format(name, tostring(said))) end
  if ending ~= "ok" then assert.equal("fail", a.verdict) end
  return a, world:log(a.attempt)
end

describe("a job of scripts that end badly", function()
  it("ends, and says so", function()
    assert.equal(1, ran.status, ran.err)
    local all = World.json.decode(ran.out)
    assert.is_true(all.done)
    assert.equal(0, world:value "SELECT count(*) FROM task WHERE done = 0")
    assert.equal(0, world:value "SELECT count(*) FROM attempt WHERE state <> 'ended'")
    assert.equal(1, all.skipped)
  end)

  it("leaves the others well", function()
    assert.equal(42, expect("e_fine", "ok").metadata.answer)
    assert.equal("pass", expect("o_good", "ok").verdict)
  end)

  it("leaves no process and no file of an attempt", function()
    local mark = world.dir:match "[^/]*$"
    assert.equal("", T.sh(("ls -l /proc/[0-9]*/cwd 2>/dev/null | grep '[%s]%s' || true"):format(mark:sub(1, 1), mark:sub(2))).out)
    assert.equal("", T.sh(("find %s/data/scratch -type f"):format(T.quote(world.dir))).out)
  end)
end)

describe("a Lua error", function()
  it("has message, traceback, source line, and QC sees it", function()
    local a, log = expect("e_error", "error", "tasks_lua/e_error.lua:4: no such star")
    assert.truthy(a.trace:find("e_error.lua:4", 1, true) and a.trace:find("e_error.lua:5", 1, true), a.trace)
    assert.truthy(log:find("said before", 1, true) and log:find("QC saw error", 1, true), log)
    local shown = world:eas("show " .. a.attempt).out
    assert.truthy(shown:find("no such star", 1, true) and shown:find("e_error.lua:5", 1, true), shown)
  end)

  it("may be no text", function()
    expect("e_table", "error", "7")
    expect("e_nil", "error", "nil")
  end)

  it("of a script that does not load fails its attempts only", function()
    expect("e_syntax", "error", "tasks_lua/e_syntax.lua:2: unexpected symbol near '='")
    expect("e_nothing", "error", "does not return eas.task")
    expect("e_global", "error", "cuont")
  end)

  it("may say what is no text, or set what cannot be stored", function()
    expect("e_utf8", "error", "bad")
    expect("e_set", "error", "metadata (task:set) cannot be stored")
    expect("e_infinite", "error", "infinity")
    expect("e_large", "error", "task:set: the metadata take 2.9 MB, at most 1 MB may be kept; give what is large as an output")
  end)

  it("in task:spawn that shows at the commit is its attempt's alone", function()
    expect("e_spawn", "error", "unknown task type 'no_such_type'")
    expect("e_spawn2", "error", "nobody.fits")
    expect("e_spawn3", "error", "o_good.txt")
  end)
end)

describe("a time limit", function()
  it("ends loops, compiled loops and sleep, with traceback and log", function()
    for _, name in ipairs { "e_loop", "e_jit", "e_sleep" } do
      local a, log = expect(name, "timeout", "time limit of 1 s")
      assert.truthy(a.trace and a.trace:find(name .. ".lua:", 1, true), name .. ": " .. tostring(a.trace))
      assert.truthy(log:find("said before", 1, true), log)
      assert.truthy(log:find("QC saw timeout", 1, true), log)
    end
  end)

  it("ends what does not want to", function()
    expect("e_stubborn", "timeout", "time limit of 1 s")
    local _, log = expect("e_spin", "timeout", "time limit of 1 s")
    assert.truthy(log:find("printed before", 1, true) and log:find("QC saw timeout", 1, true), log)
    _, log = expect("e_program", "timeout", "time limit of 1 s")
    assert.truthy(log:find("hello", 1, true), log)
  end)
end)

describe("other limits", function()
  it("memory", function()
    local _, log = expect("e_memory", "memory", "limit of")
    assert.truthy(log:find("QC saw memory", 1, true), log)
  end)

  it("CPU time: the limit is the time limit's, and goes by its own name", function()
    local a, log = expect("e_cpu", "cpu", "used more than its CPU limit of 21 s") -- it lowered its own, to be quick
    assert.equal(21, a.metadata.limit)
    assert.truthy(log:find("said before", 1, true) and log:find("QC saw cpu", 1, true), log)
    assert.truthy(a.trace:find("e_cpu.lua:5", 1, true), a.trace)
  end)

  it("processes: told by the cgroup, or by who was refused one", function()
    local a, log = expect("e_forks", "processes", "started more than its limit of 65 processes")
    assert.truthy(log:find("said before", 1, true) and log:find("QC saw processes", 1, true), log)
    assert.is_true(a.metadata.forks > 30 and a.metadata.forks <= 65, a.metadata.forks)
    local other = World.new(pack, { EAS_ISOLATION_OFF = "cgroup_pids cgroup_memory cgroup_cpu" })
    assert.equal(1, other:run({ { task = "e_forks" } }).status)
    local b = other:attempt "e_forks"
    assert.equal("processes", b.ending, b.error)
    assert.truthy(b.error:find("started more than its limit of 65 processes", 1, true), b.error)
  end)

  it("processes: a fork bomb is bounded", function()
    local a = world:attempt "e_bomb"
    assert.truthy(a.ending ~= "crashed", a.ending)
  end)

  it("log: the first 64 KB and the last 192 KB are kept", function()
    local a, text = expect("e_flood", "ok")
    assert.equal("pass", a.verdict)
    assert.truthy(#text <= 257 * 1024, #text)
    assert.truthy(#text >= 200 * 1024, #text)
    assert.truthy(text:find("^line 0000001 "), text:sub(1, 50))
    assert.truthy(text:find("line 1000000 x+\n", 1), text:sub(-200))
    assert.truthy(text:find("the end", 1, true))
    local lines = tonumber(text:match "%.%.%. (%d+) lines %(%d+ bytes%) left out")
    assert.equal(1000001, lines + select(2, text:gsub("line %d+ x", "")) + 1)
  end)

  it("one line without end", function()
    local _, text = expect("e_line", "ok")
    assert.truthy(#text > 100000 and #text <= 257 * 1024, #text)
  end)

  it("bytes that are no text", function()
    local _, text = expect("e_binary", "ok")
    assert.truthy(text:find("a b", 1, true), text)
    assert.is_nil(text:find "[%z\27]")
  end)
end)

describe("the disk limit", function()
  it("holds for a file, and for all files together", function()
    local w = World.new(World.pack {
      d_file = { task = 'error("program ended with " .. task:exec { "sh", "-c", "exec head -c 20000000 /dev/zero > f" })', max_attempts = "1" },
      d_files = { task = 'task:exec { "sh", "-c", "for i in 1 2 3 4 5; do head -c 4000000 /dev/zero > f$i; done; sleep 30" }', max_attempts = "1" },
    }, { EAS_SCRATCH_LIMIT = "10 MB" })
    assert.equal(1, w:run({ { task = "d_file" }, { task = "d_files" } }).status)
    assert.equal("disk", w:attempt("d_files").ending)
    assert.truthy(w:attempt("d_files").error:find("more than its limit of 10 MB", 1, true))
    assert.truthy(w:attempt("d_file").error:find("program ended with 153", 1, true), w:attempt("d_file").error) -- 128 + SIGXFSZ
    assert.equal("", T.sh(("find %s/data/scratch -type f"):format(T.quote(w.dir))).out)
  end)
end)

describe("a child that breaks its ties", function()
  it("garbage on the event pipe", function()
    local _, log = expect("e_garbage", "error", "no event")
    assert.truthy(log:find("said before", 1, true) and log:find("QC saw error", 1, true), log)
  end)

  it("closed pipes", function()
    local a = world:attempt "e_close"
    assert.equal("error", a.ending)
    assert.truthy(world:log(a.attempt):find("said before", 1, true))
  end)

  it("exit before the end", function()
    local _, log = expect("e_exit", "error", "exited with status 0 before its script returned")
    assert.truthy(log:find("printed before", 1, true) and log:find("QC saw error", 1, true), log)
    expect("e_exit3", "error", "exited with status 3")
  end)
end)

describe("a crash in native code", function()
  it("names signal, function, Lua line, and keeps the log", function()
    local a, log = expect("e_crash", "crashed", "SIGSEGV at address 0x10 in bad_power (bad.so+0x")
    assert.truthy(a.trace:find("e_crash.lua:5", 1, true), a.trace)
    assert.truthy(a.trace:find("native stack:\n  bad_power", 1, true), a.trace)
    assert.truthy(log:find("said before", 1, true) and log:find("printed before", 1, true), log)
    assert.truthy(log:find("QC saw crashed, SIGSEGV", 1, true), log)
    local shown = world:eas("show " .. a.attempt).out
    local line = T.sh("command -v addr2line").status == 0 and ", bad.c:7)" or "bad_power"
    for _, part in ipairs { "SIGSEGV", "e_crash.lua:5", "bad_power", line } do assert.truthy(shown:find(part, 1, true), shown) end
  end)

  it("abort is one too", function()
    local a = expect("e_abort", "crashed", "SIGABRT")
    assert.truthy(a.trace:find("bad_abort", 1, true), a.trace)
  end)
end)

describe("an output", function()
  it("that was not made fails the attempt", function()
    assert.equal("fail", expect("o_missing", "ok", "output 'text' was not made").verdict)
  end)

  it("that the job did not ask for is an error", function()
    expect("o_unasked", "error", "output 'other' is not in the job entry")
    expect("o_forged", "error", "output 'other' is not among the task's outputs")
  end)

  it("is a plain file of scratch", function()
    expect("o_path", "error", "..")
    for _, name in ipairs { "o_link", "o_folder" } do
      local a = world:attempt(name)
      assert.equal("fail", a.verdict)
      assert.truthy((a.error or a.reason):find("x.txt", 1, true), a.error or a.reason)
    end
    assert.equal(0, world:value "SELECT count(*) FROM version v JOIN product p ON p.id = v.product WHERE p.filename IN ('o_link.txt', 'o_path.txt', 'o_folder.txt')")
  end)

  it("of an attempt that failed is kept, not passed", function()
    expect("o_error", "error", "after the output")
    assert.equal("fail", world:value "SELECT v.verdict FROM version v JOIN product p ON p.id = v.product WHERE p.filename = 'o_error.txt'")
  end)
end)

describe("a quality check", function()
  it("that fails by itself does not pass", function()
    assert.equal("fail", expect("q_error", "ok", "QC: qc_lua/q_error.lua:3: no limit known").verdict)
    assert.equal("fail", expect("q_silent", "ok", "no verdict").verdict)
    assert.equal("fail", expect("q_crash", "ok", "QC: SIGSEGV").verdict)
    assert.equal("fail", expect("q_loop", "ok", "QC: ran longer than its time limit of 1 s").verdict)
  end)

  it("gives its reason and its checks", function()
    local a = expect("q_refuses", "ok", "too few points")
    assert.same({ name = "points", value = 3, limit = "> 5", verdict = "fail" }, a.checks[1])
  end)

  it("must name a product", function()
    assert.equal("fail", expect("q_unnamed", "ok", "QC did not pass it").verdict)
    assert.equal("fail", expect("q_fails", "ok", "no columns").verdict)
  end)

  it("that does not pass skips what hangs on it, and says whose fault it is", function()
    local id
    for _, t in ipairs(world:tasks()) do if t.name == "hangs_on" then id = t.task end end
    local text = world:eas("why " .. id).out
    for _, part in ipairs { "skipped", "q_unnamed.txt", "q_unnamed", "QC did not pass it" } do
      assert.truthy(text:find(part, 1, true), text)
    end
  end)
end)
