-- tls: the transit search against hand cases, injections and invariances; the fast paths against the definition; bad input.
local ffi = require "ffi"
local K = require "spec.native.kernel"
local S = require "spec.native.tls"
local lib, search, grid, same = S.lib, S.search, S.grid, S.same
local FAST, REFERENCE, SORT, UNIFORM = S.FAST, S.REFERENCE, S.SORT, S.UNIFORM

-- Every so-many-th number of a list, from the first on.
local function some(list, step)
  local out = {}
  for i = 1, #list, step do out[#out + 1] = list[i] end
  return out
end

local function gapped(t, y, keep)
  local a, b = {}, {}
  for i = 1, #t do
    if keep(i) then a[#a + 1], b[#b + 1] = t[i], y[i] end
  end
  return a, b
end

describe("tls by hand", function()
  -- A flat line with one shallow dip of known shape: the sums of the definition, term by term.
  it("has the chi2 of its own sums", function()
    local t, y = K.box_curve { n = 200, step = 0.05, noise = 1e-3, seed = 3 }
    local durations = { 0.05, 0.12 }
    local out, s = search(t, y, { periods = { 10.05 }, durations = durations, path = REFERENCE, margin = 0,
                                  star = { 1, 1, 0.001, 1, 3.5, 1 } })
    local row, best = ffi.new "eas_tls_row", out[0]
    lib.eas_tls_row_of(s.job, best.row, row)
    local mean, variance = 0, 0
    for _, v in ipairs(y) do mean = mean + v / #y end
    for _, v in ipairs(y) do variance = variance + (v - mean) ^ 2 / #y end
    local sum, width = 0, tonumber(row.width)
    for j = 0, width - 1 do sum = sum + (1 - y[(best.start + j) % #y + 1]) end
    K.near(row.overshoot * sum / width, best.depth, 1e-12)
    local chi2 = 0
    for i, v in ipairs(y) do
      local j = (i - 1 - best.start) % #y
      local model = j < width and 1 - 2 * best.depth * row.shape[j] or 1
      chi2 = chi2 + (v - model) ^ 2 / variance
    end
    K.near(chi2, best.chi2, 1e-11)
    assert.equal(0, row.shape[0] > 0.01 and 1 or 0) -- begins out of transit
  end)
end)

describe("tls fast paths", function()
  local t, y = K.box_curve { n = 1500, step = 1 / 48, period = 4.1, t0 = 1.2, duration = 0.15, depth = 1.5e-3, noise = 6e-4,
                             seed = 5, start = 3 }
  local ivar = {}
  for i = 1, #t do ivar[i] = (1 + 0.5 * K.uniform(9, i)) / 3.6e-7 end
  local function compare(a, b, periods, set, path)
    set.periods, set.path = periods, REFERENCE
    local slow = search(a, b, set)
    set.path = path or FAST
    local fast, s = search(a, b, set)
    for i = 0, #periods - 1 do
      K.near(slow[i].chi2, fast[i].chi2, 1e-12, "chi2 of trial " .. i)
      K.near(slow[i].depth, fast[i].depth, 1e-10, "depth of trial " .. i)
      assert.equal(slow[i].row, fast[i].row)
      assert.equal(slow[i].start % #a, fast[i].start % #a) -- behind the last sample the first windows come again
    end
    return s
  end
  local periods = some(grid(t[#t] - t[1]), K.asan and 160 or 40)

  for _, level in ipairs { "sse2", "avx2", "avx512" } do
    it("agree with the definition at " .. level, function()
      K.at_level(level, function()
        local s = compare(t, y, periods, {})
        assert.equal(UNIFORM, lib.eas_tls_path(s.job))
        compare(t, y, periods, {}, SORT)
        compare(t, y, periods, { ivar = ivar })
        compare(t, y, periods, { peer = false, margin = 0, depth_min = 1e-4 })
      end)
    end)
  end

  it("agree with gaps, and at any cadence", function()
    local a, b = gapped(t, y, function(i) return i % 300 < 220 and i % 37 ~= 0 end)
    local set = {}
    assert.equal(UNIFORM, lib.eas_tls_path(compare(a, b, periods, set).job))
    for i = 1, #a do a[i] = a[i] + 0.004 * K.uniform(4, i) end
    assert.equal(SORT, lib.eas_tls_path(compare(a, b, periods, set).job))
  end)

  it("agree where phases coincide", function()
    local ties = {}
    for k = 1, 40 do ties[k] = (30 + k) / 48 * (k % 3 + 1) end -- whole and half numbers of steps
    local s = compare(t, y, ties, {})
    local function tied(of) return tonumber(lib.eas_tls_ties(of.job, K.scratch(lib.eas_tls_work_size(of.job)))) end
    assert.equal(#ties, tied(s)) -- counted
    assert.equal(0, tied(compare(t, y, { math.pi, 4 / math.sqrt(2) }, {})))
    local rounded = {}
    for i, v in ipairs(t) do rounded[i] = tonumber(("%.9f"):format(v)) end
    compare(rounded, y, ties, {})
  end)

  it("agree on outliers and deep transits", function()
    local spikes = {}
    for i, v in ipairs(y) do spikes[i] = i % 211 == 0 and 0.4 or i % 97 == 0 and 1.8 or v end
    compare(t, spikes, some(periods, 3), {})
  end)

  it("agree whatever the weights are", function()
    local few, spikes = some(periods, 5), {}
    for i, v in ipairs(y) do spikes[i] = i % 97 == 0 and 0.4 or v end
    local weights = {
      function(i) return 10 ^ (2 * K.uniform(11, i)) end, -- over two decades
      function(i) return i % 97 == 0 and 1e-6 or 1 + 0.1 * K.uniform(12, i) end, -- outliers count little
      function(i) return i == 700 and 50 or 1 end,
      function(i) return i < 750 and 1 or 3 end,
    }
    for _, level in ipairs { "sse2", "avx512" } do
      K.at_level(level, function()
        for _, weight in ipairs(weights) do
          local list = {}
          for i = 1, #t do list[i] = weight(i) / 3.6e-7 end
          compare(t, spikes, few, { ivar = list, peer = false })
          compare(t, y, few, { ivar = list, peer = false, depth_min = 1e-4 })
        end
      end)
    end
  end)

  it("are the same bit for bit however the range is cut", function()
    for _, path in ipairs { REFERENCE, SORT, FAST } do
      local few = some(periods, path == REFERENCE and 8 or 1)
      local one = search(t, y, { periods = few, path = path })
      for _, parts in ipairs { 2, 3, 8 } do same(one, search(t, y, { periods = few, path = path, parts = parts }), #few) end
    end
  end)

  it("leave their input as it was", function()
    local _, s = search(t, y, { periods = periods })
    for i, v in ipairs(y) do assert.equal(v, s.y[i - 1]) end
  end)
end)

describe("tls keeps", function()
  local t, y = K.box_curve { n = 1200, step = 1 / 48, period = 3.3, t0 = 0.9, duration = 0.13, depth = 2e-3, noise = 4e-4,
                             seed = 8 }
  local periods = some(grid(t[#t] - t[1]), 10)
  local before = search(t, y, { periods = periods })

  local function least(out)
    local best = 0
    for i = 1, #periods - 1 do if out[i].chi2 < out[best].chi2 then best = i end end
    return best
  end

  it("chi2 when the depth is scaled", function()
    local scaled = {}
    for i, v in ipairs(y) do scaled[i] = 1 + 3 * (v - 1) end
    local after = search(t, scaled, { periods = periods, depth_min = 3e-5 })
    for i = 0, #periods - 1 do K.near(before[i].chi2, after[i].chi2, 1e-9) end
  end)

  it("its best period when time moves or runs back", function()
    local moved, back, y_back = {}, {}, {}
    for i, v in ipairs(t) do
      moved[i] = v + 7.77
      back[#t + 1 - i], y_back[#t + 1 - i] = t[#t] + t[1] - v, y[i]
    end
    local best = least(before)
    for _, curve in ipairs { { moved, y }, { back, y_back } } do
      local after = search(curve[1], curve[2], { periods = periods })
      assert.is_true(math.abs(least(after) - best) <= 1)
      K.near(before[best].chi2, after[least(after)].chi2, 0.03)
    end
  end)
end)

describe("tls recovers", function()
  it("injected transits: period, depth and epoch", function()
    for seed = 1, 4 do
      local t, y = {}, {}
      local period, t0 = 2.3 + 0.61 * seed, 0.4 + 0.3 * seed
      for i = 1, 1600 do
        local time = i / 60
        local phase = (time - t0 + period / 2) % period - period / 2
        local x = phase / 0.07 -- in half durations
        local dip = math.abs(x) < 1 and 1e-3 * math.min(1, (1 - x * x) * 3) ^ 0.5 or 0
        t[i], y[i] = time, 1 - dip + 1.5e-4 * K.normal(seed, i)
      end
      local periods = grid(t[#t] - t[1])
      local out, s = search(t, y, { periods = periods, peer = false })
      local spectrum, rc = S.spectrum(s)
      assert.equal(K.OK, rc)
      local best = out[tonumber(spectrum.index)]
      local found = s.p[tonumber(spectrum.index)]
      local step = math.abs(s.p[tonumber(spectrum.index) + 1] - found)
      assert.is_true(math.abs(found - period) <= 1.5 * step, found .. " for " .. period)
      assert.is_true(math.abs(best.depth / 1e-3 - 1) < 0.15, "depth " .. best.depth)
      assert.is_true(spectrum.sde > 9)
      local work, epoch = K.scratch(lib.eas_tls_work_size(s.job)), ffi.new "double[1]"
      assert.equal(K.OK, lib.eas_tls_epoch_of(s.job, found, best.row, best.depth, 0, work, epoch))
      local off = (epoch[0] - t0 + period / 2) % period - period / 2
      assert.is_true(math.abs(off) < 0.02, "epoch off by " .. off)
      local stats, n = ffi.new "eas_tls_stats", tonumber(lib.eas_tls_transit_count(s.job, found, epoch[0]))
      local list = ffi.new("eas_tls_transit[?]", n)
      assert.equal(K.OK, lib.eas_tls_stats_of(s.job, found, epoch[0], best.row, 0, work, list, n, stats))
      assert.is_true(math.abs(stats.duration / 0.14 - 1) < 0.3, "duration " .. stats.duration)
      assert.is_true(stats.odd_even_mismatch < 3 and stats.snr > 20)
      assert.equal(n, tonumber(stats.n_distinct))
    end
  end)

  it("nothing in white noise", function()
    local t, y = K.box_curve { n = 1000, step = 1 / 40, noise = 3e-4, seed = 77 }
    local _, s = search(t, y, { periods = grid(t[#t] - t[1]) })
    local spectrum = S.spectrum(s)
    assert.is_true(spectrum.sde < 9)
  end)
end)

describe("tls refuses", function()
  local t, y = K.box_curve { n = 300, step = 0.05, noise = 1e-3, seed = 1 }
  local function code(times, flux, set)
    set = set or {}
    set.periods = set.periods or { 2, 3, 4 }
    set.durations = set.durations or { 0.02, 0.1 }
    return lib.eas_tls_check(S.new(times, flux, set).job)
  end
  local function with(list, i, v)
    local out = {}
    for k, x in ipairs(list) do out[k] = x end
    out[i] = v
    return out
  end

  it("data that it cannot fold", function()
    assert.equal(K.OK, code(t, y))
    assert.equal(K.EFEW, code({}, {}))
    assert.equal(K.EFEW, code({ 1, 2 }, { 1, 0.9 }))
    assert.equal(K.EGRID, code({ 1, 2, 3 }, { 1, 0.9, 1 })) -- no window holds a sample
    for _, bad in ipairs { K.nan, K.inf, -K.inf } do
      assert.equal(K.EDATA, code(with(t, 9, bad), y))
      assert.equal(K.EDATA, code(t, with(y, 9, bad)))
    end
    assert.equal(K.EDATA, code(with(t, 9, t[8]), y))
    assert.equal(K.EDATA, code(with(t, 9, t[1]), y))
    assert.equal(K.EDATA, code(t, with(y, 9, -1)))
    assert.equal(K.OK, code(t, with(y, 9, -1), { peer = false }))
    local flat = {}
    for i = 1, #y do flat[i] = 1 end
    assert.equal(K.EDATA, code(t, flat))
    assert.equal(K.EDATA, code(t, with(y, 9, 1e300))) -- weights of 0
    assert.equal(K.EDATA, code(t, y, { ivar = with(flat, 5, 0) }))
    assert.equal(K.EDATA, code(t, y, { model = K.doubles(10000) }))
  end)

  it("settings that make no sense", function()
    assert.equal(K.EGRID, code(t, y, { periods = {} }))
    assert.equal(K.EGRID, code(t, y, { durations = {} }))
    for _, set in ipairs { { periods = { 0 } }, { periods = { -1 } }, { periods = { K.nan } }, { periods = { K.inf } },
                           { durations = { 0.1, 0.1 } }, { durations = { 0.6 } }, { durations = { K.nan } }, { margin = 0.2 },
                           { margin = K.nan }, { depth_min = -1 }, { depth_min = K.nan }, { path = 9 },
                           { star = { 1, 1, K.nan, 0.1, 3.5, 1 } }, { star = { 1, 1, 0.1, 0, 3.5, 1 } } } do
      assert.equal(K.EARG, code(t, y, set))
    end
    assert.equal(0, #grid(0))
    assert.equal(0, #grid(K.nan))
    assert.equal(0, #grid(30, { oversampling = 0 }))
    assert.equal(0, #grid(30, { r = K.inf }))
  end)

  it("to find what is not there, saying so", function()
    local quiet = {}
    for i = 1, #t do quiet[i] = 1 + 1e-7 * K.uniform(2, i) end
    for _, path in ipairs { REFERENCE, FAST } do
      local _, s = search(t, quiet, { periods = { 2, 3, 4 }, durations = { 0.02, 0.1 }, path = path })
      assert.equal(-1, s.out[0].start)
      local spectrum, rc = S.spectrum(s)
      assert.equal(K.NONE, rc)
      assert.is_true(spectrum.uncertainty ~= spectrum.uncertainty and spectrum.sde == 0)
    end
  end)

  it("nothing of a giant gap", function()
    local far = with(t, #t, 1e6)
    local _, s = search(far, y, { periods = { 2, 3.1, 400000 }, durations = { 0.02, 0.1 }, peer = false })
    for i = 0, 2 do assert.is_true(s.out[i].chi2 > 0 and s.out[i].chi2 < K.inf, tostring(s.out[i].chi2)) end
  end)
end)
