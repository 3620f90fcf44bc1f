-- Which endings are tried again, by the registry and by the job: what people see of it.
local World = require "spec.cli.world"

local pack = World.pack {
  wrong = { task = 'error("always")', max_attempts = "2", memory_gb = "0.5" },
  wrong_again = { task = 'error("always")', max_attempts = "2", memory_gb = "0.5", retry = "error", retry_delay = "10 ms" },
  unlucky = { qc = 'return false, "too faint"', max_attempts = "3", memory_gb = "0.5" },
  hungry = { task = [[
    local keep = {}
    for i = 1, 90 do keep[i] = ("x"):rep(4 * 1024 * 1024) .. i end
    task:set { blocks = #keep }]], max_attempts = "4", memory_gb = "0.2", retry_delay = "10 ms" },
}

describe("what is tried again", function()
  local function attempts(world, name)
    for _, t in ipairs(world:tasks()) do
      if t.type == name then return world:ask("show " .. t.task).attempts end
    end
  end

  it("an error of a script is not, unless its type asks for it; more memory is given to who lacked it", function()
    local world = World.new(pack)
    world:run({ { task = "wrong" }, { task = "wrong_again" }, { task = "hungry" } }, "by_type")
    assert.equal(1, #attempts(world, "wrong"))
    local list = attempts(world, "wrong_again")
    assert.equal(2, #list)
    assert.equal("error", list[2].ending)
    list = attempts(world, "hungry")
    assert.is_true(#list >= 2, "0.2 GB were enough?")
    for i = 1, #list - 1 do assert.equal("memory", list[i].ending) end
    assert.equal("ok", list[#list].ending)
  end)

  it("the job can ask for it too, and for other verdicts of QC", function()
    local world = World.new(pack)
    world:run({ { task = "wrong" }, { task = "unlucky" } }, "by_job")
    assert.equal(1, #attempts(world, "unlucky"))
    local other = World.new(pack)
    local file = other:job({ { task = "wrong" }, { task = "unlucky" } }, "asked", { retry = { max_attempts = 3, endings = { "error", "qc" }, delay = 0.01 } })
    assert.equal(1, other:eas({ "run", file, "--no-progress" }).status)
    assert.equal(3, #attempts(other, "wrong"))
    assert.equal(3, #attempts(other, "unlucky"))
  end)

  it("a job that asks for nonsense is refused, with the place", function()
    local world = World.new(pack)
    for _, case in ipairs {
      { { endings = { "sorrow" } }, "%$%.retry%.endings", "a list of endings is wanted, of lost crashed" },
      { { max_attempts = 0 }, "%$%.retry%.max_attempts", "a whole number from 1 to 1000" },
      { { delay = "soon" }, "%$%.retry%.delay", "seconds, or a text" },
      { { max_atempts = 3 }, "%$%.retry%.max_atempts", "use max_attempts" },
      { 7, "%$%.retry", "an object is wanted" },
    } do
      local got = world:eas { "submit", world:job({ { task = "wrong" } }, "bad", { retry = case[1] }), "--check" }
      assert.equal(2, got.status)
      assert.truthy(got.err:find(case[2]), got.err)
      assert.truthy(got.err:find(case[3], 1, true), got.err)
    end
  end)

  it("limits and rules of a type are shown; a limit for a type that is not there is told", function()
    local world = World.new(pack, { EAS_MAX_RUNNING = "wrong=3" })
    local list = world:ask "registry list"
    local by_name = {}
    for _, t in ipairs(list) do by_name[t.name] = t end
    assert.equal(3, by_name.wrong.max_running)
    assert.equal(0, by_name.hungry.max_running)
    assert.same({ "error" }, by_name.wrong_again.retry)
    assert.same({ "lost", "crashed", "timeout", "memory", "disk" }, by_name.wrong.retry)
    local got = world:eas("registry list", { env = { EAS_MAX_RUNNING = "wrongg=3" } })
    assert.truthy(got.status ~= 0 and got.err:find("max_running: unknown task type 'wrongg'", 1, true), got.err)
    assert.truthy(got.err:find("use wrong", 1, true), got.err)
    got = world:eas("registry list", { env = { EAS_MAX_RUNNING = "wrong" } })
    assert.truthy(got.err:find("TYPE=N is wanted, found 'wrong'", 1, true), got.err)
  end)
end)
