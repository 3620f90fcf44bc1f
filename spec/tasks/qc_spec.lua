-- Quality checks: what is sent, and that nothing passes which was not judged.
local T = require "spec.support"
local run = require "spec.tasks.run"

local made = function()
  return { lightcurve = { path = run.light_curve(30), filename = "a.txt", size = 9, metadata = { mes = 3 } } }
end

describe("a verdict", function()
  it("is the handler's, with its reason", function()
    assert.same({ pass = true }, run.judge("return true").verdict)
    assert.same({ pass = false, reason = "too dim" }, run.judge("return false, 'too dim'").verdict)
    assert.same({ pass = false, reason = "failed its quality check" }, run.judge("return false").verdict)
    assert.same({ pass = false, reason = "failed its quality check" }, run.judge("return 1").verdict)
    assert.same({ pass = false, reason = "its quality check gave no verdict" }, run.judge("local x = attempt").verdict)
  end)

  it("never passes an attempt that did not end well", function()
    for _, ending in ipairs { "error", "crashed", "timeout", "cpu", "memory", "disk", "processes" } do
      local got = run.judge("attempt:pass('lightcurve') return true",
        { ending = ending, made = made(), error = { message = "SIGSEGV in power" } })
      assert.same({ pass = false, reason = ending .. ": SIGSEGV in power" }, got.verdict)
      assert.is_false(got.products.lightcurve.pass)
    end
  end)

  it("fails when a declared output was not made", function()
    local got = run.judge("return true", { outputs = { lightcurve = { filename = "a" } } })
    assert.same({ pass = false, reason = "output 'lightcurve' was not made" }, got.verdict)
  end)

  it("is none when the check itself fails", function()
    local got = run.judge("return attempt.metadata.x.y")
    assert.is_nil(got.verdict)
    assert.is_nil(got.finished)
    assert.truthy(got.error.message:find("attempt to index field 'x'", 1, true))
  end)
end)

describe("products", function()
  it("pass or fail by name", function()
    local got = run.judge("attempt:pass('lightcurve') return true", { made = made() })
    assert.same({ kind = "lightcurve", pass = true }, got.products.lightcurve)
    got = run.judge("attempt:fail('lightcurve', 'all NaN') return true", { made = made() })
    assert.same({ kind = "lightcurve", pass = false, reason = "all NaN" }, got.products.lightcurve)
    got = run.judge("attempt:pass_all(false, 'no') return true", { made = made() })
    assert.equal("no", got.products.lightcurve.reason)
  end)

  it("can be opened and read", function()
    local got = run.judge([[local o = attempt.outputs.lightcurve
      attempt:check { name = "n", value = o.lightcurve.n, verdict = "pass" }
      attempt:check { name = "mes", value = o.metadata.mes, verdict = "pass" } return true]], { made = made() })
    assert.equal(30, got.checks.n.value)
    assert.equal(3, got.checks.mes.value)
  end)

  it("that were not made cannot be judged", function()
    local got = run.judge("attempt:pass('other') return true", { made = made() })
    assert.truthy(got.error.message:find("attempt:pass: the attempt made no 'other'; it made: lightcurve", 1, true))
    local junk = { lightcurve = { path = T.write(T.tmpdir() .. "/j", "not\0a light curve"), filename = "j" } }
    got = run.judge("return attempt.outputs.lightcurve.lightcurve.n > 0", { made = junk })
    assert.truthy(got.error.message:find("output 'lightcurve'", 1, true))
  end)
end)

describe("checks", function()
  it("are recorded; only required ones decide", function()
    local got = run.judge([[attempt:check { name = "credible", value = 5.1, limit = 7, verdict = "fail" }
      attempt:require("n", 3 > 2, 3, "> 2")
      attempt:require("fill", false, 0.4, ">= 0.5", "warn")
      return #attempt.failed == 0]])
    assert.same({ name = "credible", value = 5.1, limit = 7, verdict = "fail" }, got.checks.credible)
    assert.equal("pass", got.checks.n.verdict)
    assert.equal("warn", got.checks.fill.verdict)
    assert.is_true(got.verdict.pass)
    got = run.judge("attempt:require('n', 0/0 > 2, 0/0, '> 2') return #attempt.failed == 0")
    assert.same({ pass = false, reason = "n is - (> 2)" }, got.verdict)
  end)

  it("have one of five verdicts", function()
    local got = run.judge("attempt:check { name = 'n', verdict = 'good' }")
    assert.truthy(got.error.message:find("check 'n': verdict is 'good'; it takes pass, warn, fail, skip, note", 1, true))
  end)
end)
