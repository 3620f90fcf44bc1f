-- The searches by qats, dst and exotrans as task types: what they find, and that their checks pass or catch it.
local T = require "spec.support"
local run = require "spec.tasks.run"

local judged = run.judged

local function request(name, path, settings, outputs)
  return { description = { task = name, search_settings = settings }, threads = 2, outputs = outputs,
           inputs = { lightcurve = { path = path, filename = "a.txt", metadata = { orbital_period = 5, t0 = 1 } } } }
end

for _, name in ipairs { "transit_search_qats", "transit_search_dst_v26", "transit_search_dst_v29", "transit_search_exotrans" } do
  describe(name, function()
    local planet = run.light_curve(1300, { period = 5, t0 = 1, depth = 0.002 })

    it("finds a planet, and passes", function()
      local got, qc = judged(name, request(name, planet, { period_min = 4, period_max = 6 }, { periodogram = { filename = "p.fits" } }))
      local m = got.metadata
      assert.is_true(got.finished, got.error and got.error.message)
      assert.truthy(math.abs(m.period - 5) < 0.03, m.period)
      assert.equal("PASS", m.outcome)
      assert.truthy(math.abs(m.depth / 0.002 - 1) < 0.3 and math.abs(m.duration - 0.12) < 0.06)
      assert.truthy(math.abs((m.t0 - 1 + 2.5) % 5 - 2.5) < 0.04, m.t0)
      assert.truthy(m.sde > 4 and #m.vetting > 10)
      assert.truthy(not m.transit_times or #m.transit_times == 5 or #m.transit_times == 6)
      assert.is_true(qc.verdict.pass, qc.verdict.reason)
      assert.equal(0, #T.read(got.scratch .. "/out/" .. got.outputs.periodogram.file) % 2880)
    end)

    it("is the same for 1, 2, 3 and 8 threads", function()
      local texts = {}
      for _, threads in ipairs { 1, 2, 3, 8 } do
        local r = request(name, planet, { period_min = 4, period_max = 6 })
        r.threads = threads
        texts[#texts + 1] = run.type(name, r).metadata_text
      end
      for i = 2, #texts do assert.equal(texts[1], texts[i]) end
    end)

    it("passes noise as a valid result without a credible candidate", function()
      local got, qc = judged(name, request(name, run.light_curve(1000), { period_min = 3 }))
      assert.is_true(qc.verdict.pass, qc.verdict.reason)
      assert.equal("fail", got.metadata.credible)
      assert.equal("FAIL", got.metadata.outcome)
    end)

    it("says what it cannot search", function()
      for _, case in ipairs {
        { 3, {}, "3 usable points" }, { 200, { period_min = 9, period_max = 8 }, "period_max 8 d is below period_min, 9 d" },
        { 200, { period_mni = 9 }, "unknown setting 'period_mni'; use period_min" },
      } do
        local got = run.type(name, request(name, run.light_curve(case[1]), case[2]))
        assert.truthy(got.error and got.error.message:find(case[3], 1, true), got.error and got.error.message)
      end
      local flat = T.tmpdir() .. "/flat.txt"
      local lines = {}
      for k = 1, 500 do lines[k] = ("%d 1 0 nan"):format(k * 1800) end
      local got, qc = judged(name, request(name, T.write(flat, table.concat(lines, "\n") .. "\n"), { period_min = 3 }))
      assert.truthy(got.error and got.error.message:find("the flux is constant", 1, true), got.error and got.error.message)
      assert.is_false(qc.verdict.pass)
    end)

    it("has a check that catches results that cannot be", function()
      for _, field in ipairs { "period", "depth", "t0" } do
        local _, qc = judged(name, request(name, planet, { period_min = 4.5, period_max = 6 }), function(check) check.result[field] = -1 end)
        assert.is_false(qc.verdict.pass, field)
      end
    end)
  end)
end
