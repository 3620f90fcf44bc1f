-- resample: flux conserved, holes kept, the prototype's numbers.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "resample"

local function job_of(t, y, new, options)
  options = options or {}
  local m = #new
  local keep = { K.doubles(t), K.doubles(y), K.doubles(new), K.doubles(m), K.doubles(m), K.doubles(m), K.doubles(m),
                 ffi.new("uint32_t[?]", math.max(m, 1)), options.err and K.doubles(options.err),
                 options.flag and ffi.new("uint32_t[?]", #t, options.flag) }
  local job = ffi.new "eas_resample_job"
  job.n, job.time, job.flux, job.m, job.new_time = #t, keep[1], keep[2], m, keep[3]
  job.out_flux, job.out_err, job.out_flag_mean, job.out_covered, job.out_flag = keep[4], keep[5], keep[6], keep[7], keep[8]
  if options.err then job.flux_err = keep[9] end
  if options.flag then job.flag = keep[10] end
  job.set.compat = options.compat and 1 or 0
  job.set.step_in, job.set.step_out = options.step_in or 0, options.step_out or 0
  return job, keep
end

local function resample(t, y, new, options)
  local job, keep = job_of(t, y, new, options)
  assert.equal(K.OK, lib.eas_resample_check(job))
  K.run(lib, "resample", job, #new, options and options.parts)
  local m = #new
  return { flux = K.list(keep[4], m), err = K.list(keep[5], m), flag_mean = K.list(keep[6], m), covered = K.list(keep[7], m),
           flag = K.list(keep[8], m) }
end

local COMPAT = { compat = true }
local function is_nan(x) return x ~= x end

local function raster(n, step, start)
  local t = {}
  for i = 1, n do t[i] = (start or 0) + (i - 1) * step end
  return t
end

local function noise(n, seed)
  local y = {}
  for i = 1, n do y[i] = 1 + 0.01 * K.normal(seed or 1, i) end
  return y
end

describe("resample by hand", function()
  local t, y = { 0, 1, 2, 3, 4.5, 5 }, { 1, 2, 1, 1, 0.5, 1 }

  it("means over pixels", function()
    assert.same({ 1.5, 1.5, 1, 0.875 }, resample(t, y, { 0.5, 1.5, 2.5, 3.5 }, COMPAT).flux)
    assert.same({ 0, 1, 1.25, 0.75, 0.125 }, resample(t, y, { -2, 0, 2, 4, 6 }, COMPAT).flux)
  end)

  it("is a mean over what is covered, and NaN where that is too little", function()
    local r = resample(t, y, { -2, 0, 2, 4, 6 })
    assert.is_true(is_nan(r.flux[1]) and is_nan(r.flux[5]))
    assert.same({ 0, 4, 4 }, { r.flag[2], r.flag[1], r.flag[5] })
    K.near(1 / 0.75, r.flux[2], 1e-15) -- from -0.5 to 1: 1 for a day, 2 for half of one
    assert.same({ 0, 0.75, 1, 1, 0.125 }, r.covered)
  end)

  it("falls where the raster falls", function()
    local up, down = resample(t, y, { 0.5, 1.5, 2.5, 3.5 }), resample(t, y, { 3.5, 2.5, 1.5, 0.5 })
    for i = 1, 4 do assert.equal(up.flux[i], down.flux[5 - i]) end
  end)
end)

describe("resample", function()
  it("has the prototype's numbers", function()
    for _, case in ipairs(K.json("resample_golden.json").cases) do
      local r = resample(case.t, case.flux, case.new_t, { compat = true, err = case.uncertainty, flag = case.flags })
      for i = 1, #case.new_t do
        assert.is_true(math.abs(r.flux[i] - case.out_flux[i]) < 1e-11, case.name)
        assert.is_true(math.abs(r.err[i] - case.out_uncertainty[i]) < 1e-11, case.name)
        assert.is_true(math.abs(r.flag_mean[i] - case.out_flag_resampled_properly[i]) < 1e-11, case.name)
      end
    end
  end)

  it("conserves flux", function()
    local t, y = raster(500, 0.02), noise(500)
    local new = raster(99, 0.1, 0.05)
    local sum = 0
    for _, v in ipairs(resample(t, y, new).flux) do sum = sum + v * 0.1 end
    local want = 0 -- input pixels from 0 to 9.9, the first and last of them cut
    for i, v in ipairs(y) do
      want = want + v * math.max(0, math.min(t[i] + 0.01, 9.9) - math.max(t[i] - 0.01, 0))
    end
    K.near(want, sum, 1e-12)
  end)

  it("is the identity on its own raster, to the bit", function()
    local t, y = raster(300, 0.0208333), noise(300)
    assert.same(y, resample(t, y, t).flux)
    table.remove(t, 100)
    table.remove(y, 100)
    assert.same(y, resample(t, y, t, { step_in = 0.0208333, step_out = 0.0208333 }).flux)
  end)

  it("keeps a constant", function()
    local t, y = raster(100, 0.3), {}
    for i = 1, 100 do y[i] = 0.7 end
    for _, v in ipairs(resample(t, y, raster(57, 0.41, 1)).flux) do K.near(0.7, v, 1e-14) end
  end)

  it("keeps every bit however the range is cut", function()
    local t, y, new = raster(400, 0.02), noise(400), raster(333, 0.0237)
    local whole = resample(t, y, new)
    for _, parts in ipairs { 2, 3, 8 } do assert.same(whole.flux, resample(t, y, new, { parts = parts }).flux) end
  end)

  it("adds errors in quadrature", function()
    local t, y, err = raster(40, 0.1), noise(40), {}
    for i = 1, 40 do err[i] = 0.2 end
    local r = resample(t, y, raster(9, 0.4, 0.35), { err = err })
    for i = 1, 9 do K.near(0.2 / 2, r.err[i], 1e-12) end -- four samples each
    assert.is_true(is_nan(resample(t, y, raster(9, 0.4, 0.35)).err[1]))
  end)

  it("leaves gaps open", function()
    local t, y = raster(100, 0.1), {}
    for i = 1, 100 do
      y[i] = i
      if i > 50 then t[i] = t[i] + 3 end
    end
    local new = raster(120, 0.1)
    local r = resample(t, y, new, { step_in = 0.1 })
    for i, time in ipairs(new) do
      local inside = time > 4.96 and time < 7.94
      assert.equal(inside, is_nan(r.flux[i]), "time " .. time)
    end
    assert.is_false(is_nan(resample(t, y, new).flux[60]))
  end)

  it("leaves bad samples out", function()
    local t, y, flag = raster(40, 0.1), noise(40), {}
    for i = 1, 40 do flag[i] = 0 end
    y[10], y[21], flag[21], flag[30] = K.nan, 50, 1, 2
    local r = resample(t, y, t, { flag = flag })
    assert.is_true(is_nan(r.flux[10]) and is_nan(r.flux[21]))
    assert.same({ 4, 4, 2, 0 }, { r.flag[10], r.flag[21], r.flag[30], r.flag[31] })
    assert.equal(y[11], r.flux[11])
  end)

  it("takes one output pixel if its width is known", function()
    K.near(1.5, resample({ 0, 1, 2, 3 }, { 1, 2, 1, 2 }, { 1.5 }, { step_out = 2 }).flux[1], 1e-15)
  end)
end)

describe("resample refuses", function()
  local t, y, new = { 0, 1, 2, 3 }, { 1, 1, 1, 1 }, { 0, 1 }
  local function code(a, b, c, options) return lib.eas_resample_check((job_of(a, b, c, options))) end

  it("too few points", function()
    assert.equal(K.EFEW, code({ 0, 1, 2 }, { 1, 1, 1 }, new, COMPAT))
    assert.equal(K.OK, code({ 0, 1, 2 }, { 1, 1, 1 }, new))
    assert.equal(K.EFEW, code({ 0 }, { 1 }, new))
    assert.equal(K.EFEW, code({}, {}, new))
    assert.equal(K.EFEW, code(t, y, { 1 }))
    assert.equal(K.EFEW, code(t, y, {}))
  end)

  it("rasters that are not strictly ordered", function()
    assert.equal(K.EDATA, code({ 0, 1, 1, 3 }, y, new))
    assert.equal(K.EDATA, code({ 3, 2, 1, 0 }, y, new))
    assert.equal(K.EDATA, code({ 0, K.nan, 2, 3 }, y, new))
    assert.equal(K.EDATA, code(t, y, { 0, 1, 1 }))
    assert.equal(K.EDATA, code(t, y, { 0, K.inf }))
  end)

  it("steps that are none", function()
    for _, bad in ipairs { -1, K.nan, K.inf } do
      assert.equal(K.EARG, code(t, y, new, { step_in = bad }))
      assert.equal(K.EARG, code(t, y, new, { step_out = bad }))
    end
  end)
end)
