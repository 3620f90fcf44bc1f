-- What a script may see and require; what happens when it does not load, or takes too much.
local run = require "spec.tasks.run"

local function message(got)
  assert.is_nil(got.finished)
  return got.error.message
end

describe("globals of a script", function()
  it("are a short list: nothing that reaches files, programs or the engine", function()
    for _, name in ipairs { "io", "os", "ffi", "debug", "load", "loadstring", "loadfile", "dofile", "setfenv", "getfenv", "package",
                            "jit", "collectgarbage", "module", "newproxy" } do
      assert.truthy(message(run.body("return " .. name)):find(("there is no global '%s'"):format(name), 1, true), name)
    end
    assert.is_true(run.body("assert(string.dump == nil)").finished)
  end)

  it("cannot be added to, nor read by a typing error", function()
    assert.truthy(message(run.body("cuont = 1")):find("a script may not make the global 'cuont': put 'local' before it", 1, true))
    assert.truthy(message(run.body("local count = 1 task:set{ n = cuont }")):find("x.lua:3: there is no global 'cuont'", 1, true))
    assert.truthy(message(run.body("setmetatable(_G, nil)")):find "protected metatable")
  end)

  it("are each script's own: libraries too", function()
    local got = run.body("require 'lib.spoil' task:set{ n = #string.rep('x', 3) }", nil, nil,
      { ["tasks_lua/lib/spoil.lua"] = "string.rep = function(s) return s end" })
    assert.is_true(got.finished) -- a script and its libraries share one environment
    assert.equal(1, got.metadata.n)
    assert.equal(3, run.body("task:set{ n = #string.rep('x', 3) }").metadata.n)
  end)

  it("have random numbers from the task's seed", function()
    local body = "task:set{ a = math.random(), b = eas.random(task.seed):uniform() }"
    local one, two = run.body(body, { seed = 5 }).metadata, run.body(body, { seed = 5 }).metadata
    assert.same(one, two)
    assert.are_not.equal(one.a, run.body(body, { seed = 6 }).metadata.a)
    assert.truthy(one.b > 0 and one.b < 1)
  end)
end)

describe("require", function()
  it("finds eas.*, lib.* and native.*, and counts them into the digests", function()
    local got = run.body("local l = require 'lib.half' task:set{ h = l(3) } require 'eas.native.bls'", nil, nil,
      { ["tasks_lua/lib/half.lua"] = "return function(x) return x / 2 end" })
    assert.equal(1.5, got.metadata.h)
    assert.equal(64, #got.code["lib.half"])
    assert.equal(64, #got.code["kernel bls"])
    assert.is_nil(got.code["kernel vetting"])
  end)

  it("finds what qc_lua/lib holds", function()
    assert.is_true(run.body("require 'lib.x2'", nil, nil, { ["qc_lua/lib/x2.lua"] = "return 2" }).finished)
  end)

  it("refuses the rest, by name", function()
    for _, name in ipairs { "ffi", "os", "cjson", "eas.core", "eas.host", "eas.sandbox", "lfs", "../x" } do
      assert.truthy(message(run.body(("require '%s'"):format(name))):find(("module '%s' is not for scripts"):format(name), 1, true))
    end
    assert.truthy(message(run.body "require 'lib.none'"):find("module 'lib.none' is in no pack's tasks_lua/lib", 1, true))
    assert.truthy(message(run.body "require(5)"):find("module '5' is not for scripts", 1, true))
  end)

  it("sees a loop and a module in two places", function()
    local loop = { ["tasks_lua/lib/a.lua"] = "require 'lib.b'", ["tasks_lua/lib/b.lua"] = "require 'lib.a'" }
    assert.truthy(message(run.body("require 'lib.a'", nil, nil, loop)):find("module 'lib.a' requires itself", 1, true))
    local twice = { ["tasks_lua/lib/a.lua"] = "return 1", ["qc_lua/lib/a.lua"] = "return 2" }
    assert.truthy(message(run.body("require 'lib.a'", nil, nil, twice)):find("module 'lib.a' is in two places", 1, true))
  end)
end)

describe("a script that does not load", function()
  it("fails its own attempt, with file and line", function()
    assert.truthy(message(run.text "return eas.task(function("):find("tasks_lua/x.lua:1:", 1, true))
    assert.truthy(message(run.text "local x = = 3"):find("unexpected symbol near '='", 1, true))
    assert.truthy(message(run.text "return 5"):find("tasks_lua/x.lua does not return eas.task(function ...)", 1, true))
    assert.truthy(message(run.text("\27LJ\2")):find("attempt to load chunk with wrong mode", 1, true))
    assert.truthy(message(run.text "return require('eas').qc(function() end)"):find("does not return eas.task", 1, true))
    assert.truthy(message(run.text "return require('eas').task(5)"):find("eas.task takes a function", 1, true))
  end)

  it("does not stop others, and a missing one says so", function()
    local got = run.type("null", { description = { duration = 0 } })
    assert.is_true(got.finished)
    got = run.request { script = "/nowhere/tasks_lua/gone.lua" }
    assert.truthy(message(got):find("No such file", 1, true))
  end)
end)

describe("memory", function()
  it("is capped: no trace, but an ending", function()
    local got = run.body("local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end", { memory_bytes = 50e6 })
    assert.equal("memory", got.error.ending)
    assert.equal("", got.error.trace)
    assert.equal("Lua needs more memory than the limit of 48 MB", got.error.message)
  end)

  it("counts arrays too", function()
    local got = run.body("local a = eas.array(1e8)", { memory_bytes = 50e6 })
    assert.equal("memory", got.error.ending)
    assert.is_true(run.body("local a = eas.array(1e6)", { memory_bytes = 50e6 }).finished)
  end)
end)

describe("stack overflow", function()
  it("is an error like others", function()
    assert.truthy(message(run.body("local function f() return 1 + f() end f()")):find("stack overflow", 1, true))
  end)
end)
