-- Kernels over threads: the same bits, progress, and an end when the attempt is to stop.
local run = require "spec.tasks.run"

local function search(body, options, request)
  request = request or {}
  request.inputs = { lightcurve = { path = run.light_curve(4000, { period = 3, t0 = 1 }), filename = "a.txt" } }
  return run.text([[local eas = require "eas"
    local bls = require "eas.native.bls"
    return eas.task(function(task)
      local lc = task:input "lightcurve"
      ]] .. body .. "\nend)\n", request, options)
end

describe("a kernel's range", function()
  it("gives the same bits for any number of threads", function()
    local got = search [[local function powers(threads)
        local set = { period_min = 2 }
        local s = bls.new(lc, bls.period_grid(lc, set), set)
        for _ in s:run(threads) do end
        return s:periodogram().power
      end
      local one, wrong = powers(1), 0
      for _, threads in ipairs { 2, 3, 7 } do
        local many = powers(threads)
        for i = 0, #one - 1 do if one[i] ~= many[i] then wrong = wrong + 1 end end
      end
      task:set { wrong = wrong, n = #one }]]
    assert.is_true(got.finished, got.error and got.error.message)
    assert.equal(0, got.metadata.wrong)
    assert.truthy(got.metadata.n > 1000)
  end)

  it("counts up to its end", function()
    for threads = 1, 2 do
      local got = search(([[local set, last, steps = { period_min = 1 }, -1, 0
        local s = bls.new(lc, bls.period_grid(lc, set), set)
        for done, total in s:run(%d) do
          assert(done >= last and done <= total)
          last, steps = done, steps + 1
          task:progress(done, total)
        end
        task:set { last = last, n = s.n_periods, steps = steps }]]):format(threads))
      assert.is_true(got.finished, got.error and got.error.message)
      assert.equal(got.metadata.n, got.metadata.last)
      assert.same(got.done, got.total)
    end
  end)

  it("may be left early", function()
    local got = search [[for k = 1, 20 do
        local set = { period_min = 0.5 }
        local s = bls.new(lc, bls.period_grid(lc, set), set)
        for _ in s:run(k % 3 + 1) do break end
      end]]
    assert.is_true(got.finished, got.error and got.error.message)
  end)

  it("ends when the attempt is cancelled or out of time, in any number of threads", function()
    local forever = [[local set = { period_min = 0.5, frequency_factor = 0.3 }
      local s = bls.new(lc, bls.period_grid(lc, set), set)
      for done, total in s:run(task.threads) do end]]
    for threads = 1, 2 do
      local got = search(forever, { cancel = 400 }, { threads = threads })
      assert.equal("cancelled", got.error and got.error.ending)
      got = search(forever, { soft = 1500 }, { threads = threads })
      assert.equal("timeout", got.error and got.error.ending)
      assert.truthy(got.error.trace:find("tasks_lua/x.lua:7", 1, true), got.error.trace)
    end
  end)

  it("refuses what it must", function()
    local got = search "for _ in bls.new(lc, eas.array { 2, 3 }, {}):run(0) do end"
    assert.truthy(got.error.message:find("1 to 256 threads", 1, true))
    got = search "bls.new(lc, eas.array { 0.01 }, {})"
    assert.truthy(got.error.trace:find("tasks_lua/x.lua:5", 1, true), got.error.trace)
    assert.truthy(got.error.message:find("tasks_lua/x.lua:5", 1, true), got.error.message)
  end)
end)

describe("many light curves", function()
  it("do not pile up", function()
    local got = search [[local n = 0
      for k = 1, 200 do
        local c = eas.lightcurve(200000)
        n = n + c.n
      end
      local file = 0
      task:set { n = n }]]
    assert.is_true(got.finished)
    assert.equal(4e7, got.metadata.n)
  end)
end)
