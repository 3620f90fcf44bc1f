-- bls_kovacs: by hand, against the authors' program, invariances, the fast paths against the definition, bad input.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "bls_kovacs"

local FAST, REFERENCE, FOLD, EDGES, STEPS = 0, 1, 2, 3, 4

local function new(t, y, set)
  local s = { t = K.doubles(t), y = K.doubles(y), f = K.doubles(set.frequencies), n = #set.frequencies }
  s.out = ffi.new("eas_bls_kovacs_peak[?]", math.max(s.n, 1))
  local job = ffi.new "eas_bls_kovacs_job"
  job.n, job.n_frequency, job.time, job.flux, job.frequency, job.out = #t, s.n, s.t, s.y, s.f, s.out
  job.flux_zero = set.zero or 0
  job.set.bins, job.set.fraction_min, job.set.fraction_max = set.nb or 10, set.qmin or 0.05, set.qmax or 0.2
  job.set.sign, job.set.path = set.dips and 1 or 0, set.path or REFERENCE
  s.job = job
  return s
end

local function search(t, y, set)
  local s = new(t, y, set)
  assert(lib.eas_bls_kovacs_check(s.job) == K.OK, "refused")
  if s.job.set.path ~= REFERENCE then
    s.plan = K.scratch(lib.eas_bls_kovacs_plan_size(s.job))
    s.job.plan = s.plan
    assert(lib.eas_bls_kovacs_prepare(s.job) == K.OK)
  end
  K.run(lib, "bls_kovacs", s.job, s.n, set.parts)
  return s.out, s
end

local function frequencies(first, step, n)
  local out = {}
  for i = 0, n - 1 do out[i + 1] = first + i * step end
  return out
end

-- Trials whose power is off by more than `relative`, or (0) that differ in anything.
local function differing(a, b, n, relative)
  local off = 0
  for i = 0, n - 1 do
    local same = math.abs(a[i].power - b[i].power) <= relative * a[i].power
    if relative == 0 then same = same and a[i].first == b[i].first and a[i].last == b[i].last end
    off = off + (same and 0 or 1)
  end
  return off
end

local function median(list)
  local sorted = {}
  for i, v in ipairs(list) do sorted[i] = v end
  table.sort(sorted)
  local n = #sorted
  return n % 2 == 1 and sorted[(n + 1) / 2] or (sorted[n / 2] + sorted[n / 2 + 1]) / 2
end

describe("bls_kovacs", function()
  it("finds a box by hand", function()
    local t, y = {}, {} -- five cycles of five samples; each has one dip, in the second bin
    for i = 0, 24 do t[i + 1], y[i + 1] = i, i % 5 == 1 and 0.9 or 1 end
    local got = search(t, y, { frequencies = { 0.2 + 1e-12 }, nb = 5, qmin = 0.2, qmax = 0.4, dips = true })[0]
    K.near(0.1, got.depth, 1e-12)
    K.near(0.1 * math.sqrt(5 * 20) / 25, got.power, 1e-12)
    assert.same({ 2, 2, 0.2 }, { got.first, got.last, got.fraction })
    for _, list in ipairs { t, y } do for i = 21, 25 do list[i] = nil end end
    got = search(t, y, { frequencies = { 0.2 + 1e-12 }, nb = 5, qmin = 0.2, qmax = 0.4, dips = true })[0]
    assert.is_true(got.depth < 0.06 and got.last ~= got.first) -- four dips: a box of less than five samples does not count
  end)

  it("counts brightenings only where asked", function()
    local t, y = K.box_curve { n = 900, step = 0.02, period = 2.7, t0 = 0.6, duration = 0.3, depth = -2e-3, noise = 5e-4, seed = 7 }
    local both = search(t, y, { frequencies = { 1 / 2.7 } })[0]
    assert.is_true(both.depth < -1e-3)
    local dips = search(t, y, { frequencies = { 1 / 2.7 }, dips = true })[0]
    assert.is_true(dips.depth > 0 and dips.power < both.power)
    local exact = search(t, y, { frequencies = frequencies(0.1, 0.01, 90), dips = true })
    assert.equal(0, differing(exact, search(t, y, { frequencies = frequencies(0.1, 0.01, 90), dips = true, path = FOLD }), 90, 0))
  end)

  it("has the authors' numbers on the golden light curve", function()
    local t, y = K.g1()
    local span, zero = t[#t] - t[1], median(y)
    local first, step = 1 / (span / 2), 2 * 0.05 / 30 ^ 2
    local f = frequencies(first, step, 17399)
    assert.equal(17399, math.floor((2 - first) / step))
    local spectrum = ffi.new "eas_bls_kovacs_spectrum"
    local out = search(t, y, { frequencies = f, zero = zero, path = FAST })
    assert.equal(K.OK, lib.eas_bls_kovacs_spectrum_of(out, #f, spectrum))
    assert.equal(3568, tonumber(spectrum.index))
    K.near(5.744308893748, spectrum.sde, 1e-9)
    local best = out[3568]
    K.near(2.1592370529100013, 1 / f[3569], 1e-13)
    K.near(1.1184502012489e-4, best.power, 1e-10)
    K.near(3.71672354404e-4, best.depth, 1e-10)
    K.near(0.100694444, best.fraction, 1e-8)
    assert.same({ 8, 8 }, { best.first, best.last })
    for i, power in pairs { [0] = 2.29059986432e-5, [1000] = 2.75983632287e-5, [10000] = 4.59469783659e-5 } do
      K.near(power, out[i].power, 1e-10)
    end
    f = frequencies(1 / 12, 5e-4, 4000)
    out = search(t, y, { frequencies = f, zero = zero, nb = 200, qmin = 0.01, qmax = 0.1, path = FAST })
    assert.equal(K.OK, lib.eas_bls_kovacs_spectrum_of(out, #f, spectrum))
    assert.equal(299, tonumber(spectrum.index))
    best = out[299]
    for _, pair in ipairs { { 1.834556255249e-4, best.power }, { 9.92561246849e-4, best.depth }, { 6.73548201658e-5, out[1000].power },
                            { 5.78062712410e-5, out[0].power }, { 10.024587475809, spectrum.sde } } do
      K.near(pair[1], pair[2], 1e-9)
    end
    assert.same({ 77, 83 }, { best.first, best.last })
  end)

  it("agrees with the authors' program on small cases", function()
    local cases = K.json("unit_golden.json").eebls
    for _, case in ipairs(cases) do
      local out = search(case.t, case.x or case.y, { frequencies = frequencies(case.fmin, case.df, case.nf), nb = case.nb,
        qmin = case.qmi, qmax = case.qma, path = FAST })
      for i, power in ipairs(case.power) do K.near(power, out[i - 1].power, 1e-10, "trial " .. i) end
      local spectrum = ffi.new "eas_bls_kovacs_spectrum"
      lib.eas_bls_kovacs_spectrum_of(out, case.nf, spectrum)
      local best = out[tonumber(spectrum.last)]
      assert.same({ case.in1, case.in2 }, { best.first, best.last })
      K.near(case.depth, best.depth, 1e-9)
      K.near(case.qtran, best.fraction, 1e-9)
    end
    assert.is_true(#cases > 0)
  end)

  for _, key in ipairs { "p01", "p06", "r04" } do
    it("agrees with their whole periodogram of " .. key, function()
      local golden
      for _, row in ipairs(K.json "golden.json") do
        if row.kernel == "bls_kovacs" and row.lc:sub(1, 3) == key then golden = row end
      end
      local lc, peer = K.table("lightcurves/" .. golden.lc), K.table("periodograms/" .. key .. "_bls_kovacs.txt.gz")
      local out = search(lc[1], lc[2], { frequencies = peer[1], zero = median(lc[2]), path = FAST })
      local off = 0
      for i, power in ipairs(peer[2]) do off = off + (math.abs(out[i - 1].power - power) > 1e-10 * power and 1 or 0) end
      assert.equal(0, off)
      assert.equal(golden.result.n_periods, #peer[2])
    end)
  end
end)

describe("bls_kovacs keeps", function()
  local t, y = K.box_curve { n = 900, step = 1 / 64, period = 2.7, t0 = 0.6, duration = 0.12, depth = 2e-3, noise = 5e-4, seed = 7 }
  local f = frequencies(0.15, 0.013, 120)
  local function run(more, times, fluxes)
    local set = { frequencies = f, nb = 50, qmin = 0.02, qmax = 0.1, path = FAST }
    for k, v in pairs(more or {}) do set[k] = v end
    return search(times or t, fluxes or y, set)
  end
  local before = run()

  it("power when the flux moves, and k times as much when it is scaled", function()
    local moved, scaled = {}, {}
    for i, v in ipairs(y) do moved[i], scaled[i] = v + 3, 8 * v end
    assert.equal(0, differing(before, run(nil, nil, moved), #f, 1e-9))
    local big = run(nil, nil, scaled)
    for i = 0, #f - 1 do K.near(8 * before[i].power, big[i].power, 1e-12) end
  end)

  it("power when time moves", function()
    local moved = {}
    for i, v in ipairs(t) do moved[i] = v + 1024 end
    assert.equal(0, differing(before, run(nil, moved), #f, 1e-9))
  end)

  it("every bit however the range is cut and at every SIMD level, on every path", function()
    for _, path in ipairs { FAST, FOLD, EDGES, STEPS } do
      local set = { path = path, frequencies = path == STEPS and frequencies(0.15, 1e-3, #f) or f }
      local one, s = run(set)
      assert.equal(path == FAST and EDGES or path, lib.eas_bls_kovacs_path(s.job))
      for _, parts in ipairs { 2, 3, 8, #f } do
        set.parts = parts
        assert.equal(0, differing(one, run(set), #f, 0))
      end
      for _, level in ipairs { "sse2", "avx2", "avx512" } do
        K.at_level(level, function() assert.equal(0, differing(one, run(set), #f, 0)) end)
      end
    end
  end)

  it("its numbers on every path: uniform, with gaps, jittered, clustered, with few and many bins", function()
    local ran = {}
    for seed = 1, K.asan and 16 or 48 do
      local u = function(k) return K.uniform(seed + 500, k) end
      local times, fluxes = K.box_curve { n = 200 + math.floor(1500 * u(1)), step = 0.003 + 0.03 * u(2), noise = 1e-3, seed = seed }
      for i = #times, 1, -1 do
        if seed % 3 > 0 and i % 97 > 97 * u(3) and #times > 60 then
          table.remove(times, i)
          table.remove(fluxes, i)
        elseif seed % 4 == 1 then times[i] = times[i] + 0.0025 * K.uniform(seed, i)
        elseif seed % 16 == 2 and i % 9 == 0 then times[i] = times[i] - 0.00299999 end
      end
      local span, trials = times[#times] - times[1], {}
      for k = 1, 15 do trials[k] = (1 + (0.3 * #times - 1) * u(10 + k) ^ 3) / span end
      local set = { frequencies = trials, nb = ({ 5, 10, 64, 200, 2500 })[seed % 5 + 1], qmin = 0.01, qmax = 0.3 }
      local exact = search(times, fluxes, set)
      set.path = EDGES
      local edges, s = search(times, fluxes, set)
      assert.equal(0, differing(exact, edges, #trials, 1e-10), "seed " .. seed)
      ran[lib.eas_bls_kovacs_path(s.job)] = true
      set.path = FOLD
      assert.equal(0, differing(exact, search(times, fluxes, set), #trials, 0), "seed " .. seed)
    end
    assert.is_true(ran[EDGES] and ran[FOLD])
  end)

  it("its numbers from trial to trial of an even grid", function()
    for seed = 1, 24 do
      local u = function(k) return K.uniform(seed + 700, k) end
      local times, fluxes = K.box_curve { n = 6 + math.floor(900 * u(1)), step = 0.003 + 0.03 * u(2), noise = 1e-3, seed = seed }
      for i, v in ipairs(times) do times[i] = v + (seed % 2) * 0.0025 * K.uniform(seed, i) end
      local nb, span, n = ({ 5, 10, 64, 333 })[seed % 4 + 1], times[#times] - times[1], seed % 3 == 0 and 70 or 400
      local set = { frequencies = frequencies((1 + 9 * u(3)) / span, (0.02 + 0.8 * u(4)) / nb / span, n), nb = nb, qmin = 0.01, qmax = 0.3 }
      local exact = search(times, fluxes, set)
      set.path, set.parts = STEPS, seed % 5 + 1
      local steps, s = search(times, fluxes, set)
      assert.equal(STEPS, lib.eas_bls_kovacs_path(s.job))
      assert.equal(0, differing(exact, steps, n, 1e-10), "seed " .. seed)
    end
  end)

  it("trials where samples cross an edge just then to the definition", function()
    local times, fluxes = {}, {}
    for i = 1, 500 do times[i], fluxes[i] = (i - 1) * 0.03125, 1 + 1e-3 * K.normal(8, i) end
    local trials = frequencies(0.1, 0.0015625, 300) -- sample 320 crosses one every other trial, others with it
    local exact = search(times, fluxes, { frequencies = trials })
    assert.equal(0, differing(exact, search(times, fluxes, { frequencies = trials, path = STEPS }), #trials, 1e-10))
  end)

  it("to other paths what is no even grid, or too wide a one", function()
    local uneven = frequencies(0.15, 1e-3, 50)
    uneven[20] = uneven[20] + 1e-9
    for _, trials in ipairs { uneven, frequencies(0.15, 0.01, 50), frequencies(0.5, -1e-3, 50), { 0.15 } } do
      local got, s = run { path = STEPS, frequencies = trials }
      assert.is_true(lib.eas_bls_kovacs_path(s.job) ~= STEPS)
      assert.equal(0, differing(run { path = REFERENCE, frequencies = trials }, got, #trials, 1e-10))
    end
  end)

  it("trials whose edges fall on samples to the definition", function()
    local times, fluxes, trials = {}, {}, {}
    for i = 1, 2000 do times[i], fluxes[i] = (i - 1) * 0.01, 1 + 1e-3 * K.normal(8, i) end
    for i = 1, 40 do trials[i] = 0.05 * (i + 1) end
    local exact = search(times, fluxes, { frequencies = trials })
    assert.equal(0, differing(exact, search(times, fluxes, { frequencies = trials, path = FAST }), 40, 0))
  end)

  it("working with more bins than the authors' program takes, and where nothing varies", function()
    local many = search(t, y, { frequencies = { 1 / 2.7 }, nb = 20000, qmin = 0.02, qmax = 0.1 })[0]
    K.near(2e-3, many.depth, 0.2)
    for _, path in ipairs { REFERENCE, FOLD, EDGES, STEPS } do
      local flat = {}
      for i = 1, #t do flat[i] = 1 end
      local got = run({ path = path }, nil, flat)
      for i = 0, #f - 1 do assert.equal(0, got[i].power) end
      assert.equal(K.NONE, lib.eas_bls_kovacs_spectrum_of(got, #f, ffi.new "eas_bls_kovacs_spectrum"))
    end
  end)
end)

describe("bls_kovacs refuses", function()
  local t, y = K.box_curve { n = 50, step = 0.1, noise = 1e-3, seed = 1 }
  local function check(change, times, fluxes)
    local s = new(times or t, fluxes or y, { frequencies = { 0.5, 1 } })
    if change then change(s.job, s) end
    return lib.eas_bls_kovacs_check(s.job)
  end

  it("too few samples, and what is not finite or not in order", function()
    assert.equal(K.OK, check())
    for n = 0, 4 do assert.equal(K.EFEW, check(nil, { unpack(t, 1, n) }, { unpack(y, 1, n) })) end
    for _, bad in ipairs { K.nan, K.inf, t[6], t[5] } do
      local times = { unpack(t) }
      times[7] = bad
      assert.equal(K.EDATA, check(nil, times))
    end
    local fluxes = { unpack(y) }
    fluxes[50] = K.nan
    assert.equal(K.EDATA, check(nil, t, fluxes))
  end)

  it("frequencies and settings outside of their range", function()
    for _, bad in ipairs { 0, -1, 0.1, K.nan, K.inf, 1e12 } do
      assert.equal(K.EARG, check(function(_, s) s.f[1] = bad end))
    end
    for name, values in pairs { bins = { 0, 1, 100001 }, fraction_min = { 0, -1, K.nan, 0.3 }, fraction_max = { 0.01, 0.95, K.nan },
                                sign = { 2 }, path = { -1, 5 } } do
      for _, value in ipairs(values) do
        assert.equal(K.EARG, check(function(job) job.set[name] = value end), name)
      end
    end
    assert.equal(K.EGRID, check(function(job) job.n_frequency = 0 end))
  end)
end)
