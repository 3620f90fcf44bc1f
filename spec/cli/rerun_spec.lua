-- What people do to jobs: rerun with a change, with reasons; one task anew; pause, resume, cancel, retry; loops of which most is enough.
local World = require "spec.cli.world"

local pack = World.pack {
  source = { task = [[
    task:exec { "sh", "-c", "printf '%s' '" .. tostring(task.description.size) .. "' > made.txt" }
    task:output("text", "made.txt", { n = task.description.size })
    task:set { size = task.description.size }]], memory_gb = "0.5" },
  use = { task = 'task:set { seen = task.description.factor or 1 }', memory_gb = "0.5" },
  odd = { task = 'if task.metadata.k % 4 == 0 then error("no multiple of four") end', max_attempts = "1", memory_gb = "0.5" },
  tell = { task = 'local g = task.requested_metadata.grid; task:set { children = g.children, passed = g.passed, first = #g.missing > 0 and g.missing[1].k or -1 }',
    memory_gb = "0.5" },
}

local function why(world, id)
  local lines = {}
  for _, line in ipairs(world:ask("why " .. id).why) do lines[#lines + 1] = line.label .. ": " .. line.text end
  return table.concat(lines, "\n")
end

local function by_name(world, job)
  local all = {}
  for _, t in ipairs(world:tasks(job)) do all[type(t.name) == "string" and t.name or t.type] = t end
  return all
end

local function chain(size, factor)
  return {
    { task = "source", name = "source", outputs = { text = "made.txt" }, size = size },
    { task = "use", name = "on_file", inputs = { text = "made.txt" } },
    { task = "use", name = "on_result", requires_metadata_from = { "source" } },
    { task = "use", name = "alone", factor = factor },
  }
end

describe("eas rerun of a job", function()
  it("runs what depends on the change, reuses the rest, and why says so", function()
    local world = World.new(pack)
    assert.equal(0, world:run(chain(1, 7), "first").status)
    local got = world:eas { "rerun", "j1", "--set", "task_list[0].size=2", "--no-progress" }
    assert.equal(0, got.status, got.out .. got.err)
    local tasks = by_name(world, "j2")
    assert.equal("reused", tasks.alone.state == "passed" and world:ask("show " .. tasks.alone.task).attempts[1].ending or tasks.alone.state)
    assert.truthy(why(world, tasks.alone.task):find("reused: the results of a%d+"))
    assert.truthy(why(world, tasks.source.task):find("set: size 1 -> 2", 1, true), why(world, tasks.source.task))
    assert.truthy(why(world, tasks.on_file.task):find("input: text has other bytes than then", 1, true), why(world, tasks.on_file.task))
    assert.truthy(why(world, tasks.on_result.task):find("requested: source.size 1 -> 2", 1, true), why(world, tasks.on_result.task))
    assert.truthy(why(world, tasks.source.task):find("it differs from a%d+ of j1, at the same place"))
    -- the same once more is the same job, and is done
    got = world:eas { "rerun", "j1", "--set", "task_list[0].size=2", "--no-progress" }
    assert.equal(0, got.status)
    assert.truthy(got.out:find "j2 is done already", got.out)
  end)

  it("says what code changed", function()
    local own = World.pack { plain = { task = 'task:set { a = 1 }', memory_gb = "0.5" } }
    local world = World.new(own)
    assert.equal(0, world:run({ { task = "plain" } }, "code").status)
    World.task_script(own, "plain", 'task:set { a = 2 }')
    assert.equal(0, world:eas("rerun j1 --no-progress").status)
    assert.truthy(why(world, by_name(world, "j2").plain.task):find "code: task %x%x%x%x %-> %x%x%x%x", why(world, by_name(world, "j2").plain.task))
  end)

  it("refuses what is no change", function()
    local world = World.new(pack)
    assert.equal(0, world:run({ { task = "use" } }, "one").status)
    for _, case in ipairs {
      { "j1 --set task_list[0]", "--set takes PATH=VALUE" },
      { "j1 --set task_list[4].factor=1", "no place 'task_list[4].factor' in the job to set" },
      { "j1 --set task_list[0].task=uze", "unknown task type 'uze'" },
      { "j7", "no job 'j7'" }, { "t999", "no task t999" }, { "p1", "a job, a task or an attempt is wanted" },
      { "t2 --set x=1", "--set changes a job, not a task" }, { "t1", "cannot take them back" },
    } do
      local got = world:eas("rerun " .. case[1])
      assert.equal(2, got.status, case[1] .. got.out .. got.err)
      assert.truthy(got.err:find(case[2], 1, true), got.err)
    end
    assert.equal(1, world:value "SELECT count(*) FROM job")
  end)
end)

describe("eas rerun of a task", function()
  it("makes it anew; what hangs on it is stale, or runs too", function()
    local world = World.new(pack)
    local job = world:job(chain(1, 7), "again")
    assert.equal(0, world:eas({ "run", job, "--no-progress" }).status)
    local tasks = by_name(world)
    assert.equal(1, world:ask("rerun " .. tasks.source.task).revived)
    assert.equal(0, world:eas({ "run", job, "--no-progress" }).status)
    assert.equal(2, #world:ask("show " .. tasks.source.task).attempts)
    assert.equal("ok", world:ask("show " .. tasks.source.task).attempts[2].ending) -- not reused
    assert.equal(1, #world:ask("show " .. tasks.on_file.task).attempts)
    assert.truthy(why(world, tasks.on_file.task):find("stale: ", 1, true))
    assert.is_nil(why(world, tasks.alone.task):find("stale: ", 1, true))
    assert.equal(3, world:ask("rerun " .. tasks.source.task .. " --downstream").revived)
    assert.truthy(why(world, tasks.on_file.task):find("needs: made.txt", 1, true))
    assert.equal(0, world:eas({ "run", job, "--no-progress" }).status)
    assert.equal(2, #world:ask("show " .. tasks.on_file.task).attempts)
    assert.equal(2, #world:ask("show " .. tasks.on_result.task).attempts)
    assert.equal(1, #world:ask("show " .. tasks.alone.task).attempts)
    assert.is_nil(why(world, tasks.on_file.task):find("stale: ", 1, true))
    assert.equal(0, world:eas("fsck --verify").status)
  end)
end)

describe("a task that waits until a loop is done", function()
  local function grid(fraction, n)
    local values = {}
    for k = 1, n or 8 do values[k] = k end
    return {
      { task = "execution_for_loop", name = "grid", parameter = "k", values = values, task_list = { { task = "odd" } } },
      { task = "tell", name = "tell", requires_done = { "grid" }, requires_passed_fraction = fraction },
      { task = "use", name = "after", requires_metadata_from = { "tell" } },
    }
  end

  it("runs when enough of it has passed, and knows what is missing", function()
    local world = World.new(pack)
    assert.equal(1, world:run(grid(0.75), "enough").status)
    local tasks = by_name(world)
    assert.equal("passed", tasks.tell.state)
    assert.equal("passed", tasks.after.state)
    local attempts = world:ask("show " .. tasks.tell.task).attempts
    assert.same({ children = 8, passed = 6, first = 4 }, world:ask("show " .. attempts[1].attempt).metadata)
    local text = why(world, tasks.tell.task)
    assert.truthy(text:find("had: 75 % of grid (t2): 6 of 8 passed", 1, true), text)
    assert.truthy(text:find('missing: {"index":3,"k":4', 1, true), text)
    assert.equal(0, world:eas("fsck").status)
  end)

  it("is skipped when it was too little, and waits again when that is retried", function()
    local own = World.pack {
      odd = { task = 'if task.metadata.k % 4 == 0 then error("no multiple of four") end', max_attempts = "1", memory_gb = "0.5" },
      tell = { task = 'task:set { passed = task.requested_metadata.grid.passed }', memory_gb = "0.5" }, use = { task = "", memory_gb = "0.5" } }
    local world = World.new(own)
    local job = world:job(grid(0.9), "little")
    assert.equal(1, world:eas({ "run", job, "--no-progress" }).status)
    local tasks = by_name(world)
    assert.equal("skipped", tasks.tell.state)
    assert.equal("skipped", tasks.after.state)
    local text = why(world, tasks.tell.task)
    assert.truthy(text:find("needs: 90 % of grid (t2): 6 of 8 passed", 1, true), text)
    World.task_script(own, "odd", "")
    assert.equal(4, world:ask("retry j1").revived)
    assert.truthy(why(world, tasks.tell.task):find("waits: until grid (t2) is done", 1, true), why(world, tasks.tell.task))
    assert.equal(0, world:eas({ "run", job, "--no-progress" }).status)
    tasks = by_name(world)
    assert.equal("passed", tasks.tell.state)
    assert.equal("passed", tasks.after.state)
    assert.equal(0, world:eas("fsck").status)
  end)

  it("needs names and a fraction that are some", function()
    local world = World.new(pack)
    for _, case in ipairs {
      { { requires_done = { "gird" } }, "no earlier task of this list is named 'gird'" },
      { { requires_done = { "grid" }, requires_passed_fraction = 95 }, "a number from 0 to 1 is wanted" },
      { { requires_passed_fraction = 0.5 }, "is of what requires_done names" },
      { { requires_done = "grid" }, "requires_done: a list of names is wanted" },
    } do
      local tasks = grid(1)
      tasks[2] = { task = "tell", name = "tell", requires_done = case[1].requires_done, requires_passed_fraction = case[1].requires_passed_fraction }
      local got = world:eas { "submit", world:job(tasks, "wrong"), "--check" }
      assert.equal(2, got.status)
      assert.truthy(got.err:find(case[2], 1, true), got.err)
    end
  end)
end)

describe("eas pause, resume, cancel, retry", function()
  it("say what they do, and what cannot be", function()
    local world = World.new(pack)
    local job = world:job({ { task = "null", duration = 0 }, { task = "odd" } }, "held", { comment = "k is not there" })
    assert.equal(0, world:eas({ "submit", job }).status)
    local got = world:eas "pause"
    assert.equal("j1 held: paused; nothing of it runs\n", got.out)
    assert.equal("paused", world:value "SELECT state FROM job")
    assert.equal(0, world:eas("worker --once").status)
    assert.equal(1, world:value "SELECT count(*) FROM task")
    got = world:eas "cancel held"
    assert.truthy(got.out:find("--yes does it", 1, true))
    assert.equal("paused", world:value "SELECT state FROM job")
    assert.equal("j1 held: active\n", world:eas("resume j1").out)
    assert.equal(0, world:eas("cancel j1 --yes").status)
    got = world:eas "resume j1"
    assert.equal(2, got.status)
    assert.truthy(got.err:find("eas retry j1 takes it up again", 1, true), got.err)
    assert.equal(0, world:eas("control --once").status)
    assert.equal("cancelled", world:value "SELECT state FROM job")
    assert.equal(0, world:eas("retry j1").status)
    assert.equal(1, world:eas({ "run", job, "--no-progress" }).status)
    assert.equal(2, world:eas("pause j1").status) -- it is done
    assert.equal(1, world:ask("retry j1 --group 1").revived)
    got = world:eas "retry j1 --group 4"
    assert.truthy(got.status == 2 and got.err:find("there is no group 4", 1, true), got.err)
    assert.equal(2, world:eas("retry t1").status)
    assert.equal(2, world:eas("pause nobody").status)
    assert.equal(2, World.new(pack):eas("pause").status)
  end)
end)
