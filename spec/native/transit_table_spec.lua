-- transit_model with a plan: tables of the flux and of the orbit, against quadrature sample for sample.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "transit_model"

local LAWS = { { 0, 0, 0 }, { 1, 0.6, 0 }, { 2, 0.1, 0.3 }, { 2, 0.4804, 0.1867 }, { 2, 1, 0 }, { 2, 0.25, 0.75 }, { 2, -0.2, 0.9 } }

-- A job over n samples from lo to hi; its deficits, tabulated or not.
local function job_of(n, lo, hi, set)
  local job, times, out = ffi.new "eas_transit_model_job", K.doubles(K.linspace(lo, hi, n)), K.doubles(n)
  local to, law = job.set, set.law or LAWS[3]
  job.n, job.time, job.deficit = n, times, out
  to.t0, to.period, to.radius_ratio, to.axis = set.t0 or 0, set.period or 10, set.p, set.a or 20
  to.inclination, to.eccentricity, to.omega = set.inc or 89.9, set.e or 0, set.w or 90
  to.law, to.u1, to.u2, to.supersample, to.exposure = law[1], law[2], law[3], set.supersample or 1, set.exposure or 0
  return job, out, { times, out }
end

local function prepare(job)
  local plan = K.scratch(lib.eas_transit_model_plan_size(job))
  ffi.fill(plan, lib.eas_transit_model_plan_size(job), 0xFF) -- not a number, wherever it is not written
  job.plan = plan
  assert.equal(K.OK, lib.eas_transit_model_prepare(job))
  return plan, lib.eas_transit_model_tabulated(job) == 1
end

-- Largest difference between both ways around a transit, and whether there was a table.
local function compare(set)
  local n, half = 801, (set.period or 10) / 6.28 * math.asin(math.min(1, (1 + math.abs(set.p)) / (set.a or 20) / (1 - (set.e or 0)))) * 1.1
  local job, out, keep = job_of(n, -half, half, set)
  assert.equal(K.OK, lib.eas_transit_model_check(job))
  K.run(lib, "transit_model", job, n)
  local exact = K.list(out, n)
  local plan, tabulated = prepare(job)
  K.run(lib, "transit_model", job, n)
  local worst = 0
  for i = 1, n do
    local off = math.abs(out[i - 1] - exact[i])
    worst = off <= worst and worst or off
    assert.equal(exact[i] == 0, out[i - 1] == 0) -- the same samples are in transit
  end
  return worst, tabulated, keep, plan
end

describe("the table", function()
  it("gives the flux of quadrature to 1e-10 of the depth, for planets of all sizes and all laws", function()
    for _, p in ipairs { 2e-4, 1e-3, 0.0055, 0.0062, 0.0092, 0.03, 0.1, 0.3, 0.49, 0.5, 0.51, 0.7, 1.3, 3 } do
      for _, law in ipairs(LAWS) do
        local worst = compare { p = p, law = law }
        assert.is_true(worst <= 1e-10 * math.min(p * p, 1), ("p %g u %g %g: %g"):format(p, law[2], law[3], worst))
      end
    end
  end)

  it("holds for grazing transits and along any orbit", function()
    for _, inc in ipairs { 90, 88, 87.2, 87, 86.9, 86.86, 80 } do
      local worst, tabulated = compare { p = 0.1, inc = inc }
      assert.is_true(tabulated and worst <= 1e-12, inc .. ": " .. worst)
    end
    for _, case in ipairs { { 0.05, 10 }, { 0.3, 35 }, { 0.3, -120 }, { 0.6, 200 }, { 0.8, 270 }, { 0.9, 80 } } do
      local worst, tabulated = compare { p = 0.1, e = case[1], w = case[2], inc = 89 }
      assert.is_true(tabulated and worst <= 1e-12, case[1] .. ": " .. worst)
    end
  end)

  it("is taken for sizes that occur, and left out where it does not fit", function()
    for _, p in ipairs { 0.0092, 0.03, 0.1, 0.2, -0.1 } do assert.is_true(select(2, compare { p = p })) end
    assert.is_false(select(2, compare { p = 0 }))
    assert.is_false(select(2, compare { p = 1 }))
    assert.is_false(select(2, compare { p = 0.1, a = 1.05 })) -- the orbit is inside of the star's reach
    assert.is_false(select(2, compare { p = 0.1, a = 5, e = 0.9 }))
  end)

  it("brightens for a negative radius", function()
    local a, b = job_of(3, -0.01, 0.01, { p = 0.1 }), job_of(3, -0.01, 0.01, { p = -0.1 })
    local one, two = prepare(a), prepare(b)
    K.run(lib, "transit_model", a, 3)
    K.run(lib, "transit_model", b, 3)
    for i = 0, 2 do assert.equal(-a.deficit[i], b.deficit[i]) end
    assert.truthy(one and two)
  end)
end)

describe("instructions", function()
  it("of every level give the same to the last bits of the star's flux", function()
    local function at(level, set)
      local job, out, keep, plan, got
      K.at_level(level, function()
        job, out, keep = job_of(1500, -1, 1, set)
        plan = prepare(job)
        K.run(lib, "transit_model", job, 1500)
        got = K.list(out, 1500)
      end)
      assert.truthy(keep and plan)
      return got
    end
    for _, set in ipairs { { p = 0.1 }, { p = 0.0092, e = 0.4, w = 60 }, { p = 0.2, supersample = 5, exposure = 0.02 } } do
      local plain = at("sse2", set)
      for _, level in ipairs { "avx2", "avx512" } do
        local got = at(level, set)
        for i = 1, #plain do assert.is_true(math.abs(got[i] - plain[i]) < 1e-14) end
      end
    end
  end)
end)

describe("times", function()
  it("as a start and a step, or one by one in any order, give the same", function()
    local set = { p = 0.1, period = 3.7, t0 = 1.3 }
    local n = 20000
    local job, out, keep = job_of(n, 0, 1, set)
    local plan = prepare(job)
    job.time, job.start, job.step = nil, -11, 0.0017
    K.run(lib, "transit_model", job, n)
    local stepped = K.list(out, n)
    for i = 0, n - 1 do keep[1][i] = -11 + (n - 1 - i) * 0.0017 end
    job.time = keep[1]
    K.run(lib, "transit_model", job, n, 7)
    local in_transit = 0
    for i = 0, n - 1 do
      assert.equal(stepped[n - i], out[i])
      if out[i] ~= 0 then in_transit = in_transit + 1 end
    end
    assert.is_true(in_transit > 300 and in_transit < 2000, in_transit)
    assert.truthy(plan)
  end)

  it("of a step of zero or backwards are no trouble", function()
    for _, step in ipairs { 0, -0.001 } do
      local job, out, keep = job_of(1000, 0, 1, { p = 0.1 })
      local plan = prepare(job)
      job.time, job.start, job.step = nil, 0.01, step
      K.run(lib, "transit_model", job, 1000)
      assert.is_true(out[0] > 0.005 and out[1] > 0.005)
      assert.truthy(keep and plan)
    end
  end)
end)
