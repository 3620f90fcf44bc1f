-- What would run and why: eas run --explain; and how any list is cut down to what is wanted.
local World = require "spec.cli.world"

local function types()
  return { half = { task = 'error("not written yet")', max_attempts = "1" }, fine = { task = 'task:set { n = task.description.size or 0 }' },
    other = { task = 'task:set { n = 1 }' } }
end
local pack = World.pack(types())
local world = World.new(pack, { LC_ALL = "C" })
local function list(size) return { { task = "half" }, { task = "fine", size = size or 1 }, { task = "other" } } end
local EXPLAIN = { words = { "--explain" } }

local function explains(tasks, name, ...)
  local got = world:run(tasks, name, EXPLAIN)
  assert.equal(0, got.status, got.err)
  for _, part in ipairs { ... } do assert.truthy(got.out:find(part, 1, true), got.out) end
  return got.out
end

describe("eas run --explain", function()
  it("of a job that is new", function()
    explains(list(), "job", "would run: all of it: there is no job 'job' yet")
    assert.equal(2, world:eas("status").status) -- nothing was stored
    assert.equal(1, world:run(list()).status)
  end)

  it("of one that is done: nothing, or what has other code now", function()
    explains(list(), "job", "nothing: j1 is done; --fresh runs it anew", "1 failed task is not tried again")
    World.task_script(pack, "half", 'task:set { done = true }')
    local text = explains(list(), "job", "would run: t2 half, which failed: task script ")
    assert.truthy(text:find("task script %x%x%x%x %-> %x%x%x%x\n"), text)
    local v = World.json.decode(world:run(list(), "job", { words = { "--explain", "--json" } }).out)
    assert.same({ "j1", "again", 1 }, { v.job, v.would, #v.why })
    explains(list(), "job", "t2 half") -- it changed nothing
    assert.equal(0, world:run(list()).status)
  end)

  it("of a changed job: what differs from the one before", function()
    local text = explains(list(2), "job", "as a new job; what differs from j1:", "$.task_list[1].size 1 -> 2", "a task is reused if")
    assert.is_nil(text:find("task_list[0]", 1, true))
    assert.equal(0, world:run(list(2)).status)
    assert.truthy(world:run(list(), "job", { words = { "--explain", "--fresh" } }).out:find("as a new job: --fresh", 1, true))
  end)

  it("of a wrong job says what is wrong", function()
    local got = world:run({ { task = "hafl" } }, "wrong", EXPLAIN)
    assert.equal(2, got.status)
    assert.truthy(got.err:find("use half", 1, true), got.err)
  end)
end)

describe("lists", function()
  local function csv(words)
    local got = world:eas(words)
    assert.equal(0, got.status, got.err)
    local _, n = got.out:gsub("\n", "\n")
    return got.out, n - 1
  end
  local function refused(words, part)
    local got = world:eas(words)
    assert.equal(2, got.status, got.out)
    assert.truthy(got.err:find(part, 1, true), got.err)
  end

  it("take --where, --sort and --limit", function()
    assert.equal(1, select(2, csv { "status", "--all", "--csv", "--where", "reused > 0" }))
    assert.truthy(csv({ "status", "--all", "--csv", "--sort", "job", "--limit", "1" }):find "\nj1,")
    assert.equal(1, select(2, csv { "tree", "j1", "--csv", "--where", "attempts > 1" }))
    assert.equal(1, select(2, csv { "results", "j2", "--csv", "--where", "type == 'fine'" }))
    assert.equal("[]\n", csv { "logs", "j1", "--json", "--where", "text == 'never said'" })
    assert.equal("[]\n", csv { "files", "j1", "--json", "--limit", "1" })
    assert.truthy(csv({ "errors", "j1", "--where", "n > 7" }):find "nothing failed")
    refused({ "tree", "--where", "nosuch > 1" }, "nosuch")
    refused({ "tree", "--sort", "nosuch" }, "no row has a column 'nosuch'")
    refused({ "status", "--where", "failed > 1" }, "go with --all")
  end)

  it("of tasks go by state and type", function()
    assert.truthy(csv({ "tree", "j2", "--state", "reused", "--csv" }):find ",other,reused,")
    assert.equal(1, select(2, csv { "tree", "j2", "--type", "fine", "--csv" }))
    refused({ "tree", "--state", "done" }, "there is no state 'done'")
  end)

  it("refuse what is not theirs", function()
    refused("files --level warn", "--level")
    refused("errors --state failed", "--state")
    refused("logs --group 1", "--group")
  end)

  it("of failures open a group", function()
    local pack2 = World.pack { broken = { task = 'error("no star " .. task.metadata.k)', max_attempts = "1" } }
    local other = World.new(pack2)
    assert.equal(1, other:run({ { task = "execution_for_loop", parameter = "k", values = { 1, 2, 3 }, task_list = { { task = "broken" } } } }).status)
    assert.truthy(other:eas("errors").out:find("tasks: eas errors j1 --group 1", 1, true))
    local rows = other:ask "errors --group 1"
    assert.equal(3, #rows)
    assert.truthy(rows[2].message:find("no star 2", 1, true))
    local got = other:eas "errors --group 2"
    assert.equal(2, got.status)
    assert.truthy(got.err:find("there is no group 2 of failures, only 1", 1, true), got.err)
  end)

  it("are CSV where they are tables, and all is JSON", function()
    assert.equal("type,cpu,memory_gb,timeout,description\n", csv({ "registry", "list", "--csv" }):match "^[^\n]*\n")
    assert.equal("at,level,attempt,task,type,text\n", csv({ "logs", "j1", "--csv" }):match "^[^\n]*\n")
    assert.equal("worker", world:ask("worker --once").role)
    assert.equal("control", world:ask("control --once").role)
  end)
end)
