-- bls: the box search against hand cases, invariances and masks; the fast paths against the definition; bad input.
local ffi = require "ffi"
local K = require "spec.native.kernel"
local B = require "spec.native.bls"
local lib, new, search, grid, same = B.lib, B.new, B.search, B.grid, B.same
local SNR, FULL, PEER, FAST, REFERENCE, FOLD, TENTHS = B.SNR, B.FULL, B.PEER, B.FAST, B.REFERENCE, B.FOLD, B.TENTHS

describe("bls by hand", function()
  -- Eight samples a day apart, period 4, bins of half a day: the dips are at phases 1 of both cycles.
  local t, y = { 0, 1, 2, 3, 4, 5, 6, 7 }, { 1, 0.9, 1, 1, 1, 0.9, 1, 1 }
  local set = { periods = { 4 }, durations = { 1 }, oversample = 2 }

  it("finds the box of two samples", function()
    local best = search(t, y, set)[0]
    K.near(0.1, best.depth, 1e-14)
    K.near(0.5 * 2 * 0.1 ^ 2, best.power, 1e-13)
    K.near(math.sqrt(1 / 2 + 1 / 6), best.depth_err, 1e-15)
    assert.equal(1, best.duration)
    assert.equal(1, best.t0) -- the first of the windows that hold phase 1 begins at 0.5
  end)

  it("counts a sample of weight 2 twice", function()
    local weighted = search(t, y, { periods = { 4 }, durations = { 1 }, oversample = 2,
                                    ivar = { 1, 2, 1, 1, 1, 2, 1, 1 } })[0]
    K.near(0.5 * 4 * 0.1 ^ 2, weighted.log_likelihood, 1e-13)
  end)

  it("maximises depth over error where asked", function()
    local best = search(t, y, { periods = { 4 }, durations = { 1 }, oversample = 2, objective = SNR })[0]
    K.near(0.1 / math.sqrt(1 / 2 + 1 / 6), best.power, 1e-13)
    K.near(0.01, best.log_likelihood, 1e-13)
  end)

  it("finds a transit across the fold only if all phases are tried", function()
    local times, split = {}, {} -- dips at phases 3, 3.5, 0 and 0.5 of 4
    for i = 0, 15 do times[i + 1], split[i + 1] = i / 2, (i % 8 < 2 or i % 8 >= 6) and 0.9 or 1 end
    local wide = { periods = { 4 }, durations = { 0.5, 2 }, oversample = 1 }
    local full = search(times, split, wide)[0]
    wide.wrap = PEER
    local peer = search(times, split, wide)[0]
    K.near(0.1, full.depth, 1e-14)
    assert.equal(0, full.t0)
    assert.is_true(peer.power < full.power * 0.9)
  end)
end)

