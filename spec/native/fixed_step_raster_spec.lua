-- fixed_step: light curves on an even raster: nothing moves by more than half a step, nothing is lost.
local ffi = require "ffi"
local K = require "spec.native.kernel"
local lib = require("spec.support").kernel "fixed_step"

local function raster(t, y, interval, compat)
  local r = ffi.new "eas_fixed_step_raster"
  local keep = { K.doubles(t), K.doubles(y) }
  r.n, r.time, r.flux, r.interval, r.compat = #t, keep[1], keep[2], interval, compat and 1 or 0
  local code = lib.eas_fixed_step_raster_plan(r)
  if code ~= K.OK then return nil, code end
  keep[3] = K.doubles(tonumber(r.m))
  r.out = keep[3]
  assert.equal(K.OK, lib.eas_fixed_step_raster_fill(r))
  return r, K.list(r.out, tonumber(r.m)), keep
end

describe("an even raster", function()
  it("is the samples of an even light curve, gaps left empty", function()
    local t, y = {}, {}
    for i = 0, 99 do
      if i ~= 40 and i ~= 41 then t[#t + 1], y[#y + 1] = 100 + i * 0.02, i end
    end
    local r, out = raster(t, y, 0.02)
    assert.equal(100, #out)
    assert.equal(2, tonumber(r.filled))
    assert.equal(0, tonumber(r.shared))
    K.near(0.02, r.step, 1e-12)
    K.near(100, r.start, 1e-12)
    for i = 0, 99 do
      if i == 40 or i == 41 then assert.is_true(out[i + 1] ~= out[i + 1]) else assert.equal(i, out[i + 1]) end
    end
  end)

  it("keeps a year of barycentric times, each within half a step", function()
    local t, y, step = {}, {}, 1765.46 / 86400
    for i = 0, 17869 do
      t[i + 1] = i * step + 400 / 86400 * math.sin(2 * math.pi * i * step / 365.25) -- the way to the Sun's centre
      y[i + 1] = i
    end
    local r, out = raster(t, y, 1765 / 86400)
    assert.equal(#t, #out)
    assert.equal(0, tonumber(r.filled))
    assert.is_true(r.offset_most <= 0.5 * r.step)
    for i, v in ipairs(out) do assert.equal(i - 1, v) end
  end)

  it("averages samples that share a point, and moves none by more than half a step", function()
    local t, y = {}, {}
    for i = 0, 199 do t[i + 1], y[i + 1] = i * 0.02 + 0.004 * (2 * K.uniform(4, i) - 1), 1 end
    t[#t + 1], y[#y + 1] = t[#t] + 0.0005, 3
    local r, out = raster(t, y, 0.02)
    assert.equal(1, tonumber(r.shared))
    assert.equal(2, out[#out])
    assert.is_true(r.offset_most <= 0.5 * r.step * (1 + 1e-9))
    assert.equal(#t, #out - tonumber(r.filled) + tonumber(r.shared))
  end)

  it("is the prototype's where asked: the last point missing, 1e-4 day of tolerance", function()
    local t, y = {}, {}
    for i = 0, 49 do t[i + 1], y[i + 1] = i * 0.02 + (i == 20 and 2e-4 or i == 30 and 5e-5 or 0), i end
    local r, out = raster(t, y, 0.02, true)
    assert.equal(49, #out)
    assert.equal(1, tonumber(r.filled))
    assert.is_true(out[21] ~= out[21])
    assert.equal(30, out[31])
  end)

  it("is refused where it cannot be", function()
    local function code(...) return (select(2, raster(...))) end
    assert.equal(K.EFEW, code({}, {}, 1))
    assert.equal(K.EFEW, code({ 1 }, { 1 }, 1))
    assert.equal(K.EARG, code({ 1, 2 }, { 1, 1 }, 0))
    assert.equal(K.EARG, code({ 1, 2 }, { 1, 1 }, K.nan))
    assert.equal(K.EARG, code({ 1, 2 }, { 1, 1 }, K.inf))
    assert.equal(K.EDATA, code({ 2, 1 }, { 1, 1 }, 1))
    assert.equal(K.EDATA, code({ 1, 1 }, { 1, 1 }, 1))
    assert.equal(K.EDATA, code({ 1, K.nan }, { 1, 1 }, 1))
    assert.equal(K.EDATA, code({ 1, 2 }, { 1, K.inf }, 1))
    assert.equal(K.EGRID, code({ 0, 1e-3, 1e9 }, { 1, 1, 1 }, 1e-3))
  end)
end)
