-- fixed_step: step, errors, gaps, noise.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "fixed_step"

local DAY = 86400

local function job_of(t, y, options)
  options = options or {}
  local job = ffi.new "eas_fixed_step_job"
  local keep = { K.doubles(t), K.doubles(y), ffi.new "eas_fixed_step_report[1]",
                 options.flag and ffi.new("uint32_t[?]", #t, options.flag) }
  job.n, job.time, job.flux, job.out, job.flag = #t, keep[1], keep[2], keep[3], keep[4]
  job.set.compat = options.compat and 1 or 0
  return job, keep
end

local function report(t, y, options)
  local job, keep = job_of(t, y, options)
  assert.equal(K.OK, lib.eas_fixed_step_check(job))
  K.run(lib, "fixed_step", job, 1)
  return keep[3][0]
end

local function raster(n, step, change)
  local t, y = {}, {}
  for i = 1, n do t[i], y[i] = (i - 1) * step, 1 end
  if change then change(t, y) end
  return t, y
end

local function is_nan(x) return x ~= x end

describe("fixed_step", function()
  it("finds the step of k * 25 s without an error", function()
    for _, compat in ipairs { true, false } do
      local r = report(raster(1000, 25 / DAY, nil), raster(1000, 25 / DAY, nil), { compat = compat })
      assert.equal(25 / DAY, r.interval)
      assert.equal(0, r.errors)
      assert.equal(1, r.fixed)
      assert.equal(compat and 999 or 1000, r.n_ideal)
      assert.equal(0, r.gaps)
      K.near(1, r.fill_factor, 1e-12)
    end
  end)

  it("counts a missing sample as one error and one gap", function()
    for _, compat in ipairs { true, false } do
      local t, y = raster(1000, 25 / DAY, function(t, y) table.remove(t, 500) table.remove(y, 500) end)
      local r = report(t, y, { compat = compat })
      assert.equal(1, r.errors)
      assert.equal(0, r.fixed)
      assert.equal(1, r.gaps)
      K.near(50 / DAY, r.gap_longest, 1e-9)
      K.near(25 / DAY, r.gap_total, 1e-9)
      K.near(998 / 999, r.fill_factor, 1e-9)
    end
  end)

  it("forgives a jitter of 5 s, and the prototype's rule no 9 s", function()
    local function moved(by)
      return raster(1000, 25 / DAY, function(t) for i = 100, 900, 100 do t[i] = t[i] + by / DAY end end)
    end
    assert.equal(0, report(moved(5), moved(5), { compat = true }).errors)
    assert.equal(9, report(moved(9), moved(9), { compat = true }).errors)
    assert.equal(0, report(moved(5), moved(5)).errors)
    assert.equal(9, report(moved(7), moved(7)).errors) -- over a quarter of a step
  end)

  it("takes cadences that are no whole seconds", function()
    for _, step in ipairs { 12.5, 6.25, 0.5, 58.84876, 1765.4638 } do
      local t, y = raster(60000, step / DAY)
      local r = report(t, y)
      K.near(step, r.interval * DAY, 1e-3)
      assert.equal(0, r.errors, "step " .. step)
    end
  end)

  it("has the prototype's verdicts", function()
    for _, case in ipairs(K.json("resample_golden.json").regrid) do
      local r = report(case.t, case.flux, { compat = true })
      assert.equal(case.sampling_interval, r.interval)
      assert.equal(case.check_fixed_step, r.errors)
      assert.equal(#case.fixed_flux, r.n_ideal)
    end
  end)

  it("does not mind where time begins", function()
    local t, y = raster(500, 600 / DAY, function(t, y) for i, v in ipairs(t) do t[i], y[i] = v + 2458325.3, i % 3 end end)
    local r = report(t, y)
    assert.equal(0, r.errors)
    assert.equal(2458325.3, r.time_min)
    assert.equal(0, r.flux_min)
    assert.equal(2, r.flux_max)
  end)

  it("measures white noise, and the mean over hours", function()
    local t, y = K.box_curve { n = 20000, step = 300 / DAY, noise = 1e-3, seed = 4 }
    for i, time in ipairs(t) do y[i] = y[i] + 0.01 * math.sin(time / 5) end -- slow change is no noise
    local r = report(t, y)
    K.near(1e-3, r.noise, 0.03)
    K.near(1e-3 / math.sqrt(12), r.noise_1h, 0.08)
  end)

  it("has no hourly noise where samples are farther apart", function()
    local t, y = K.box_curve { n = 200, step = 0.1, noise = 1e-3, seed = 4 }
    local r = report(t, y)
    assert.is_true(is_nan(r.noise_1h))
    K.near(1e-3, r.noise, 0.3)
  end)

  it("counts what is bad and leaves it out", function()
    local t, y = raster(100, 0.02)
    y[5], y[6], t[50], t[60] = K.nan, K.inf, K.nan, t[59]
    local flag = {}
    for i = 1, 100 do flag[i] = i % 10 == 0 and 2 or 0 end
    local r = report(t, y, { flag = flag })
    assert.same({ 100, 97, 10, 1 }, { r.n, r.n_finite, r.n_flagged, r.n_duplicate })
    assert.same({ 0, 99 * 0.02, 1, 1 }, { r.time_min, r.time_max, r.flux_min, r.flux_max })
    assert.equal(4, r.errors)
  end)
end)

describe("fixed_step survives", function()
  it("0 to 4 samples", function()
    for n = 0, 3 do
      local r = report(raster(n, 0.1), raster(n, 0.1))
      assert.is_true(is_nan(r.interval) and is_nan(r.noise) and is_nan(r.errors))
      assert.equal(0, r.fixed)
      assert.equal(n, r.n)
    end
    local r = report(raster(4, 0.1), raster(4, 0.1))
    assert.equal(1, r.fixed)
    assert.equal(0, r.duration - 0.1 * 3)
  end)

  it("nothing but NaN", function()
    local nan = {}
    for i = 1, 20 do nan[i] = K.nan end
    local r = report(nan, nan)
    assert.is_true(is_nan(r.time_min) and is_nan(r.flux_max) and is_nan(r.duration))
    assert.same({ 20, 0, 0 }, { r.n, r.n_finite, r.fixed })
  end)

  it("samples too close, and a giant gap", function()
    local t = {}
    for i = 1, 100 do t[i] = i * 1e-12 end
    assert.is_true(is_nan(report(t, t).interval))
    t[100] = 1e12
    assert.is_true(is_nan(report(t, t).interval))
    local far, y = raster(100, 0.01, function(list) list[100] = 1e9 end)
    local r = report(far, y)
    assert.equal(1, r.gaps)
    assert.equal(0, r.fixed)
  end)

  it("every order of equal numbers", function()
    local t, y = raster(1000, 0.02)
    for i = 1, 1000 do y[i] = i * i % 7 end
    assert.is_true(report(t, y).noise > 0)
    for i = 1, 1000 do y[i] = 5 end
    assert.equal(0, report(t, y).noise)
  end)
end)

describe("fixed_step refuses", function()
  it("times that go back", function()
    local t, y = raster(10, 0.1, function(t) t[5] = 0.2 end)
    assert.equal(K.EDATA, lib.eas_fixed_step_check((job_of(t, y))))
  end)

  it("no place for the report", function()
    local job = job_of(raster(10, 0.1), raster(10, 0.1))
    job.out = nil
    assert.equal(K.EARG, lib.eas_fixed_step_check(job))
  end)
end)