describe("bls keeps", function()
  local t, y = K.box_curve { n = 900, step = 0.02, period = 2.7, t0 = 0.6, duration = 0.12, depth = 2e-3, noise = 5e-4,
                             seed = 7, start = 100 }
  local periods = K.linspace(0.6, 6, 61)
  local base = { periods = periods, durations = { 0.1, 0.06, 0.2 } }
  local before = search(t, y, base)

  local function mapped(list, f)
    local out = {}
    for i, v in ipairs(list) do out[i] = f(v, i) end
    return out
  end

  local function compare(after, tolerance, factor)
    for i = 0, #periods - 1 do K.near(before[i].power * (factor or 1), after[i].power, tolerance, "trial " .. i) end
  end

  it("power when the flux moves", function() compare(search(t, mapped(y, function(v) return v + 3 end), base), 1e-9) end)

  it("power times k^2 when the flux is scaled", function()
    compare(search(t, mapped(y, function(v) return 8 * v end), base), 1e-12, 64)
  end)

  it("power and phase when time moves", function()
    local after = search(mapped(t, function(v) return v - 100 end), y, base)
    compare(after, 1e-9)
    for i = 0, #periods - 1 do assert.is_true(math.abs(after[i].t0 + 100 - before[i].t0) < 1e-9) end
  end)

  it("power when all times are scaled", function()
    local double = function(v) return 2 * v end
    compare(search(mapped(t, double), y, { periods = mapped(periods, double), durations = mapped(base.durations, double) }), 0)
  end)

  it("twice the likelihood with twice the weight", function()
    compare(search(t, y, { periods = periods, durations = base.durations, ivar = mapped(y, function() return 2 end) }), 1e-12, 2)
  end)

  it("every bit however the range is cut", function()
    for _, path in ipairs { REFERENCE, FOLD, FAST } do
      local one = search(t, y, { periods = periods, durations = base.durations, path = path })
      for _, parts in ipairs { 2, 3, 8 } do
        same(one, search(t, y, { periods = periods, durations = base.durations, path = path, parts = parts }), #periods)
      end
    end
  end)

  it("its input as it was", function()
    local _, s = search(t, y, { periods = periods, durations = base.durations, path = FAST })
    for i, v in ipairs(y) do assert.equal(v, s.y[i - 1]) end
  end)
end)

describe("bls recovers", function()
  -- Masks made directly from time give the same likelihood as the bins: periods and phases on the grid of bins.
  it("the likelihood of masks", function()
    local t, y = K.box_curve { n = 800, step = 0.0313, noise = 1e-3, seed = 11 }
    for i = #t, 1, -1 do -- blocks are missing
      if i % 100 > 70 then
        table.remove(t, i)
        table.remove(y, i)
      end
    end
    for trial = 1, 50 do
      local bins = 30 + trial
      local period, width = bins * 0.05, 2 + trial % 7
      local out, s = search(t, y, { periods = { period }, durations = { width * 0.05 }, oversample = width })
      local zero, most = s.job.flux_zero, -1
      for start = 0, bins - 1 do
        local n, sum, all = 0, 0, 0
        for i, time in ipairs(t) do
          local k = math.floor((time - t[1]) % period / 0.05)
          local inside = (k - start) % bins < width
          if inside then n, sum = n + 1, sum + y[i] - zero end
          all = all + y[i] - zero
        end
        if n > 0 and n < #t then
          local depth = (all - sum) / (#t - n) - sum / n
          if depth >= 0 then most = math.max(most, 0.5 * n * depth ^ 2) end
        end
      end
      -- products of 0.05 round: a sample may stand on the other side of an edge
      K.near(most, out[0].power, 0.02, "period " .. period)
    end
  end)

  it("an injected transit to a bin", function()
    for seed = 1, 5 do
      local t0 = 0.3 + 0.5 * seed
      local t, y = K.box_curve { n = 2880, step = 900 / 86400, period = 3.1, t0 = t0, duration = 0.12, depth = 1.5e-3,
                                 noise = 5e-4, seed = seed }
      local out = search(t, y, { periods = { 3.1 }, durations = TENTHS, path = FAST })
      assert.is_true(math.abs((out[0].t0 - t0 + 1.55) % 3.1 - 1.55) < 0.02)
      assert.is_true(math.abs(out[0].depth / 1.5e-3 - 1) < 0.15)
    end
  end)
end)

describe("bls fast paths", function()
  local function gapped(set)
    local t, y = K.box_curve(set)
    local a, b = {}, {}
    for i = 1, #t do
      if i % 200 < 150 then
        a[#a + 1] = t[i] + (set.jitter or 0) * (K.uniform(99, i) - 0.5)
        b[#b + 1] = y[i]
      end
    end
    return a, b
  end
  local base = { n = 3000, step = 0.0104166, period = 2.2, t0 = 0.7, duration = 0.1, depth = 1e-3, noise = 5e-4, seed = 3 }
  local periods = grid(31, 0.05, 8, 0.5, 15)
  if K.asan then -- slow there, and a part of the trials takes every way
    local some = {}
    for i = 1, #periods, 7 do some[#some + 1] = periods[i] end
    periods = some
  end

  it("give the bits of the definition on irregular data, at every SIMD level", function()
    base.jitter = 0.006
    local t, y = gapped(base)
    base.jitter = nil
    local ivar = {}
    for i = 1, #t do ivar[i] = 1e6 * (1 + K.uniform(5, i)) end
    for _, case in ipairs { { wrap = FULL }, { wrap = PEER }, { objective = SNR }, { ivar = ivar }, { ivar = ivar, objective = SNR } } do
      case.periods, case.durations = periods, TENTHS
      local exact = search(t, y, case)
      case.path = FOLD
      for _, level in ipairs { "sse2", "avx2", "avx512" } do
        K.at_level(level, function() same(exact, search(t, y, case), #periods) end)
      end
      case.path = nil
    end
  end)

  it("give the bits of the definition where many samples share a bin", function()
    local t, y = K.box_curve { n = 9000, step = 0.0008, period = 2.2, t0 = 0.7, duration = 0.1, depth = 1e-3, noise = 5e-4, seed = 6 }
    for i = 1, #t do t[i] = t[i] + 0.0004 * K.uniform(12, i) end
    local some = { 0.5, 0.61, 1.1, 2.2, 3.4 }
    local exact = search(t, y, { periods = some, durations = TENTHS })
    same(exact, search(t, y, { periods = some, durations = TENTHS, path = FOLD }), #some)
  end)

  -- Trials where power differs by more than 1e-12 from the definition's, and the path that was taken.
  local function differing(t, y, case, trials)
    case.periods, case.durations = trials or periods, case.durations or TENTHS
    case.path = REFERENCE
    local exact = search(t, y, case)
    case.path = case.fast or B.ROWS
    local fast, s = search(t, y, case)
    local off = 0
    for i = 0, #case.periods - 1 do
      off = off + (math.abs(fast[i].power - exact[i].power) > 1e-12 * exact[i].power and 1 or 0)
    end
    return off, lib.eas_bls_path(s.job)
  end

  it("add rows on uniform data, gaps or not, weights or not, and agree with the definition", function()
    for _, step in ipairs { 0.0104166, 900 / 86400, 120 / 86400, 0.0301 } do
      base.step, base.n = step, math.floor(31 / step)
      for _, make in ipairs { gapped, K.box_curve } do
        local t, y = make(base)
        local ivar = {}
        for i = 1, #t do ivar[i] = 1e6 * (1 + K.uniform(5, i)) end
        local some = {}
        for i = 1, #periods, step < 0.005 and 23 or 5 do some[#some + 1] = periods[i] end
        for _, case in ipairs { { wrap = FULL }, { wrap = PEER }, { objective = SNR }, { ivar = ivar } } do
          local off, path = differing(t, y, case, some)
          assert.equal(0, off, "step " .. step)
          assert.equal(B.ROWS, path)
        end
      end
    end
    base.step, base.n = 0.0104166, 3000
  end)

  it("add rows with the same bits at every SIMD level and however the range is cut", function()
    local t, y = gapped(base)
    local one = search(t, y, { periods = periods, durations = TENTHS, path = B.ROWS })
    for _, parts in ipairs { 2, 3, 8 } do
      same(one, search(t, y, { periods = periods, durations = TENTHS, path = B.ROWS, parts = parts }), #periods)
    end
    for _, level in ipairs { "sse2", "avx2", "avx512" } do
      K.at_level(level, function() same(one, search(t, y, { periods = periods, durations = TENTHS, path = B.ROWS }), #periods) end)
    end
  end)

  it("look sums up where samples are dense among bins, with the same bits however it is done", function()
    local t, y = gapped { n = 9000, step = 0.0008, jitter = 0.0005, period = 2.2, t0 = 0.7, duration = 0.1, depth = 1e-3,
                          noise = 5e-4, seed = 6 }
    local ivar = {}
    for i = 1, #t do ivar[i] = 1e6 * (1 + K.uniform(5, i)) end
    for _, case in ipairs { { wrap = FULL }, { wrap = PEER }, { objective = SNR }, { ivar = ivar } } do
      case.fast = B.EDGES
      local off, path = differing(t, y, case, { 0.5, 0.61, 0.7, 1.1, 2.2, 3.4, 7.1 })
      assert.same({ 0, B.EDGES }, { off, path })
      local one = search(t, y, case)
      case.parts = 3
      for _, level in ipairs { "sse2", "avx2", "avx512" } do
        K.at_level(level, function() same(one, search(t, y, case), #case.periods) end)
      end
    end
    local _, s = search(t, y, { periods = { 0.7 }, durations = TENTHS, path = FAST })
    assert.equal(B.EDGES, lib.eas_bls_path(s.job))
  end)

  it("leave trials to the definition whose edges fall on samples", function()
    local t, y = {}, {}
    for i = 1, 2000 do t[i], y[i] = (i - 1) * 0.01, 1 + 1e-3 * K.normal(8, i) end
    local commensurate = { 0.5, 0.6, 0.75, 1, 1.25, 2, 2.5, 4 }
    for i = 1, 50 do commensurate[#commensurate + 1] = 0.5 + i * 0.01 end
    assert.equal(0, (differing(t, y, { durations = { 0.05, 0.1 } }, commensurate)))
  end)

  it("agree with the definition on random jobs", function()
    for seed = 1, 60 do
      local u = function(k) return K.uniform(seed + 1000, k) end
      local step, shortest = 10 ^ (-3 + 2 * u(1)), 0.02 + 0.3 * u(2)
      local t, y = K.box_curve { n = 50 + math.floor(800 * u(3)), step = step, noise = 1e-3, seed = seed }
      for i = #t, 1, -1 do
        if u(5) < 0.5 and i % 97 > 97 * u(4) and #t > 20 then
          table.remove(t, i)
          table.remove(y, i)
        end
      end
      local durations, trials = {}, {}
      for k = 1, 1 + seed % 4 do durations[k] = shortest * (1 + u(10 + k)) end
      for k = 1, 12 do trials[k] = 2.1 * shortest + 3 * (t[#t] - t[1]) * u(30 + k) ^ 3 end
      local off = differing(t, y, { durations = durations, wrap = seed % 2, oversample = 1 + seed % 13 }, trials)
      assert.equal(0, off, "seed " .. seed)
    end
  end)

  it("do not add rows of what is mostly gap", function()
    local t, y = K.box_curve { n = 100, step = 0.02, noise = 1e-3, seed = 2 }
    for i = 51, 100 do t[i] = t[i] + 400 end
    local off, path = differing(t, y, {}, { 0.7, 1.3, 90 })
    assert.same({ 0, FOLD }, { off, path })
  end)

  it("agree when nothing varies", function()
    local t, y = {}, {}
    for i = 1, 500 do t[i], y[i] = i * 0.02, 1 end
    local exact = search(t, y, { periods = { 1, 2.5 }, durations = { 0.1 } })
    assert.equal(0, exact[0].power)
    same(exact, search(t, y, { periods = { 1, 2.5 }, durations = { 0.1 }, path = FOLD }), 2)
  end)
end)

describe("bls refuses", function()
  local t, y = K.box_curve { n = 50, step = 0.1, noise = 1e-3, seed = 1 }
  local function check(change, times, fluxes)
    local s = new(times or t, fluxes or y, { periods = { 1, 2 }, durations = { 0.1 } })
    if change then change(s.job, s) end
    return lib.eas_bls_check(s.job)
  end
  local function with(list, i, v)
    local out = { unpack(list) }
    out[i] = v
    return out
  end

  it("nothing that is right", function() assert.equal(K.OK, check()) end)

  it("too few samples", function()
    for n = 0, 2 do assert.equal(K.EFEW, check(nil, { unpack(t, 1, n) }, { unpack(y, 1, n) })) end
    assert.equal(K.OK, check(nil, { unpack(t, 1, 3) }, { unpack(y, 1, 3) }))
  end)

  it("samples that are not finite or not in order", function()
    for _, bad in ipairs { K.nan, K.inf, -K.inf } do
      assert.equal(K.EDATA, check(nil, with(t, 7, bad)))
      assert.equal(K.EDATA, check(nil, t, with(y, 7, bad)))
    end
    assert.equal(K.EDATA, check(nil, with(t, 7, t[6])))
    assert.equal(K.EDATA, check(nil, with(t, 7, t[5])))
  end)

  it("weights that are not positive", function()
    for _, bad in ipairs { 0, -1, K.nan, K.inf } do
      local ivar = {}
      for i = 1, #t do ivar[i] = 1 end
      ivar[9] = bad
      local keep = K.doubles(ivar)
      assert.equal(K.EDATA, check(function(job) job.ivar = keep end))
    end
  end)

  it("periods not above the longest duration", function()
    for _, bad in ipairs { 0, -1, 0.1, K.nan, K.inf, 1e9 } do
      assert.equal(K.EARG, check(function(_, s) s.p[1] = bad end))
    end
  end)

  it("settings outside of their range", function()
    assert.equal(K.EARG, check(function(_, s) s.d[0] = 0 end))
    assert.equal(K.EARG, check(function(_, s) s.d[0] = K.nan end))
    assert.equal(K.EARG, check(function(job) job.set.oversample = 0 end))
    assert.equal(K.EARG, check(function(job) job.set.objective = 2 end))
    assert.equal(K.EARG, check(function(job) job.set.wrap = -1 end))
    assert.equal(K.EGRID, check(function(job) job.n_period = 0 end))
    assert.equal(K.EGRID, check(function(job) job.set.n_duration = 0 end))
  end)

  it("a grid that cannot be", function()
    for _, bad in ipairs { 0, -1, K.nan } do
      assert.equal(0, tonumber(lib.eas_bls_grid_count(bad, 0.05, 2, 0.5, 10)))
      assert.equal(0, tonumber(lib.eas_bls_grid_count(20, bad, 2, 0.5, 10)))
      assert.equal(0, tonumber(lib.eas_bls_grid_count(20, 0.05, 2, bad, 10)))
    end
    assert.equal(0, tonumber(lib.eas_bls_grid_count(20, 0.05, 2, 10, 5)))
  end)
end)

describe("bls survives", function()
  it("a period longer than the light curve, and a giant gap", function()
    local t, y = K.box_curve { n = 60, step = 0.05, noise = 1e-3, seed = 2 }
    for i = 31, 60 do t[i] = t[i] + 5000 end
    for _, path in ipairs { REFERENCE, FOLD } do
      local out = search(t, y, { periods = { 1, 40, 9000 }, durations = { 0.2 }, path = path })
      for i = 0, 2 do assert.is_true(out[i].power >= 0) end
    end
  end)

  it("more cycles than 32 bits count", function()
    local t, y = K.box_curve { n = 300, step = 1000, noise = 1e-3, seed = 2 }
    local set = { periods = { 2e-6, 3.3e-6 }, durations = { 1e-6 }, oversample = 3 }
    local exact = search(t, y, set)
    set.path = FAST
    same(exact, search(t, y, set), 2)
  end)

  it("samples that all have one phase: no box fits", function()
    local out = search({ 0, 2, 4, 6 }, { 1, 0.9, 1, 1.1 }, { periods = { 2 }, durations = { 0.2 } })
    assert.is_true(out[0].power ~= out[0].power)
    local spectrum = ffi.new "eas_bls_spectrum"
    assert.equal(K.NONE, lib.eas_bls_spectrum_of(out, 1, spectrum))
  end)

  it("a box without samples", function()
    local t, y = K.box_curve { n = 100, step = 0.05, noise = 1e-3, seed = 2 }
    local s = new(t, y, { periods = { 1 }, durations = { 0.1 } })
    local stats = ffi.new "eas_bls_stats"
    assert.equal(K.NONE, lib.eas_bls_stats_of(s.job, 100, 0.001, 50.03, stats, nil, nil, 0))
    assert.equal(K.EARG, lib.eas_bls_stats_of(s.job, K.nan, 0.1, 0, stats, nil, nil, 0))
    assert.equal(K.EARG, lib.eas_bls_stats_of(s.job, 1, 2, 0, stats, nil, nil, 0))
  end)

  it("an even and an odd count in the median", function()
    local scratch = K.doubles(5)
    assert.equal(3, lib.eas_bls_median(K.doubles { 5, 3, 1, 4, 2 }, 5, scratch))
    assert.equal(2.5, lib.eas_bls_median(K.doubles { 4, 1, 3, 2 }, 4, scratch))
    assert.equal(7, lib.eas_bls_median(K.doubles { 7, 7, 7, 7 }, 4, scratch))
    assert.is_true(lib.eas_bls_median(scratch, 0, scratch) ~= 0)
  end)
end)
