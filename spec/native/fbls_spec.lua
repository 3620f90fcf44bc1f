-- fbls: the folding by hand, the fast path against the definition, a brute-force fold, the golden light curve, bad input.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "fbls"

local REFERENCE, TENTHS = 1, K.linspace(0.05, 0.2, 10)

local function new(t, y, set)
  local s = { t = K.doubles(t), y = K.doubles(y), d = K.doubles(set.durations or TENTHS), ivar = set.ivar and K.doubles(set.ivar) }
  local job = ffi.new "eas_fbls_job"
  job.n, job.time, job.flux, job.ivar = #t, s.t, s.y, s.ivar
  local to = job.set
  to.period_min, to.period_max = set.period_min or 0.5, set.period_max or (t[#t] - t[1]) / 2
  to.tau, to.growth, to.growth_power = set.tau or t[2] - t[1], set.growth or 1, 3
  to.duration, to.n_duration, to.fraction_max = s.d, #(set.durations or TENTHS), set.fraction_max or 0.5
  to.objective, to.sign, to.path = set.objective or 0, set.sign or 0, set.path or 0
  to.stride = set.stride or 1
  s.job = job
  return s
end

local function search(t, y, set)
  local s = new(t, y, set or {})
  assert(lib.eas_fbls_check(s.job) == K.OK, "refused")
  lib.eas_fbls_count(s.job)
  s.plan = K.scratch(lib.eas_fbls_plan_size(s.job))
  s.job.plan = s.plan
  assert(lib.eas_fbls_prepare(s.job) == K.OK)
  s.n = tonumber(s.job.n_trial)
  s.out = ffi.new("eas_fbls_peak[?]", s.n)
  s.job.out = s.out
  K.run(lib, "fbls", s.job, tonumber(s.job.n_block), set and set.parts)
  return s.out, s
end

local function copy(set, more)
  local out = {}
  for k, v in pairs(set) do out[k] = v end
  for k, v in pairs(more) do out[k] = v end
  return out
end

local FIELDS = { "period", "power", "depth", "duration", "t0", "step" }
local function differing(a, b, n)
  local off = 0
  for i = 0, n - 1 do
    for _, f in ipairs(FIELDS) do
      if a[i][f] ~= b[i][f] and (a[i][f] == a[i][f] or b[i][f] == b[i][f]) then off = off + 1 break end
    end
  end
  return off
end

local function strongest(out, n)
  local spectrum = ffi.new "eas_fbls_spectrum"
  assert.equal(K.OK, lib.eas_fbls_spectrum_of(out, n, spectrum))
  return out[tonumber(spectrum.index)], spectrum
end

local function fold(rows, m, p)
  local size = m * p
  local from = type(rows) == "table" and ffi.new("float[?]", size + 32, rows) or rows
  local out, tmp = ffi.new("float[?]", size + 32), ffi.new("float[?]", size + 32)
  lib.eas_fbls_fold(from, m, p, out, tmp)
  return out
end

describe("fbls folds", function()
  it("two and three rows by hand", function()
    local out = fold({ 1, 2, 3, 10, 20, 30 }, 2, 3)
    assert.same({ 11, 22, 33, 21, 32, 13 }, K.list(out, 6))
    out = fold({ 1, 0, 0, 0, 0, 10, 0, 0, 0, 0, 100, 0, 0, 0, 0 }, 3, 5)
    assert.same({ 111, 0, 0, 0, 0 }, K.list(out, 5))
    for s = 0, 2 do
      local sum = 0
      for i = 0, 4 do sum = sum + out[5 * s + i] end
      assert.equal(111, sum)
    end
  end)

  it("a unit sample along a line, nearly, and keeps the sum of every row", function()
    for _, case in ipairs { { 64, 1.05 }, { 100, 2.5 }, { 256, 1.3 }, { 365, 2.55 } } do
      local m, p, worst = case[1], 37, 0
      for r = 0, m - 1, 7 do
        local rows = ffi.new("float[?]", m * p + 32)
        rows[r * p + 20] = 1
        local out = fold(rows, m, p)
        for s = 0, m - 1, 3 do
          local at, sum = nil, 0
          for i = 0, p - 1 do
            sum = sum + out[s * p + i]
            if out[s * p + i] == 1 then at = i end
          end
          assert.equal(1, sum)
          local off = (20 - at - r * s / (m - 1) + p / 2) % p - p / 2
          worst = math.max(worst, math.abs(off))
        end
      end
      assert.is_true(worst <= case[2], ("m %d: %.3f bins"):format(m, worst))
    end
  end)

  it("constant rows to their number", function()
    local rows = ffi.new("float[?]", 23 * 11 + 32)
    for i = 0, 23 * 11 - 1 do rows[i] = 3 end
    local out = fold(rows, 23, 11)
    for i = 0, 23 * 11 - 1 do assert.equal(69, out[i]) end
  end)
end)

describe("fbls", function()
  local t, y = K.box_curve { n = 1440, step = 1 / 48, period = 3.1, t0 = 1.3, duration = 0.15, depth = 8e-4, noise = 3e-4, seed = 5 }
  local gap_t, gap_y, ivar = {}, {}, {}
  for i = 1, #t do
    if i % 400 < 330 then
      gap_t[#gap_t + 1], gap_y[#gap_y + 1], ivar[#ivar + 1] = t[i], y[i], 1e10 * (1 + K.uniform(5, i))
    end
  end

  it("does as its definition, with and without gaps, weights, widening bins, brightenings", function()
    for _, case in ipairs { {}, { objective = 1 }, { sign = 1 }, { growth = 1.1 }, { durations = { 0.08, 0.02, 0.4 }, period_min = 1 },
                            { period_max = 29 }, { gaps = true }, { gaps = true, ivar = ivar }, { gaps = true, ivar = ivar, objective = 1 },
                            { gaps = true, sign = 1, growth = 1.2 }, { stride = 2 },
                            { gaps = true, stride = 3 } } do
      case.period_max = case.period_max or K.asan and 2.5 or 8
      local a, b = case.gaps and gap_t or t, case.gaps and gap_y or y
      local exact, s = search(a, b, copy(case, { path = REFERENCE }))
      for _, level in ipairs { "sse2", "avx2", "avx512" } do
        K.at_level(level, function()
          local fast, off, ties = search(a, b, case), 0, 0
          for i = 0, s.n - 1 do
            assert.equal(exact[i].period, fast[i].period)
            if math.abs(fast[i].power - exact[i].power) > 1e-5 * exact[i].power then off = off + 1
            elseif fast[i].t0 ~= exact[i].t0 or fast[i].duration ~= exact[i].duration then ties = ties + 1
            else K.near(exact[i].depth, fast[i].depth, 1e-4) end
          end
          -- the last, partly filled bin of widened ones counts as full where the box is chosen
          assert.is_true(off <= (case.growth and not case.gaps and 0.005 or 0) * s.n, off .. " of " .. s.n)
          assert.is_true(ties <= 0.01 * s.n)
        end)
      end
    end
  end)

  it("gives every bit again however the range is cut and at every SIMD level", function()
    for _, case in ipairs { { growth = 1.1 }, { gaps = true, growth = 1.1, ivar = ivar } } do
      local a, b = case.gaps and gap_t or t, case.gaps and gap_y or y
      local one, s = search(a, b, case)
      for _, parts in ipairs { 2, 3, 8 } do assert.equal(0, differing(one, search(a, b, copy(case, { parts = parts })), s.n)) end
      for _, level in ipairs { "sse2", "avx2", "avx512" } do
        K.at_level(level, function() assert.equal(0, differing(one, search(a, b, case), s.n)) end)
      end
    end
  end)

  it("finds the planet of the golden light curve", function()
    local gt, gy = K.g1()
    for _, growth in ipairs { 1, 1.1 } do
      local out, s = search(gt, gy, { growth = growth })
      local best, spectrum = strongest(out, s.n)
      assert.is_true(math.abs(best.period - 4.3) < 0.0043)
      assert.is_true(math.abs((best.t0 - 1.7 + 2.15) % 4.3 - 2.15) < 0.02)
      assert.is_true(math.abs(best.duration - 0.15) < 2.01 / 144 * (growth > 1 and 2.1 or 1))
      assert.is_true(math.abs(best.depth - 1.04e-3) < 6e-5)
      assert.is_true(spectrum.sde > 6)
    end
  end)

  it("is near a brute-force fold of the same bins at its periods", function()
    local out, s = search(t, y, { period_max = 8 })
    local mean, best, worst = 0, strongest(out, s.n), 1
    for _, v in ipairs(y) do mean = mean + v / #y end
    for i = 0, s.n - 1 do
      if out[i].power > 0.5 * best.power then -- those that matter
        local bins, power = math.ceil(out[i].period * 48), 0
        local sum, count = {}, {}
        for k = 0, bins - 1 do sum[k], count[k] = 0, 0 end
        for k, v in ipairs(y) do
          local b = math.floor((t[k] - t[1]) % out[i].period * 48 + 1e-9) % bins
          sum[b], count[b] = sum[b] + v - mean, count[b] + 1
        end
        for width = 2, 10 do
          for start = 0, bins - 1 do
            local a, w = 0, 0
            for k = start, start + width - 1 do a, w = a + sum[k % bins], w + count[k % bins] end
            if a < 0 then power = math.max(power, a * a / (w * (1 - w / #y))) end
          end
        end
        worst = math.min(worst, out[i].power / power)
      end
    end
    assert.is_true(worst > 0.75, "down to " .. worst)
  end)

  it("has a trial within one bin of drift of any period", function()
    for _, growth in ipairs { 1, 1.1 } do
      local out, s = search(t, y, { growth = growth, period_max = 14 })
      local span, periods = t[#t] - t[1], {}
      for i = 0, s.n - 1 do periods[i + 1] = out[i].period end
      table.sort(periods)
      for k = 1, 1000 do
        local period = 0.5 * 28 ^ K.uniform(77, k)
        local low, high = 1, #periods
        while high - low > 1 do
          local middle = math.floor((low + high) / 2)
          if periods[middle] > period then high = middle else low = middle end
        end
        local near = math.min(math.abs(periods[low] - period), math.abs(periods[high] - period))
        local tau = growth == 1 and 1 / 48 or 1 / 48 * (period / 0.5) ^ (1 / 3) * 1.001
        assert.is_true(near * span / period <= tau, ("%.6f d: %.6f off"):format(period, near))
      end
    end
  end)

  it("keeps power when the flux moves, k^2 times as much when it is scaled, the same with twice the weight", function()
    local one, s = search(gap_t, gap_y, { ivar = ivar })
    local moved, scaled, twice = {}, {}, {}
    for i, v in ipairs(gap_y) do moved[i], scaled[i], twice[i] = v + 3, 1024 * v, 2 * ivar[i] end
    local a, b, c = search(gap_t, moved, { ivar = ivar }), search(gap_t, scaled, { ivar = ivar }), search(gap_t, gap_y, { ivar = twice })
    for i = 0, s.n - 1 do
      K.near(one[i].power, a[i].power, 1e-4)
      K.near(one[i].power * 2 ^ 20, b[i].power, 1e-5)
      K.near(one[i].power * 2, c[i].power, 1e-5)
    end
  end)

  it("takes fluxes and weights of any size", function()
    for _, scale in ipairs { 1e-30, 1e30 } do
      local fluxes, weights = {}, {}
      for i, v in ipairs(gap_y) do fluxes[i], weights[i] = v * scale, ivar[i] * scale end
      local out, s = search(gap_t, fluxes, { ivar = weights })
      assert.is_true(math.abs(strongest(out, s.n).period - 3.1) < 0.01)
    end
  end)

  it("has nothing where nothing varies", function()
    local flat = {}
    for i = 1, #t do flat[i] = 1 end
    local out, s = search(t, flat, {})
    for i = 0, s.n - 1 do assert.equal(0, out[i].power) end
    assert.equal(K.NONE, lib.eas_fbls_spectrum_of(out, s.n, ffi.new "eas_fbls_spectrum"))
  end)
end)

describe("fbls refuses", function()
  local t, y = K.box_curve { n = 50, step = 0.1, noise = 1e-3, seed = 1 }
  local function check(change, times, fluxes)
    local s = new(times or t, fluxes or y, { period_min = 0.6, durations = { 0.1 }, tau = 0.1, period_max = 2 })
    if change then change(s.job, s) end
    return lib.eas_fbls_check(s.job)
  end

  it("too few samples, and what is not finite or not in order", function()
    assert.equal(K.OK, check())
    for n = 0, 2 do assert.equal(K.EFEW, check(nil, { unpack(t, 1, n) }, { unpack(y, 1, n) })) end
    for _, bad in ipairs { K.nan, K.inf, t[6], t[5] } do
      local times = { unpack(t) }
      times[7] = bad
      assert.equal(K.EDATA, check(nil, times))
    end
    for _, bad in ipairs { K.nan, -K.inf } do
      local fluxes = { unpack(y) }
      fluxes[50] = bad
      assert.equal(K.EDATA, check(nil, t, fluxes))
    end
    local weights = K.doubles(50)
    assert.equal(K.EDATA, check(function(job) job.ivar = weights end))
  end)

  it("settings outside of their range, and what is mostly gap", function()
    for name, values in pairs { period_min = { 0.3, 0, K.nan, 3 }, period_max = { 0.1, 51, K.nan, K.inf }, tau = { 0, -1, K.nan, 1e-9, 0.2 },
                                growth = { 0.9, 11, K.nan }, growth_power = { 0.5, 11 }, fraction_max = { 0, 0.6, K.nan },
                                objective = { 2, -1 }, sign = { 2 }, path = { 2 }, stride = { 0, 17 } } do
      for _, value in ipairs(values) do
        assert.equal(K.EARG, check(function(job) job.set[name] = value end), name .. " " .. value)
      end
    end
    assert.equal(K.EARG, check(function(job) job.set.n_duration = 0 end))
    assert.equal(K.EARG, check(function(job) job.set.n_duration = 65 end))
    assert.equal(K.EARG, check(function(_, s) s.d[0] = -1 end))
    local times = { unpack(t) }
    times[50] = 1e6
    assert.equal(K.EARG, check(nil, times))
  end)
end)
