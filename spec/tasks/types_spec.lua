-- The shipped task types and their quality checks: results, refusals, and that the checks catch what is wrong.
local T = require "spec.support"
local run = require "spec.tasks.run"

local judged = run.judged

describe("null", function()
  it("waits as long as it is told, and passes", function()
    local got, qc = judged("null", { description = { task = "null", duration = 0 } })
    assert.is_true(got.finished)
    assert.is_true(qc.verdict.pass)
  end)

  it("refuses nonsense", function()
    local got, qc = judged("null", { description = { task = "null", duration = -1 } })
    assert.truthy(got.error.message:find("duration is -1 s; it must be >= 0", 1, true))
    assert.is_false(qc.verdict.pass)
    got = run.type("null", { description = { task = "null", durration = 1 } })
    assert.truthy(got.error.message:find("null: unknown setting 'durration'; use duration", 1, true))
  end)
end)

describe("error", function()
  it("fails, and so does its check", function()
    local got, qc = judged("error", { description = { task = "error" } })
    assert.truthy(got.error.message:find("this task fails by design", 1, true))
    assert.truthy(got.error.trace:find("assert(false", 1, true))
    assert.is_false(qc.verdict.pass)
  end)
end)

describe("verify", function()
  local function inputs(path) return { inputs = { lightcurve = { path = path, filename = "a.txt" } } } end

  it("measures a fixed step", function()
    local got, qc = judged("verify", inputs(run.light_curve(500, { step = 600 })))
    local m = got.metadata
    assert.is_true(m.verification)
    assert.equal(0, m.verification_time_min)
    assert.truthy(math.abs(m.verification_time_max - 499 / 144) < 1e-9)
    assert.truthy(m.verification_flux_min < 1 and m.verification_flux_max > 1)
    assert.is_true(qc.verdict.pass)
  end)

  it("sees a missing sample", function()
    local path = run.light_curve(500, { step = 600 })
    local text, k = T.read(path), 0
    T.write(path, (text:gsub("[^\n]*\n", function(line) k = k + 1 return k == 100 and "" or line end)))
    local m = run.type("verify", inputs(path)).metadata
    assert.is_false(m.verification)
    assert.equal(1, m.errors)
    assert.equal(1, m.gaps)
  end)

  it("is refused by its check when most of it is not finite", function()
    local path = T.write(T.tmpdir() .. "/nan.txt", ("%d nan 0 1e-4\n"):rep(9):gsub("%%d", function() return "0" end))
    local lines = {}
    for k = 0, 99 do lines[#lines + 1] = ("%d %s 0 1e-4"):format(k * 600, k < 60 and "nan" or "1.0") end
    T.write(path, table.concat(lines, "\n") .. "\n")
    local got, qc = judged("verify", inputs(path))
    assert.equal(40, got.metadata.n_finite)
    assert.is_false(qc.verdict.pass)
    assert.truthy(qc.verdict.reason:find("finite is 40", 1, true))
  end)
end)

describe("synthesis_batman", function()
  local outputs = { lightcurve = { filename = "lc.fits" } }
  local function request(specs)
    return { description = { task = "synthesis_batman", specs = specs }, outputs = outputs }
  end

  it("makes what the prototype's wrapper makes", function()
    for _, case in ipairs {
      { { duration = 240, orbital_period = 50, semi_major_axis = 0.4, sampling_cadence = 900, mes_assume_noise = 3.15e-4 },
        95, 0.9734380735, 1902.336 },
      { { sampling_cadence = 600, impact_parameter = 0.5, mes_assume_noise = 3.15e-4 }, 154, 1.4342294308, 1797.4356 },
      { { duration = 90, orbital_period = 4.3, semi_major_axis = 0.05, planet_radius = 0.5, sampling_cadence = 600, impact_parameter = 1.02,
          mes_assume_noise = 3.15e-4 }, 97, 0.0296974677106, 46.89525 }, -- exact; the peer is 5e-6 off at grazing contact
    } do
      local got, qc = judged("synthesis_batman", request(case[1]))
      assert.is_true(got.finished, got.error and got.error.message)
      local m = got.metadata
      assert.equal(case[2], m.pixels_in_transit)
      assert.truthy(math.abs(m.integrated_transit_power / case[3] - 1) < 1e-6, m.integrated_transit_power)
      assert.truthy(math.abs(m.mes / case[4] - 1) < 1e-6, m.mes)
      assert.same(m, got.outputs.lightcurve.metadata)
      assert.is_true(qc.verdict.pass, qc.verdict.reason)
      assert.is_true(qc.products.lightcurve.pass)
    end
  end)

  it("makes the same bytes from the same seed", function()
    local specs = { duration = 5, noise = 1e-3, sampling_cadence = 600 }
    local function bytes(seed)
      local r = request(specs)
      r.seed = seed
      local got = run.type("synthesis_batman", r)
      return T.read(got.scratch .. "/out/" .. got.outputs.lightcurve.file)
    end
    local one = bytes(3)
    assert.equal(one, bytes(3))
    assert.are_not.equal(one, bytes(4))
  end)

  it("caps mes without noise, and is 0 without transits", function()
    local m = run.type("synthesis_batman", request { duration = 3, sampling_cadence = 600 }).metadata
    assert.equal(1e8, m.mes)
    m = run.type("synthesis_batman", request { duration = 3, sampling_cadence = 600, t0 = 100 }).metadata
    assert.equal(0, m.mes)
    assert.equal(0, m.pixels_in_transit)
  end)

  it("refuses specs that make no sense", function()
    for _, case in ipairs {
      { { planet_radus = 2 }, "specs: unknown setting 'planet_radus'; use planet_radius" },
      { { sampling_cadence = 0 }, "sampling_cadence and duration must be > 0" },
      { { noise = -1 }, "noise >= 0" },
      { { impact_parameter = 1e6 }, "outside of the orbit" },
      { { eccentricity = 1 }, "transit_model" },
    } do
      local got = run.type("synthesis_batman", request(case[1]))
      assert.truthy(got.error and got.error.message:find(case[2], 1, true), got.error and got.error.message)
    end
  end)

  it("takes several planets, eccentric orbits, laws of limb darkening and exposures", function()
    local specs = { duration = 30, sampling_cadence = 1800, noise = 1e-5, eccentricity = 0.2, omega = 40, supersample = 5,
                    semi_major_axis = 0.06, law = "linear", limb_darkening = { 0.5 }, impact_parameter = 0.3, t0 = 2,
                    planets = { { orbital_period = 5.1, planet_radius = 0.5 },
                                { orbital_period = 8.7, t0 = 3, orbital_angle = 0, semi_major_axis = 0.09 } } }
    local got, qc = judged("synthesis_batman", request(specs))
    assert.is_true(got.finished, got.error and got.error.message)
    local m = got.metadata
    assert.same({ 5.1, 2, 0.3, "ignored" }, { m.orbital_period, m.t0, m.impact_parameter, m.mutual_eclipses })
    assert.same({ 0.3, 0.2, 40 }, { m.planets[1].impact_parameter, m.planets[2].eccentricity, m.planets[2].omega })
    assert.is_nil(m.planets[2].impact_parameter)
    assert.truthy(m.mes > 100 and m.pixels_in_transit > 40)
    assert.is_true(qc.verdict.pass, qc.verdict.reason)
    for _, case in ipairs { { { planets = {} }, "planets is an empty list" }, { { planets = { 3 } }, "planet 1 is a number" },
      { { planets = { { duration = 3 } } }, "planet 1: unknown setting 'duration'" }, { { law = "cubic" }, "it takes quadratic" },
      { { planets = { { t0 = "x" } } }, "planet 1: t0 takes a number" }, { { supersample = 3, exposure_time = -1 }, "exposure" },
      { { omega = 10, eccentricity = 1.2 }, "eccentricity" } } do
      local bad = run.type("synthesis_batman", request(case[1]))
      assert.truthy(bad.error and bad.error.message:find(case[2], 1, true), bad.error and bad.error.message)
    end
  end)

  describe("quality check", function()
    local specs = { duration = 20, orbital_period = 4, semi_major_axis = 0.05, noise = 1e-4, sampling_cadence = 600 }
    local function refused(change, pattern)
      local _, qc = judged("synthesis_batman", request(specs), change)
      assert.is_false(qc.verdict.pass)
      assert.is_false(qc.products.lightcurve.pass)
      assert.truthy(qc.verdict.reason:find(pattern, 1, true), qc.verdict.reason)
    end

    it("catches what is not as asked for", function()
      refused(function(check) check.result.t0 = 2 end, "mean depth off the model")
      refused(function(check) check.result.orbital_period = 6 end, "pixels in transit")
      refused(function(check) check.result.duration = 25 end, "samples is 2880")
      refused(function(check) check.result.noise = 1e-5 end, "noise over expected")
      refused(function(check) check.result.planet_radius = 0.5 end, "pixels in transit")
      refused(function(check) check.result.sampling_cadence = 605 end, "samples is 2880")
    end)

    it("catches samples that are not finite", function()
      refused(function(check) check.made.lightcurve.path = run.light_curve(2880, { step = 600 }) end, "noise over expected")
    end)
  end)
end)

describe("transit_search_bls_reference", function()
  local function request(path, search, metadata)
    return { description = { task = "transit_search_bls_reference", search_settings = search, lc_duration = 30 }, threads = 2,
             inputs = { lightcurve = { path = path, filename = "a.txt", metadata = metadata } } }
  end
  local truth = { orbital_period = 3, t0 = 1, mes = 50 }

  it("finds a box, says so, and passes", function()
    local got, qc = judged("transit_search_bls_reference",
      request(run.light_curve(1440, { period = 3, t0 = 1, depth = 0.002 }), { period_min = 1 }, truth))
    local m = got.metadata
    assert.is_true(got.finished, got.error and got.error.message)
    assert.truthy(math.abs(m.period - 3) < 0.02)
    assert.equal("PASS", m.outcome)
    assert.equal(3, m.target_period)
    assert.equal(50, m.mes)
    assert.is_true(m.t0_match)
    assert.truthy(math.abs(m.depth - 0.002) < 5e-4)
    assert.truthy(m.sde > 6 and #m.vetting > 10 and m.credible ~= "fail")
    assert.is_true(qc.verdict.pass, qc.verdict.reason)
    assert.equal("pass", qc.checks.period.verdict)
  end)

  it("keeps the 3 % rule to the edge, and names aliases", function()
    local path = run.light_curve(1440, { period = 3, t0 = 1, depth = 0.002 })
    local function outcome(target)
      local m = run.type("transit_search_bls_reference", request(path, { period_min = 1 }, { orbital_period = target })).metadata
      return m.outcome, m.alias, m.period
    end
    local _, _, period = outcome(3)
    local high, low = 1.03 * period, 0.97 * period
    while high / period < 1.03 do high = high * (1 + 2 ^ -52) end
    while low / period > 0.97 do low = low * (1 - 2 ^ -53) end
    assert.equal("FAIL", (outcome(high)))
    assert.equal("PASS", (outcome(1.02999 * period)))
    assert.equal("FAIL", (outcome(low)))
    assert.equal("PASS", (outcome(0.97001 * period)))
    local verdict, alias = outcome(6)
    assert.same({ "FAIL", "1/2" }, { verdict, alias })
    assert.equal("UNDEFINED", (outcome(nil)))
  end)

  it("passes noise as a valid result that is not credible", function()
    local got, qc = judged("transit_search_bls_reference", request(run.light_curve(1440), { period_min = 1 }))
    assert.equal("UNDEFINED", got.metadata.outcome)
    assert.equal("fail", got.metadata.credible)
    assert.is_true(qc.verdict.pass, qc.verdict.reason)
    assert.equal("fail", qc.checks.credible.verdict)
  end)

  it("writes a periodogram when asked", function()
    local r = request(run.light_curve(720, { period = 3, t0 = 1 }), { period_min = 2 })
    r.outputs = { periodogram = { filename = "p.fits" } }
    local got, qc = judged("transit_search_bls_reference", r)
    assert.truthy(got.outputs.periodogram.metadata.sde)
    assert.is_true(qc.products.periodogram.pass)
    assert.equal(0, #T.read(got.scratch .. "/out/" .. got.outputs.periodogram.file) % 2880)
  end)

  it("refuses what it cannot search", function()
    for _, case in ipairs {
      { 3, {}, "the light curve has 3 usable points; a search needs 5" },
      { 100, { period_min = 0.1 }, "search_settings: period_min 0.1 d must be longer than duration_max, 0.2 d" },
      { 100, { period_max = 0.4 }, "search_settings: period_max 0.4 d is below period_min, 0.5 d" },
      { 100, { duration_min = 0 }, "search_settings: durations from 0 to 0.2 d; 0 < duration_min <= duration_max" },
      { 100, { period_mni = 1 }, "search_settings: unknown setting 'period_mni'; use period_min" },
      { 100, { compat = "pear" }, "compat is 'pear'; it takes peer, prototype" },
    } do
      local got = run.type("transit_search_bls_reference", request(run.light_curve(case[1]), case[2]))
      assert.truthy(got.error and got.error.message:find(case[3], 1, true), got.error and got.error.message)
    end
  end)

  it("has a check that catches results that cannot be", function()
    local path = run.light_curve(720, { period = 3, t0 = 1 })
    for _, case in ipairs { { "period", 0 / 0 }, { "period", 99 }, { "depth", 1.5 }, { "duration", 5 }, { "t0", -7 }, { "n_periods", 0 } } do
      local _, qc = judged("transit_search_bls_reference", request(path, { period_min = 2 }), function(check)
        check.result[case[1]] = case[2]
      end)
      assert.is_false(qc.verdict.pass, case[1])
    end
  end)
end)
