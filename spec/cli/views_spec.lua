-- What people ask of a job, and what is said: every command that looks, checks or cleans.
local T = require "spec.support"
local World = require "spec.cli.world"

local pack = World.pack {
  maker = { task = 'task:info("making") task:warn("slowly") task:exec { "sh", "-c", "echo 1 2 3 > x.txt" } task:output("text", "x.txt")' },
  breaks = { task = 'error("no star " .. task.metadata.k)', max_attempts = "1" },
  counts = { task = 'task:set { n = task.metadata.k * 10, half = task.metadata.k / 2, tag = "k" .. task.metadata.k }' },
}
local tasks = {
  { task = "maker", name = "first", outputs = { text = "a.txt" } },
  { task = "breaks", name = "never", outputs = { text = "never.txt" } },
  { task = "execution_for_loop", parameter = "k", values = { 1, 2, 3 },
    task_list = { { task = "counts" }, { task = "breaks" } } },
  { task = "maker", name = "second", inputs = { text = "never.txt" }, outputs = { text = "second.txt" } },
  { task = "execution_chain", task_list = {
    { task = "maker", name = "third", inputs = { text = "second.txt" }, outputs = { text = "third.txt" } } } },
}
tasks[2].task = "error"
local world

lazy_setup(function()
  world = World.new(pack)
  assert.equal(1, world:run(tasks, "views").status)
end)

-- Output of a command that ends with a status (0), holding each of the parts.
local function says(words, parts, status)
  local got = world:eas(words)
  assert.equal(status or 0, got.status, tostring(words) .. ": " .. got.out .. got.err)
  for _, part in ipairs(parts or {}) do
    assert.truthy(got.out:find(part, 1, true), ("%s: '%s' is not in\n%s"):format(tostring(words), part, got.out))
  end
  assert.is_nil(got.out:find("\27", 1, true), "colour in a pipe")
  return got.out
end

local function refuses(words, ...)
  local got = world:eas(words)
  assert.equal(2, got.status, got.out)
  for _, part in ipairs { ... } do assert.truthy(got.err:find(part, 1, true), got.err) end
end

local function id_of(name)
  for _, t in ipairs(world:tasks()) do if t.name == name or t.type == name then return t.task end end
end

describe("eas status", function()
  it("counts tasks by type and state", function()
    local text = says("status", { "views", "10 of 10 tasks", "failed   4 error: eas errors j1" })
    assert.truthy(text:find "\ncounts +3 +0")
    assert.same({ "j1", "failed", 10, 10, 4, 2 }, (function(v) return { v.job, v.state, v.tasks, v.ended, v.failed, v.skipped } end)(world:ask "status"))
    assert.truthy(says("status --csv"):find "\nbreaks,0,0,0,0,0,3,0,0\n")
    says("status --all", { "j1", "views", "done" })
    says("status views", { "j1 views" })
    refuses("status j7", "no job 'j7'", "j1 views")
    refuses("status vies", "vies")
  end)
end)

