-- eas run: exit statuses, what it prints, going on, being interrupted, one at a time, reuse, edited scripts.
local ffi = require "ffi"
local T = require "spec.support"
local World = require "spec.cli.world"

ffi.cdef "int kill(int pid, int signal); int usleep(unsigned us);"

local function nap(seconds) ffi.C.usleep(math.floor(seconds * 1e6)) end

-- Starts `eas words...` beside us: its process id; out and err are files of the world's folder.
local function begin(world, words)
  local line = { "cd " .. T.quote(world.dir) .. " && { env" }
  for name, value in pairs(world:environment()) do line[#line + 1] = T.quote(name .. "=" .. value) end
  line[#line + 1] = T.quote(T.build .. "/bin/eas")
  for _, word in ipairs(words) do line[#line + 1] = T.quote(word) end
  line[#line + 1] = ">out 2>err; echo $? >status; } & echo $!" -- the shell's id; its child is eas
  local pipe = io.popen(table.concat(line, " "))
  local shell = pipe:read "*l"
  pipe:close()
  for _ = 1, 500 do
    local child = T.sh("cat /proc/" .. shell .. "/task/" .. shell .. "/children").out:match "%d+"
    if child then return tonumber(child) end
    nap(0.01)
  end
  error "eas did not start"
end

-- Waits until fn gives a true value, at most 20 s.
local function wait_for(what, fn)
  for _ = 1, 1000 do
    local value = fn()
    if value then return value end
    nap(0.02)
  end
  error("waited in vain for " .. what)
end

local function finished(world)
  return wait_for("the end", function() return tonumber(T.read(world:path "status") or "") end)
end

local function running(world, type_)
  return wait_for(type_ .. " to run", function()
    local ok, n = pcall(world.value, world,
      "SELECT count(*) FROM attempt a JOIN task_type y ON y.id = a.type WHERE a.state = 'running' AND y.name = '" .. type_ .. "'")
    return ok and n and n > 0
  end)
end

local QUICK = { task = "null", duration = 0 }
local FAILS = { task = "error" }

describe("eas run", function()
  it("runs a null job, and says what to do next", function()
    local world = World.new()
    local got = world:run { QUICK, QUICK }
    assert.equal(0, got.status, got.err)
    assert.truthy(got.out:find("j1 job: 2 tasks passed, 0 failed", 1, true), got.out)
    assert.truthy(got.out:find("eas results j1", 1, true), got.out)
  end)

  it("prints JSON and nothing else", function()
    local world = World.new()
    local got = world:run({ QUICK, FAILS }, "job", { words = { "--json" } })
    assert.equal(1, got.status)
    local v = World.json.decode(got.out)
    assert.same({ "j1", "job", true, 1, 1, 0, 2 }, { v.job, v.name, v.done, v.passed, v.failed, v.skipped, v.tasks })
    assert.equal(1, select(2, got.out:gsub("\n", "")))
  end)

  it("ends with 1 when a task failed, and names the way to the cause", function()
    local got = World.new():run { FAILS }
    assert.equal(1, got.status)
    assert.truthy(got.out:find("0 tasks passed, 1 failed", 1, true), got.out)
    assert.truthy(got.out:find("eas errors j1", 1, true), got.out)
  end)

  it("ends with 3 when a required layer is missing", function()
    local world = World.new(nil, { EAS_ISOLATION_OFF = "no_new_privs" })
    local got = world:run { QUICK }
    assert.equal(3, got.status)
    assert.truthy(got.err:find("isolation layer 'no_new_privs' is required and cannot be had", 1, true), got.err)
    world = World.new(nil, { EAS_ISOLATION_OFF = "landlock", EAS_REQUIRE = "rlimits landlock" })
    assert.equal(3, world:run({ QUICK }).status)
  end)

  it("ends with 3 when its folder cannot be had, as all that would write there", function()
    local world = World.new(nil, { EAS_DATA = "/dev/null/x" })
    local job = world:job { QUICK }
    for _, words in ipairs { "run " .. job, "submit " .. job, "init", "control --once", "worker --once" } do
      local got = world:eas(words)
      assert.equal(3, got.status, words)
      assert.truthy(got.err:find("^eas: data folder '/dev/null/x': [^\n]+\n   name a folder that may be written: %-%-data DIR"), got.err)
    end
    assert.equal(2, world:eas("status").status)
  end)

  it("says of a job that is done that it is done; --fresh runs it anew", function()
    local world = World.new()
    assert.equal(0, world:run({ QUICK }).status)
    local got = world:run { QUICK }
    assert.equal(0, got.status)
    assert.truthy(got.out:find("j1 is done already; --fresh runs it anew", 1, true), got.out)
    assert.equal(1, world:value "SELECT count(*) FROM job")
    got = world:run({ QUICK }, "job", { words = { "--fresh" } })
    assert.truthy(got.out:find("j2 job: 1 task passed", 1, true), got.out)
    assert.equal(1, world:run({ FAILS }, "bad").status)
    assert.equal(1, world:run({ FAILS }, "bad").status) -- still failed, not run again
    assert.equal(1, world:value "SELECT count(*) FROM attempt a JOIN task_type y ON y.id = a.type WHERE y.name = 'error'")
  end)

  it("reads Lua job files", function()
    local world = World.new()
    T.write(world:path "job.lua", [[
      local list = {}
      for i = 1, 5 do list[i] = { task = "null", duration = 0, name = "n" .. i } end
      return { job_name = "from_lua", task_list = list }]])
    local got = world:eas { "run", "job.lua" }
    assert.equal(0, got.status, got.err)
    assert.truthy(got.out:find("from_lua: 5 tasks passed", 1, true), got.out)
    T.write(world:path "bad.lua", "return { task_list = {\n  { task = nil .. 1 } } }")
    got = world:eas { "run", "bad.lua" }
    assert.equal(2, got.status)
    assert.truthy(got.err:find("bad.lua:2:", 1, true), got.err)
  end)
end)

describe("a wrong request ends with 2, changes nothing, and helps", function()
  local world = World.new()

  local function wrong(words, ...)
    local got = world:eas(words)
    assert.equal(2, got.status, got.out .. got.err)
    for _, part in ipairs { ... } do assert.truthy(got.err:find(part, 1, true), got.err) end
    assert.is_nil(T.read(world:database()))
    return got
  end

  it("in commands and options", function()
    wrong("rnu", "unknown command 'rnu'", "use eas run")
    wrong("run --fresj job.json", "unknown option '--fresj'", "use --fresh")
    wrong("run --slots", "option --slots needs N")
    wrong("run --json=1 x", "option --json takes no value")
    wrong("run", "JOB is missing", "usage: eas run JOB")
    wrong("run a b", "one argument too many: 'b'")
    wrong("run nobody.json", "nobody.json: no such file")
    T.write(world:path "grid.json", "{}")
    wrong("run grd.json", "eas: grd.json: no such file\n   use grid.json\n")
    wrong("search grd.json", "grd.json: no such file\n   use grid.json\n")
    wrong("repl grd.json", "grd.json: no such file\n   use grid.json\n")
    wrong("submit none/grid.json", "none/grid.json: there is no folder 'none/'")
    wrong("submit grid.json/x", "grid.json/x: not a directory")
    wrong("archive old.eas", "old.eas: no such file")
    wrong("status --config gird.json", "gird.json: no such file\n   use grid.json\n")
    wrong("run --slots many job.json", "slots")
    local got = world:eas({ "run", "x.json" }, { env = { EAS_SLOTZ = "3" } })
    assert.equal(2, got.status)
    assert.truthy(got.err:find("use EAS_SLOTS", 1, true), got.err)
  end)

  it("in a job: all errors at once, by line, with source, caret and a way out", function()
    T.write(world:path "grid.json", [[
{ "job_name": "grid",
  "task_list": [
    { "task": "execution_for_loop", "parameter": "size",
      "linear_rnge": [1, 2, 2],
      "task_list": [
        { "task": "synthesis_batman", "outputs": { "lightcurve": "lc.fits" } },
        { "task": "transit_serch_bls_reference", "inputs": { "lightcurve": "'lc_{sise}.fits'.format(**metadata)" } }
      ] },
    { "task": "verify", "inputs": { "lightcurve": "detrended.fits" } },
    { "task": "synthesis_batman", "outputs": { "lightcurve": "detrended.fits" } }
  ] }
]])
    local got = wrong("run grid.json",
      "grid.json:4:7: unknown field 'linear_rnge' in execution_for_loop\n   at $.task_list[0].linear_rnge\n",
      "    4 |       \"linear_rnge\": [1, 2, 2],\n      |       ^^^^^^^^^^^^^\n   use linear_range: [start, stop, count]\n",
      "grid.json:6:66: output 'lc.fits' would be made once per 'size'", "lc_{size_index}.fits",
      "grid.json:7:19: unknown task type 'transit_serch_bls_reference'", "use transit_search_bls_reference",
      "grid.json:7:82: expression: no metadata named 'sise' here", "^^^^ column 6 of the expression", "known here: size, size_index",
      "grid.json:9:51: no earlier task makes 'detrended.fits'", "$.task_list[2] (line 10); move it before this one",
      "eas: grid.json: 5 errors, nothing was stored")
    assert.equal("", got.out)
    got = wrong "run grid.json --json"
    local problems = World.json.decode(got.out).error.problems
    assert.equal(5, #problems)
    wrong("submit grid.json --check", "5 errors, nothing was stored")
  end)

  it("in JSON: the place, and what it belongs to", function()
    T.write(world:path "broken.json", "{ \"task_list\": [\n  { \"task\": \"null\" ],\n}")
    wrong("run broken.json", "broken.json:2:20: expected ',' or '}', found ']'; the '{' is at 2:3")
  end)

  it("in a type without a quality check", function()
    local pack = World.pack { no_qc = {} }
    os.remove(pack .. "/qc_lua/no_qc.lua")
    local w = World.new(pack)
    local got = w:run { { task = "no_qc" } }
    assert.equal(2, got.status)
    assert.truthy(got.err:find("no_qc", 1, true) and got.err:lower():find("qc", 1, true), got.err)
    assert.equal(0, w:run({ QUICK }, "other").status) -- other types are not affected
    assert.equal(1, w:eas("registry check").status)
  end)
end)

describe("eas run, interrupted", function()
  it("stops at SIGINT with 130, and the same command goes on", function()
    local world = World.new(nil, { EAS_DRAIN_GRACE = "200 ms" })
    local job = world:job({ QUICK, { task = "null", duration = 1.2, name = "long" }, { task = "null", duration = 0, requires_metadata_from = { "long" } } })
    local pid = begin(world, { "run", job, "--slots", "1" })
    running(world, "null")
    nap(0.3)
    ffi.C.kill(pid, 2)
    assert.equal(130, finished(world))
    local err = T.read(world:path "err")
    assert.truthy(err:find("the same command goes on", 1, true), err)
    assert.equal(0, world:value "SELECT count(*) FROM attempt WHERE state = 'running'")
    local got = world:eas { "run", job }
    assert.equal(0, got.status, got.err)
    assert.truthy(got.err:find("j1 goes on where it stopped", 1, true), got.err)
    assert.truthy(got.out:find("3 tasks passed, 0 failed", 1, true), got.out)
    assert.equal(1, world:value "SELECT count(*) FROM job")
  end)

  it("holds its data folder: a second says who has it; a kill frees it", function()
    local world = World.new()
    local job = world:job { { task = "null", duration = 30 } }
    local pid = begin(world, { "run", job })
    running(world, "null")
    local got = world:run({ QUICK }, "other")
    assert.truthy(got.status == 2 or got.status == 3, got.status)
    assert.truthy(got.err:find(tostring(pid), 1, true), got.err)
    assert.equal("running", world:ask("status").state)
    ffi.C.kill(pid, 9)
    finished(world)
    got = world:run({ QUICK }, "other")
    assert.equal(0, got.status, got.err)
    assert.equal(0, world:value "SELECT count(*) FROM worker WHERE state = 'active'")
  end)
end)

describe("a task whose place in the document is gone", function()
  it("fails by itself, and holds up nobody", function()
    local world = World.new(World.pack { fine = {}, other = {} })
    assert.equal(0, world:eas("submit " .. world:job { { task = "fine" }, { task = "other" } }).status)
    assert.equal(0, world:eas("submit " .. world:job({ { task = "fine" } }, "second")).status)
    assert.equal(0, world:eas("control --once").status)
    world:sql [[UPDATE document SET body = '{"job_name":"job","task_list":[{"task":"fine"}]}' WHERE id = 1]]
    assert.equal(0, world:eas("worker --once").status)
    assert.equal("ok", world:attempt("fine", "j1").ending)
    assert.equal("ok", world:attempt("fine", "j2").ending)
    local a = world:attempt("other", "j1")
    assert.equal("error", a.ending)
    assert.truthy(a.error:find("nothing stands at $.task_list[1]", 1, true), a.error)
  end)
end)

describe("results of an earlier job", function()
  local specs = { duration = 4, orbital_period = 1.5, sampling_cadence = 1800, noise = 0.0003 }
  local function tasks(directory)
    return {
      { task = "synthesis_batman", working_directory = directory, outputs = { lightcurve = "lc.fits" }, specs = specs },
      { task = "verify", working_directory = directory, inputs = { lightcurve = "lc.fits" } },
    }
  end

  it("are reused by another job, and why says so", function()
    local world = World.new()
    assert.equal(0, world:run(tasks "a", "one").status)
    local got = world:run(tasks "b", "two")
    assert.equal(0, got.status, got.err)
    assert.truthy(got.out:find("(2 reused)", 1, true), got.out)
    local why = world:eas({ "why", world:tasks("j2")[2].task }).out
    assert.truthy(why:find("reused", 1, true) and why:find("the results of a%d+"), why)
    local files = world:ask "files j2"
    assert.equal("b", files[1].directory)
    assert.equal(world:ask("files j1")[1].sha256, files[1].sha256)
    assert.truthy(T.read(world:path "data/store/products/b/lc.fits"))
    local other = tasks "c"
    other[1].specs = { duration = 5, orbital_period = 1.5, sampling_cadence = 1800 }
    got = world:run(other, "three", { words = { "--json" } })
    assert.equal(0, World.json.decode(got.out).reused)
  end)

  it("are not reused if they made children", function()
    local world = World.new(World.pack { maker = { task = 'task:spawn { task = "leaf" }' }, leaf = { task = 'task:set { a = 1 }' } })
    for i, name in ipairs { "one", "two" } do
      local got = world:run({ { task = "maker" } }, name)
      assert.truthy(got.out:find(i == 1 and "2 tasks passed, 0 failed" or "2 tasks passed (1 reused), 0 failed", 1, true), got.out)
    end
  end)

  it("are the same bytes for the same seed, others for another", function()
    local sums = {}
    for i, seed in ipairs { "7", "7", "8" } do
      local world = World.new()
      assert.equal(0, world:run(tasks "a", "one", { words = { "--seed", seed } }).status)
      sums[i] = world:ask("files j1")[1].sha256
    end
    assert.equal(sums[1], sums[2])
    assert.are_not.equal(sums[1], sums[3])
  end)
end)

describe("an edited script", function()
  it("makes the failed task run again, and only then", function()
    local pack = World.pack { half = { task = 'error("not written yet")', max_attempts = "1" }, fine = {} }
    local world = World.new(pack)
    local list = { { task = "half" }, { task = "fine" } }
    assert.equal(1, world:run(list).status)
    local got = world:run(list)
    assert.equal(1, got.status)
    assert.truthy(got.out:find("is done already", 1, true), got.out)
    World.task_script(pack, "half", 'task:set { done = true }')
    got = world:run(list)
    assert.equal(0, got.status, got.err)
    assert.truthy(got.err:find("1 failed task is tried again: code changed since", 1, true), got.err)
    assert.equal(2, select(2, world:attempt "half"))
    assert.equal(1, select(2, world:attempt "fine"))
  end)

  it("is used by the next attempt of a running worker", function()
    local pack = World.pack { slow = { task = 'task:sleep(1)' }, later = { task = 'task:set { version = 1 }' } }
    local world = World.new(pack)
    local job = world:job { { task = "slow", name = "first" }, { task = "later", requires_metadata_from = { "first" } } }
    begin(world, { "run", job })
    running(world, "slow")
    World.task_script(pack, "later", 'task:set { version = 2 }')
    assert.equal(0, finished(world), T.read(world:path "err"))
    assert.equal(2, world:attempt("later").metadata.version)
  end)
end)
