-- eas lua, and job files in Lua.
local T = require "spec.support"

local function file(name, text) return T.write(T.tmpdir() .. "/" .. name, text) end

describe("eas lua", function()
  it("runs a file with eas.* and its arguments", function()
    local got = T.eas { "lua", file("a.lua", [[local eas = require "eas"
      print(eas.array { 1, 2 }:sum(), arg[1], ...)]]), "one", "two" }
    assert.equal(0, got.status, got.err)
    assert.equal("3\tone\tone\ttwo\n", got.out)
  end)

  it("ends with the number it returns, or says where it failed", function()
    assert.equal(7, T.eas({ "lua", file("a.lua", "return 7") }).status)
    local got = T.eas { "lua", file("a.lua", "local t = nil\nprint(t.x)") }
    assert.equal(1, got.status)
    assert.truthy(got.err:find("a.lua:2: attempt to index local 't'", 1, true))
    assert.equal(2, T.eas({ "lua", file("a.lua", "local = 5") }).status)
    got = T.eas { "lua", "/nowhere/a.lua" }
    assert.equal(2, got.status)
    assert.truthy(got.err:find("/nowhere/a.lua", 1, true))
    assert.equal(2, T.eas({ "lua" }).status)
  end)
end)

describe("a job file in Lua", function()
  local function submit(text)
    return T.eas({ "run", file("job.lua", text), "--data", T.tmpdir() .. "/data" })
  end

  it("runs as the table that it returns", function()
    local got = submit [[local list = {}
      for i = 1, 3 do list[i] = { task = "null", duration = 0, name = "n" .. i } end
      return { job_name = "made", task_list = list }]]
    assert.equal(0, got.status, got.err)
    assert.truthy(got.out:find("made", 1, true))
  end)

  it("is refused with a word when it is none", function()
    for text, pattern in pairs {
      ["return 5"] = "returns a number, not a table",
      ["return {"] = "job.lua:1:",
      ["return { x = io.open }"] = "there is no global 'io'",
      ["return { task_list = { { task = 'null', duration = 1/0 } } }"] = "task_list[1].duration: infinity cannot be stored",
      ["return { task_list = { { task = 'nul' } } }"] = "unknown task type 'nul'",
    } do
      local got = submit(text)
      assert.equal(2, got.status, text)
      assert.truthy((got.err .. got.out):find(pattern, 1, true), got.err .. got.out)
    end
  end)
end)
