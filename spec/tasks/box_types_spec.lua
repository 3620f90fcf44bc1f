-- bls_kovacs, fbls and the hybrid as task types and as methods of eas search.
local T = require "spec.support"
local json = require "eas.json"
local run = require "spec.tasks.run"

local planet = run.light_curve(1440, { period = 3, t0 = 1, depth = 0.002 })

local function request(name, settings)
  return { description = { task = name, search_settings = settings }, threads = 2, metadata = {},
           inputs = { lightcurve = { path = planet, filename = "a.txt", metadata = { orbital_period = 3, t0 = 1 } } },
           outputs = { periodogram = { filename = "p.txt" } } }
end

describe("box searches", function()
  for _, case in ipairs { { "bls_kovacs", { period_min = 1 } }, { "fbls", { period_min = 1 } }, { "fbls", { period_min = 1, hybrid = true } },
                          { "bls_reference", { period_min = 1, hybrid = true } } } do
    it("find a planet as tasks that pass their check: " .. case[1] .. (case[2].hybrid and ", hybrid" or ""), function()
      local name = "transit_search_" .. case[1]
      local asked = request(name, case[2])
      local got = run.type(name, asked)
      assert.is_true(got.finished, got.error and got.error.message)
      assert.truthy(math.abs(got.metadata.period - 3) < 0.02)
      assert.equal("PASS", got.metadata.outcome)
      local o = got.outputs.periodogram
      local qc = run.type(name, { role = "qc", ending = "ok", result = got.metadata, inputs = asked.inputs, outputs = asked.outputs,
        description = asked.description, made = { periodogram = { path = got.scratch .. "/out/" .. o.file, filename = o.file, size = 1 } } })
      assert.is_true(qc.verdict.pass, qc.verdict.reason)
      assert.is_true(qc.products.periodogram.pass)
    end)
  end

  it("give the same numbers for 1, 2, 3 and 8 threads", function()
    local path = T.write(T.tmpdir() .. "/script.lua", [[
      local lc = require "eas.lc".read(...)
      local make = {
        function() local m = require "eas.native.bls_kovacs" return m.new(lc, m.grid(lc, {}), {}) end,
        function() return require("eas.native.fbls").new(lc, {}) end,
        function() return require("eas.native.bls_hybrid").new(lc, {}) end,
      }
      for k, new in ipairs(make) do
        local sums = {}
        for _, threads in ipairs { 1, 2, 3, 8 } do
          local search = new()
          for _ in search:run(threads) do end
          local sum, p, best = 0, search:periodogram(), search:best()
          for i = 0, p.n - 1 do sum = (sum + i * p.power[i] + p.depth[i] % 1) end
          sums[#sums + 1] = ("%.17g %.17g %.17g"):format(sum, best.period, best.t0)
        end
        print(k, sums[1] == sums[2] and sums[1] == sums[3] and sums[1] == sums[4], sums[1]:match "^nan" == nil)
      end
    ]])
    local got = T.eas { "lua", path, planet }
    assert.equal("", got.err)
    assert.equal("1\ttrue\ttrue\n2\ttrue\ttrue\n3\ttrue\ttrue\n", got.out)
  end)

  it("say what they refuse", function()
    for _, case in ipairs {
      { "bls_kovacs", "nb=1", "nb 1; a whole number" }, { "bls_kovacs", "qmax=0.001", "0 < qmin <= qmax" },
      { "bls_kovacs", "period_max=99", "longer than the light curve" }, { "fbls", "tau=0.2", "shorter than four bins" },
      { "fbls", "growth=0.5", "growth 0.5" }, { "fbls", "period_min=0.1", "must be longer than duration_max" },
      { "bls", "hybird=true", "use hybrid" } } do
      local got = T.eas { "search", planet, "--method", case[1], "--set", case[2] }
      assert.equal(2, got.status, got.out)
      assert.truthy(got.err:find(case[3], 1, true), got.err)
    end
  end)

  it("tell the kernels' processor time", function()
    local line = json.decode(T.eas({ "search", planet, "--method", "fbls", "--json" }).out)
    assert.equal("fbls", line.method)
    assert.truthy(line.cpu_seconds > 0 and line.cpu_seconds <= line.wall_seconds * 4)
    assert.truthy(line.result.dchi2 > 100 and line.result.depth_snr > 10)
  end)
end)
