-- The code blocks of docs/scripting.md and docs/kernels.md run as they stand.
local T = require "spec.support"
local run = require "spec.tasks.run"

local function blocks(file, language)
  local list = {}
  for body in T.read(T.root .. "/docs/" .. file):gmatch("```" .. language .. "\n(.-)```") do list[#list + 1] = body end
  return list
end

local curve = { lightcurve = { path = run.light_curve(2000, { period = 3, t0 = 1, depth = 0.02 }), filename = "a.txt" } }

describe("docs/scripting.md", function()
  local scripts = blocks("scripting.md", "lua")

  it("is short", function()
    local lines = select(2, T.read(T.root .. "/docs/scripting.md"):gsub("\n", ""))
    assert.truthy(lines <= 150, lines .. " lines")
    assert.equal(3, #scripts)
  end)

  it("shows a task that runs", function()
    local got = run.text(scripts[1], { inputs = curve })
    assert.is_true(got.finished, got.error and got.error.message)
    assert.truthy(got.metadata.dips > 30 and got.metadata.fraction < 0.1)
  end)

  it("shows a search that finds", function()
    local got = run.text(scripts[2], { inputs = curve, threads = 2 })
    assert.is_true(got.finished, got.error and got.error.message)
    assert.truthy(math.abs(got.metadata.period - 3) < 0.01)
  end)

  it("shows a quality check that judges", function()
    local request = { role = "qc", ending = "ok", result = { fraction = 0.1 } }
    assert.is_true(run.text(scripts[3], request).verdict.pass)
    request = { role = "qc", ending = "ok", result = { fraction = 2 } }
    assert.same({ pass = false, reason = "fraction is 2 (0 to 1)" }, run.text(scripts[3], request).verdict)
  end)

  it("names every method that there is", function()
    local text = T.read(T.root .. "/docs/scripting.md")
    for _, file in ipairs { "task", "qc", "lc" } do
      for name in T.read(T.root .. "/bindings/lua/eas/" .. file .. ".lua"):gmatch "\nfunction methods%.([%w_]+)" do
        assert.truthy(name == "write" or text:find("[:.]" .. name .. "%f[^%w_]"), name .. " is not in docs/scripting.md")
        assert.truthy(T.read(T.root .. "/bindings/lua/eas/types.d.lua"):find("[:.]" .. name .. "%("), name .. " has no type")
      end
    end
  end)
end)

describe("docs/kernels.md", function()
  it("shows a kernel that builds, binds and counts, for any number of threads", function()
    local c, lua = blocks("kernels.md", "c"), blocks("kernels.md", "lua")
    local pack = T.tmpdir()
    os.execute(("mkdir -p %s/native %s/tasks_lua"):format(T.quote(pack), T.quote(pack)))
    T.write(pack .. "/native/dip_count.h", c[1])
    T.write(pack .. "/native/dip_count.c", c[2])
    T.write(pack .. "/native/dip_count.lua", lua[1])
    local include = "-I" .. T.quote(T.root .. "/tasks_native")
    local built = T.sh(("cd %s/native && cc -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror %s -shared -fPIC -O2 -o dip_count.so dip_count.c"
      .. " && cc -E -P -DEAS_CDEF %s dip_count.h"):format(T.quote(pack), include, include))
    assert.equal(0, built.status, built.err)
    T.write(pack .. "/native/dip_count_cdef.lua", "return { cdef = [==[\n" .. built.out .. "]==] }\n")
    local body = [[local eas = require "eas"
      local dip_count = require "native.dip_count"
      return eas.task(function(task)
        local lc = task:input "lightcurve"
        local one = dip_count.count(lc, eas.linspace(0.97, 1.01, 500), 1)
        local four = dip_count.count(lc, eas.linspace(0.97, 1.01, 500), 4)
        for i = 0, 499 do assert(one[i] == four[i]) end
        task:set { first = one[0], last = one[499], n = lc.n }
        task:set { bad = select(2, pcall(dip_count.count, eas.lightcurve(1), eas.array(0))) }
      end)]]
    local script = T.write(pack .. "/tasks_lua/dips.lua", body)
    local got = run.request({ script = script, inputs = curve }, { packs = run.share .. ":" .. pack })
    assert.is_true(got.finished, got.error and got.error.message)
    assert.equal(0, got.metadata.first)
    assert.equal(got.metadata.n, got.metadata.last)
    assert.truthy(got.metadata.bad:find("dip_count: a setting or a size is outside of what the kernel takes", 1, true))
    assert.equal(64, #got.code["kernel dip_count"])
  end)
end)
