-- eas purge: a job is forgotten whole; nothing of others is. eas new task: what it makes runs, and passes its own spec.
local T = require "spec.support"
local World = require "spec.cli.world"

local pack = World.pack {
  maker = { task = 'task:output("text", require("eas").text(task.description.words .. "\\n"))' },
  user = { task = 'task:set { words = task:exec { "cat", task:input_path "text" } } task:info("used")' },
}
local function makes(words) return { { task = "maker", words = words, outputs = { text = "a.txt" } }, { task = "user", inputs = { text = "a.txt" } } } end

describe("eas purge", function()
  local world
  before_each(function()
    world = World.new(pack)
    for i, words in ipairs { "one", "two" } do
      assert.equal(0, world:run(makes(words), "job" .. i).status)
    end
  end)

  it("lists first, then forgets: rows, and links to what others made come back", function()
    local got = world:eas "purge j2"
    assert.equal(0, got.status)
    assert.truthy(got.out:find("j2 job2: 3 tasks, 1 products in 1 versions", 1, true) and got.out:find("--yes", 1, true), got.out)
    assert.equal("two\n", T.read(world:path "data/store/products/a.txt"))
    local answer = world:ask "purge job2 --yes"
    assert.same({ "j2", 3, true }, { answer.job, answer.tasks, answer.purged })
    assert.equal("one\n", T.read(world:path "data/store/products/a.txt"))
    assert.same({ "j1" }, (function(list) for i, j in ipairs(list) do list[i] = j.job end return list end)(world:ask "status --all"))
    for _, name in ipairs { "task", "product", "job", "node", "job_type" } do
      assert.equal(0, world:value(("SELECT count(*) FROM %s WHERE %s = 2"):format(name, name == "job" and "id" or "job")), name)
    end
    assert.equal(0, world:value "SELECT count(*) FROM attempt WHERE job = 2")
    assert.equal(0, world:value "SELECT count(*) FROM version WHERE attempt NOT IN (SELECT id FROM attempt)")
    assert.equal(0, world:eas("fsck --verify").status)
    assert.equal(1, world:ask("gc --grace 0 --yes").removed)
    assert.equal(0, world:eas("purge j1 --yes").status)
    assert.is_nil(T.read(world:path "data/store/products/a.txt"))
    assert.equal(2, world:eas("purge j1 --yes").status)
  end)

  it("refuses what is under way, or what another job reads", function()
    local path = world:job({ { task = "user", inputs = { text = "a.txt" } } }, "reader")
    assert.equal(0, world:eas({ "run", path, "--no-progress" }).status)
    local got = world:eas "purge j2 --yes"
    assert.equal(2, got.status)
    assert.truthy(got.err:find("j3 reads what j2 made", 1, true) and got.err:find("purge j3 first", 1, true), got.err)
    assert.equal(3, world:value "SELECT count(*) FROM task WHERE job = 2")
    path = world:job({ { task = "null" } }, "open")
    assert.equal(0, world:eas({ "submit", path }).status)
    got = world:eas "purge open --yes"
    assert.equal(2, got.status)
    assert.truthy(got.err:find("j4 open is not done", 1, true) and got.err:find("eas cancel j4 --yes", 1, true), got.err)
    assert.equal(0, world:eas("cancel j4 --yes").status)
    assert.equal(0, world:eas("purge j4 --yes").status)
    assert.equal(2, world:eas("purge nobody").status)
  end)
end)

describe("eas new task", function()
  local function make(world, ...) return world:eas { "new", "task", ... } end

  it("makes a pack that checks, runs and passes its own spec, with a kernel and without", function()
    local world = World.new()
    local got = make(world, "dip_count")
    assert.equal(0, got.status, got.err)
    assert.truthy(got.out:find("next   EAS_TASK_PATH=. eas run examples/dip_count.json", 1, true), got.out)
    got = world:eas { "new", "task", "deep_count", "--kernel", "--json" }
    assert.equal(0, got.status, got.err)
    assert.same({ "deep_count", 8 }, (function(v) return { v.type, #v.files } end)(World.json.decode(got.out)))
    got = T.sh(("cd %s && make -s check EAS=%s EAS_CDEF=%s EAS_INCLUDE=%s"):format(world.dir, T.build .. "/bin/eas",
      T.root .. "/cmake/eas-cdef", T.root .. "/tasks_native"))
    assert.equal(0, got.status, got.out .. got.err)
    assert.truthy(got.out:find("deep_count: ok", 1, true) and got.out:find("dip_count: ok", 1, true), got.out)
    T.write(world:path "native/deep_count.c", (T.read(world:path "native/deep_count.c"):gsub(" < job%->threshold", " <= job->threshold")))
    got = T.sh(("cd %s && make -s check EAS=%s EAS_CDEF=%s EAS_INCLUDE=%s"):format(world.dir, T.build .. "/bin/eas",
      T.root .. "/cmake/eas-cdef", T.root .. "/tasks_native"))
    assert.truthy(got.status ~= 0 and got.err:find("threshold 2: expected 1, found 2", 1, true), got.err)
  end)

  it("writes over nothing, and refuses what is no name", function()
    local world = World.new()
    assert.equal(0, make(world, "dip_count").status)
    for _, case in ipairs {
      { { "dip_count" }, "is there already" }, { { "verify" }, "there is a task type 'verify' already" }, { { "Dip" }, "'Dip' is no name" },
      { { "../x" }, "is no name" }, { { "9x" }, "is no name" }, { { "x", "--pack", "/proc/nowhere" }, "--pack DIR" },
    } do
      local got = make(world, unpack(case[1]))
      assert.equal(2, got.status, case[1][1])
      assert.truthy(got.err:find(case[2], 1, true), got.err)
    end
    assert.equal(2, world:eas("new kernel x").status)
  end)
end)
