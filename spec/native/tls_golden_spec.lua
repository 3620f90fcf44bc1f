-- tls: the numbers of the peer, transitleastsquares 1.0.31.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local S = require "spec.native.tls"
local lib = S.lib

describe("tls's parts", function()
  local unit = T.reference "unit_golden.json" and K.json("unit_golden.json").tls
  local null = require "cjson".null
  local function with_reference(name, f)
    it(name, function()
      if T.skip_unless(unit, "unit_golden.json is not beside the repository") then f() end
    end)
  end

  with_reference("have the peer's longest transits", function()
    for _, r in ipairs(unit.T14) do K.near(r.out, lib.eas_tls_fraction(r.R, r.M, r.P, r.small and 1 or 0), 1e-14) end
  end)

  with_reference("have the peer's period grids", function()
    local checked = 0
    for _, r in ipairs(unit.period_grid) do
      local grid = S.grid(r.span, { r = r.R, m = r.M, period_min = r.period_min, oversampling = r.oversampling,
        period_max = r.period_max ~= null and r.period_max or K.inf, n_transits_min = r.n_transits_min })
      if #grid >= 100 then -- the peer answers less with another grid
        checked = checked + 1
        assert.equal(r.n, #grid)
        for k, p in ipairs(r.first5) do K.near(p, grid[#grid + 1 - k], 1e-13) end
        for k, p in ipairs(r.last5) do K.near(p, grid[6 - k], 1e-13) end
      end
    end
    assert.is_true(checked >= 5)
  end)

  with_reference("have the peer's durations and templates, and chi2", function()
    local t, y = S.reference(unit.lc)
    local periods = S.grid(t[#t] - t[1])
    local durations, some = S.durations(periods), {}
    assert.equal(unit.n_used, #t)
    assert.equal(#unit.duration_grid, #durations)
    for k, d in ipairs(unit.duration_grid) do K.near(d, durations[k], 1e-14) end
    for i, r in ipairs(unit.search_period) do some[i] = r.period end
    local out, s = S.search(t, y, { periods = some, durations = durations, path = S.REFERENCE })
    assert.equal(#unit.cache, tonumber(lib.eas_tls_rows(s.job)))
    local row = ffi.new "eas_tls_row"
    for k, want in ipairs(unit.cache) do
      assert.equal(K.OK, lib.eas_tls_row_of(s.job, k - 1, row))
      assert.equal(want.width_in_samples, tonumber(row.width))
      K.near(want.overshoot, row.overshoot, 1e-10)
      for j, v in ipairs(unit.cache_signals[tostring(k - 1)] or {}) do K.near(v, 1 - row.shape[j - 1], 1e-10) end
    end
    assert.equal(K.EARG, lib.eas_tls_row_of(s.job, #unit.cache, row))
    for i, r in ipairs(unit.search_period) do
      K.near(r.chi2, out[i - 1].chi2, 1e-11)
      assert.equal(r.row, out[i - 1].row)
      K.near(r.depth, 1 - out[i - 1].depth, 1e-11)
    end
  end)

  with_reference("have the peer's spectra, medians and false alarm probability", function()
    local want, periods = unit.spectra, {}
    for i = 1, #want.chi2 do periods[i] = i end
    local s = { n_period = #want.chi2, p = K.doubles(periods), out = ffi.new("eas_tls_trial[?]", #want.chi2) }
    for i, v in ipairs(want.chi2) do s.out[i - 1].chi2 = v end
    local got = S.spectrum(s)
    K.near(want.SDE, got.sde, 1e-13)
    K.near(want.SDE_raw, got.sde_raw, 1e-13)
    for i in ipairs(want.chi2) do
      K.near(want.SR[i], s.sr[i - 1], 1e-14)
      assert.is_true(math.abs(want.power_raw[i] - s.raw[i - 1]) < 1e-11 and math.abs(want.power[i] - s.power[i - 1]) < 1e-11)
    end
    local m = unit.running_median
    local out = K.doubles(#m.data)
    lib.eas_tls_running_median(K.doubles(m.data), #m.data, m.kernel, K.doubles(m.kernel), out)
    assert.same(m.out, K.list(out, #m.data))
    for _, f in ipairs(unit.FAP) do
      local fap = lib.eas_tls_fap(f.SDE)
      if f.FAP == null then assert.is_true(fap ~= fap) else K.near(f.FAP, fap, f.FAP > 0.005 and 0.06 or 0.5) end
    end
  end)
end)