describe("eas tree", function()
  it("shows the first of many, and what failed among the others", function()
    local wide = World.new(pack)
    local k = {}
    for i = 1, 30 do k[i] = i end
    assert.equal(1, wide:run({ { task = "execution_for_loop", parameter = "k", values = k, task_list = {
      { task = "execution_conditional", criterion = "(metadata['k'] == 27 or metadata['k'] == 2)", task_list = { { task = "error" } } } } } }, "wide").status)
    local text = wide:eas("tree --depth 2").out
    assert.truthy(text:find("k=20 ", 1, true) and text:find("k=27 ", 1, true) and text:find(" 9 more, none failed: --all", 1, true), text)
    assert.is_nil(text:find("k=26 ", 1, true), text)
    assert.truthy(wide:eas("tree --depth 2 --all").out:find("k=30 ", 1, true))
    assert.equal(30, #wide:ask("tree").tasks[1].tasks)
  end)


  it("draws a job, and its failures", function()
    local text = says("tree", { "j1 views", "10/10 tasks, 4 failed, 2 skipped", "execution_for_loop", "k=2", "no star 2" })
    assert.is_nil(text:find "k_index")
    assert.is_nil(says("tree j1 --depth 1"):find "k=2")
    assert.equal("execution_for_loop", world:ask("tree").tasks[3].type)
    says("tree " .. id_of "execution_for_loop", { "k=1" })
    refuses("tree t999", "t999")
  end)
end)

describe("eas show", function()
  it("an attempt, a task, a product, a version", function()
    local a = world:attempt "breaks"
    says("show " .. a.attempt, { a.attempt, "no star", "breaks.lua:3", "trace", "eas logs " .. a.attempt })
    says("show " .. id_of "first", { "maker", "a.txt", "attempt", "$.task_list[0]" })
    local file = world:ask("files j1")[1]
    says("show " .. file.product, { "a.txt", file.version, file.sha256 })
    says("show " .. file.version, { "a.txt", file.sha256 })
    local trace = says("show " .. a.attempt .. " --trace", { "breaks.lua:3: in handler", "no star" })
    assert.is_nil(trace:find("eas logs", 1, true))
    assert.truthy(world:ask("show " .. a.attempt .. " --trace").trace:find("in handler", 1, true))
    says("show " .. world:attempt("first").attempt .. " --trace", { "no traceback: nothing raised an error" })
    refuses("show " .. id_of "first" .. " --trace", "an attempt is wanted")
    refuses("show a9999", "there is no a9999")
    refuses("show j1", "eas status j1")
    refuses("show hello", "'hello' is no id")
  end)
end)

describe("eas why", function()
  it("names the task at fault, through a chain of skipped ones", function()
    says("why " .. id_of "never", { "failed", "because", "this task fails by design" })
    says("why " .. id_of "second", { "skipped", "never.txt", id_of "never", "this task fails by design", "then" })
    says("why " .. id_of "third", { "skipped", "second.txt", id_of "second", "skipped" })
    says("why " .. id_of "first", { "passed", "attempt 1" })
    assert.equal("table", type(world:ask("why " .. id_of "third")))
    refuses("why j1", "eas status j1")
  end)
end)

describe("eas errors", function()
  it("groups failures by cause: numbers do not divide them", function()
    local text = says("errors", { "no star", "this task fails by design" })
    assert.truthy(text:find "\n +1 +3 +error +breaks +tasks_lua/breaks.lua:3: no star %d", text)
    assert.equal(2, #world:ask "errors")
    assert.equal(3, world:ask("errors --type breaks")[1].n)
    says("errors --csv", { "error,breaks" })
    local other = World.new(pack)
    assert.equal(0, other:run({ { task = "maker", outputs = { text = "a" } } }).status)
    assert.truthy(other:eas("errors").out:find("nothing failed", 1, true))
  end)
end)

describe("eas logs", function()
  it("by level, time, task and attempt", function()
    says("logs", { "making", "slowly", "no star 2" })
    assert.is_nil(says("logs --level warn", { "slowly" }):find("making", 1, true))
    assert.is_nil(says("logs --level error", { "no star 1" }):find("slowly", 1, true))
    assert.is_nil(says("logs " .. id_of "first", { "making" }):find("no star", 1, true))
    assert.equal(2, #world:ask("logs " .. world:attempt("first").attempt))
    says("logs --since 1h", { "making" })
    says("logs --type counts", { "no log line" })
    refuses("logs --level wran", "debug, info, warn or error", "'wran'")
    refuses("logs --since yesterday", "10m", "'yesterday'")
  end)
end)

describe("eas results", function()
  it("filters, sorts, limits", function()
    local rows = world:ask "results --type counts"
    assert.equal(3, #rows)
    local csv = says({ "results", "--type", "counts", "--where", "n >= 20 and tag != 'k3'", "--csv" })
    local head, row, rest = csv:match "^([^\n]*)\n([^\n]*)\n(.*)$"
    assert.equal("", rest)
    assert.truthy(head:find "^task,type,k,", head)
    assert.truthy(row:find ",20", row)
    assert.truthy(says("results --type counts --sort -n --limit 1 --csv"):find ",30")
    assert.truthy(says("results --type counts --sort n --csv"):find "0%.5.*1.*1%.5")
    says({ "results", "--where", "n > 100" }, { "no row matches --where" })
    refuses("results --where nosuch>1", "nosuch", "eas results --csv")
    refuses("results --where n=>1", "--where, column")
    refuses("results --sort nosuch", "no row has a column 'nosuch'")
    refuses("results --limit many", "whole number")
  end)
end)

describe("eas files, fsck and gc", function()
  local damaged

  before_each(function()
    damaged = World.new(pack)
    assert.equal(0, damaged:run({ { task = "maker", outputs = { text = "a.txt" } }, { task = "maker", outputs = { text = "b.txt" } } }).status)
  end)

  local function object(w, name)
    for _, file in ipairs(w:ask "files j1") do
      if file.filename == name then
        return T.sh(("find %s/data/store/objects -type f -name '*%s*'"):format(w.dir, file.sha256:sub(5))).out:match "%S+", file
      end
    end
  end

  it("find nothing wrong where nothing is", function()
    assert.equal(0, damaged:eas("files --verify").status)
    assert.equal(0, damaged:eas("fsck --verify").status)
    local got = damaged:ask "fsck --verify"
    assert.same({ true, 2, 2, 0 }, { got.ok, got.versions, got.links, #got.problems })
    assert.equal(0, damaged:ask("gc --grace 0").objects)
  end)

  it("name a product whose bytes changed", function()
    local path = object(damaged, "a.txt")
    T.sh("chmod u+w " .. path)
    T.write(path, "1 2 4\n")
    local got = damaged:eas "files --verify"
    assert.equal(1, got.status, got.out)
    assert.truthy(got.out:find "a.txt.-SHA%-256" or got.out:find "a.txt.-bytes" or got.out:find "a.txt.-differ", got.out)
    got = damaged:eas "fsck --verify"
    assert.equal(1, got.status)
    assert.truthy(got.out:find("changed bytes", 1, true) and got.out:find("a.txt", 1, true), got.out)
    assert.equal(0, damaged:eas("fsck").status) -- bytes are read only when asked for
  end)

  it("name a product without bytes", function()
    os.remove((object(damaged, "b.txt")))
    local got = damaged:eas "fsck"
    assert.equal(1, got.status)
    assert.truthy(got.out:find("product without bytes", 1, true), got.out)
    assert.is_false(damaged:ask("fsck").ok)
  end)

  it("find a counter that is off, and rebuild links", function()
    os.remove(damaged:path "data/store/products/a.txt")
    assert.equal(0, damaged:eas("fsck").status)
    assert.equal("1 2 3\n", T.read(damaged:path "data/store/products/a.txt"))
    damaged:sql "UPDATE job_type SET passed = passed + 1 WHERE passed > 0"
    local got = damaged:eas "fsck"
    assert.equal(1, got.status, got.out)
    assert.truthy(got.out:find "found .*expected", got.out)
  end)

  it("remove only what nobody knows, and only if told to", function()
    local name = ("ab"):rep(32)
    T.sh(("mkdir -p %s/data/store/objects/ab"):format(damaged.dir))
    local orphan = T.write(damaged:path("data/store/objects/ab/" .. name), "lost")
    local n = damaged:ask("gc --grace 0").objects
    assert.equal(1, n)
    assert.equal(0, damaged:ask("gc").objects) -- younger than a day
    assert.equal(1, damaged:ask("gc --grace 0").objects)
    assert.equal(1, damaged:ask("gc --grace 0 --yes").removed)
    assert.is_nil(T.read(orphan))
    assert.equal(0, damaged:ask("gc --grace 0").objects)
    assert.equal(0, damaged:eas("fsck --verify").status)
  end)
end)

describe("eas registry, doctor, version", function()
  it("check and list", function()
    assert.equal(0, world:eas("registry check").status)
    says("registry list", { "verify", "maker", "execution_for_loop" })
    local list = world:ask "registry list"
    assert.truthy(#list >= 12)
    local w = World.new(T.tmpdir())
    T.sh("mkdir " .. w.folder .. "/registry")
    T.write(w.folder .. "/registry/bad.xml", "<task_type_registry>\n <tasks>\n  <task><nam>x</nam></task>\n </tasks></task_type_registry>")
    local got = w:eas "registry check"
    assert.equal(1, got.status, got.out)
    assert.truthy(got.err:find("bad.xml:3", 1, true), got.err)
    assert.equal(2, w:eas("registry chekc").status)
  end)

  it("doctor names services, layers, versions; never a password", function()
    local text = says("doctor", { "services", "isolation", "seccomp", "versions", "SQLite" })
    assert.is_nil(text:find("LuaJIT -", 1, true), text)
    local url = "postgresql://eas%s@127.0.0.1:1/nothing"
    for _, env in ipairs { { EAS_DATABASE = url:format ":hunter2" }, { EAS_DATABASE = url:format "", EAS_DATABASE_PASSWORD = "hunter2" } } do
      local w = World.new(nil, env)
      local got, as_json = w:eas "doctor", w:eas "doctor --json"
      assert.is_nil((got.out .. got.err .. as_json.out .. as_json.err):find("hunter2", 1, true))
      assert.equal(1, got.status, got.out .. got.err)
      assert.truthy(got.out:find("127.0.0.1", 1, true), got.out)
    end
  end)

  it("version", function()
    assert.truthy(says("version"):find "^eas %d+%.%d+%.%d+\n$")
    assert.equal(says("version"), says("--version"))
    assert.equal(says("version"), "eas " .. world:ask("version").version .. "\n")
  end)
end)

describe("a data folder", function()
  local looks = { "status", "tree", "errors", "logs", "results", "files", "why t1", "show a1" }

  it("that is not there: says so, and how to fill it", function()
    local empty = World.new()
    for _, words in ipairs(looks) do
      local got = empty:eas(words)
      assert.equal(2, got.status, words)
      assert.truthy(got.err:find("there is no database here yet", 1, true) and got.err:find("eas run JOB", 1, true), got.err)
      assert.is_nil(T.read(empty:database()))
    end
  end)

  it("without a job", function()
    local empty = World.new()
    assert.equal(0, empty:eas("init").status)
    assert.equal(0, empty:eas("init").status)
    for _, words in ipairs { "status", "tree", "errors", "logs", "results", "files" } do
      local got = empty:eas(words)
      assert.truthy((got.out .. got.err):find("no job", 1, true), got.out .. got.err)
    end
    assert.equal(0, empty:eas("status --all").status)
    assert.equal(0, empty:eas("fsck").status)
  end)
end)

describe("eas task", function()
  local function light_curve(w)
    local lines = {}
    for k = 0, 479 do lines[#lines + 1] = ("%.18e %.18e 0 1e-4"):format(k * 1800, 1 + 1e-4 * math.sin(12.9898 * k)) end
    T.write(w:path "lc", table.concat(lines, "\n") .. "\n")
    assert.equal(0, T.sh("gzip -f " .. w:path "lc").status)
    T.write(w:path "lc.gz.metadata.cfg", "[metadata]\nbinary = 0\ngzipped = 1\nperiod = 50\n")
  end

  it("runs the prototype's test configurations", function()
    local w = World.new()
    light_curve(w)
    T.write(w:path "test_verify.cfg", "[task]\ntask = verify\nworking_directory = dir\njob_name = test_job\n\n[inputs]\nlightcurve = lc.gz\n")
    local got = w:eas "task --config test_verify.cfg"
    assert.equal(0, got.status, got.out .. got.err)
    assert.truthy(got.out:find "\n *verification : ", got.out)
    assert.truthy(got.out:find "verification_time_max : 9%.979166666", got.out)
    local keys = {}
    for key in got.out:gmatch "\n *([%w_]+) : " do keys[#keys + 1] = key end
    local sorted = { unpack(keys) }
    table.sort(sorted)
    assert.same(sorted, keys)
    assert.truthy(#keys > 5)
  end)

  it("ends with 1 when the task fails, 2 when the file is wrong", function()
    local w = World.new()
    T.write(w:path "error.cfg", "[task]\ntask = error\n")
    assert.equal(1, w:eas("task --config error.cfg").status)
    T.write(w:path "gone.cfg", "[task]\ntask = verify\n[inputs]\nlightcurve = nobody.gz\n")
    local got = w:eas "task --config gone.cfg"
    assert.equal(2, got.status)
    assert.truthy(got.err:find("nobody.gz", 1, true), got.err)
    assert.equal(2, w:eas("task --config nobody.cfg").status)
    T.write(w:path "null.cfg", "[task]\nduration = 0\n")
    assert.equal(0, w:eas("task null --config null.cfg").status)
  end)
end)

describe("help", function()
  it("of each command lists the options of its man page", function()
    local man = T.tmpdir()
    assert.equal(0, T.eas({ "--make-man", man }).status)
    local overview, n = T.eas({ "--help" }).out, 0
    for name in overview:gmatch "\n  eas ([%w-]+)" do
      local help, options = T.eas({ name, "--help" }).out, {}
      for option in help:gmatch "\n  (%-%-[%w-]+)" do options[#options + 1] = option end
      local page, shown = assert(T.read(("%s/eas-%s.1"):format(man, name)), name), {}
      for option in page:gmatch "%.TP\n%.B ([^ \n]+)" do shown[#shown + 1] = (option:gsub("\\", "")) end
      assert.same(options, shown, name)
      assert.truthy(#options >= 6, name)
      assert.truthy(T.read(man .. "/eas.1"):find("eas\\-" .. name, 1, true), name)
      n = n + 1
    end
    assert.truthy(n >= 20, n)
  end)
end)
