-- bls: the numbers of the peer, astropy's BoxLeastSquares.
local ffi = require "ffi"
local K = require "spec.native.kernel"
local B = require "spec.native.bls"
local lib, search, grid = B.lib, B.search, B.grid
local SNR, LIKELIHOOD, FULL, PEER, FAST, FOLD, TENTHS = B.SNR, B.LIKELIHOOD, B.FULL, B.PEER, B.FAST, B.FOLD, B.TENTHS

describe("bls on the golden light curve", function()
  local t, y = K.g1()
  local span = t[#t] - t[1]
  local periods = grid(span, 0.05, 2, 0.5, span / 2)
  local set = { periods = periods, durations = TENTHS, wrap = PEER, path = FOLD }
  local out, s = search(t, y, set)

  it("is on the data it should be", function()
    for i, v in ipairs { 1.00020736, 0.99955406, 1.0008648, 1.00027281 } do K.near(v, y[i], 1e-8) end
    local sum = 0
    for _, v in ipairs(y) do sum = sum + v end
    K.near(0.9999513083011855, sum / #y, 1e-14)
    K.near(0.9999638451960111, s.job.flux_zero, 1e-15)
  end)

  it("has the peer's grid", function()
    assert.equal(17393, #periods)
    assert.equal(0.5, periods[1])
    K.near(15.00136633686939, periods[17393], 1e-15)
    K.near(0.5294261876381516, periods[1001], 1e-15)
  end)

  it("has the peer's best period", function()
    local spectrum = ffi.new "eas_bls_spectrum"
    assert.equal(K.OK, lib.eas_bls_spectrum_of(out, #periods, spectrum))
    assert.equal(15900, tonumber(spectrum.index))
    local best = out[15900]
    K.near(4.3007950601321285, periods[15901], 1e-15)
    K.near(8.253359322463444e-05, best.power, 1e-9)
    K.near(0.0010420980433256196, best.depth, 1e-9)
    K.near(0.08257645301772891, best.depth_err, 1e-12)
    K.near(0.15, best.duration, 1e-12)
    K.near(1.6969444444444444, best.t0, 1e-12)
    K.near(0.012619796627761238, best.depth / best.depth_err, 1e-9)
    assert.is_true(spectrum.sde > 6)
  end)

  it("has the peer's other trials", function()
    for _, row in ipairs { { 0, 1.0456177974837959e-06, 0.115, 0.4894444444444444 },
                           { 1000, 1.500730384944169e-06, 0.05, 0.49194444444444446 },
                           { 2000, 1.3801293636761845e-06, 0.165, 0.5144444444444444 } } do
      K.near(row[2], out[row[1]].power, 1e-9)
      K.near(row[3], out[row[1]].duration, 1e-12)
      K.near(row[4], out[row[1]].t0, 1e-12)
    end
    K.near(4.570718158581945e-05, out[0].depth, 1e-9)
  end)

  it("has the peer's vetting numbers", function()
    local stats, count, gain = ffi.new "eas_bls_stats", K.doubles(8), K.doubles(8)
    local best = out[15900]
    assert.equal(K.OK, lib.eas_bls_stats_of(s.job, periods[15901], best.duration, best.t0, stats, count, gain, 8))
    assert.same({ 22, 22, 21, 22, 22, 21, 22 }, K.list(count, 7))
    assert.equal(7, tonumber(stats.n_transits))
    K.near(0.0010391899508898, stats.depth_odd, 1e-9)
    K.near(0.0010442707560647, stats.depth_even, 1e-9)
    K.near(2.90934704892e-5, stats.depth_phased, 1e-9)
    K.near(5.37796125949e-4, stats.depth_half, 1e-9)
    K.near(5.81788755957e-5, stats.harmonic_amplitude, 1e-9)
    K.near(-7.59836568875e-5, stats.harmonic_delta_log_likelihood, 1e-9)
    local all = 0
    for i = 0, 6 do all = all + gain[i] end
    K.near(best.power, all, 1e-9) -- both are against the level outside
    assert.is_true(stats.power_norm > 0 and stats.power_norm < 1)
  end)

  it("finds the same planet with every phase tried", function()
    set.wrap = FULL
    local full = search(t, y, set)
    local spectrum = ffi.new "eas_bls_spectrum"
    assert.equal(K.OK, lib.eas_bls_spectrum_of(full, #periods, spectrum))
    assert.is_true(math.abs(periods[tonumber(spectrum.index) + 1] - 4.3) < 0.005)
    local less = 0
    for i = 0, #periods - 1 do less = less + (full[i].power < out[i].power * (1 - 1e-12) and 1 or 0) end
    assert.is_true(less < 0.05 * #periods) -- only where the peer's lost partial bin makes a box deeper
  end)
end)

describe("bls against the peer", function()
  it("agrees with its inner function on small cases", function()
    local unit = K.json "unit_golden.json"
    local null = require "cjson".null
    for _, case in ipairs(unit.astropy_bls) do
      local ivar
      if case.dy ~= null then
        ivar = {}
        for i, e in ipairs(case.dy) do ivar[i] = 1 / e ^ 2 end
      end
      local out = search(case.t, case.y, { periods = case.periods, durations = case.durations, ivar = ivar, wrap = PEER,
        oversample = case.oversample, objective = case.objective == "snr" and SNR or LIKELIHOOD, path = FAST })
      for i, power in ipairs(case.power) do
        K.near(power, out[i - 1].power, 1e-9, "power")
        K.near(case.depth[i], out[i - 1].depth, 1e-9, "depth")
        K.near(case.depth_err[i], out[i - 1].depth_err, 1e-9, "depth_err")
        K.near(case.log_likelihood[i], out[i - 1].log_likelihood, 1e-9, "log_likelihood")
        K.near(case.duration[i], out[i - 1].duration, 1e-9, "duration")
        K.near(case.transit_time[i], out[i - 1].t0, 1e-9, "t0")
      end
    end
  end)

  it("agrees with its default grid", function()
    local auto = K.json("unit_golden.json").astropy_autoperiod
    local periods = grid(auto.span, 0.05, 2, 0.5, 1 / (1 / auto.last10[10])) -- shortest duration, factor, shortest period
    assert.equal(auto.n, #periods)
    for i, p in ipairs(auto.first10) do assert.equal(p, periods[i]) end
    for i, p in ipairs(auto.last10) do assert.equal(p, periods[#periods - 10 + i]) end
  end)

  for _, key in ipairs { "p01", "p06", "r04" } do
    it("agrees with its whole periodogram of " .. key, function()
      local golden
      for _, row in ipairs(K.json "golden.json") do
        if row.kernel == "bls_reference" and row.lc:sub(1, 3) == key then golden = row end
      end
      local lc = K.table("lightcurves/" .. golden.lc)
      local peer = K.table("periodograms/" .. key .. "_bls_reference.txt.gz")
      local set = golden.settings
      local periods = grid(lc[1][#lc[1]] - lc[1][1], 0.05, set.frequency_factor, set.period_min, set.period_max)
      assert.equal(golden.result.n_periods, #periods)
      for i, p in ipairs(peer[1]) do assert.equal(p, periods[i]) end
      local out = search(lc[1], lc[2], { periods = periods, durations = set.durations, wrap = PEER, path = FAST })
      local off = 0
      for i, power in ipairs(peer[2]) do
        off = off + (math.abs(out[i - 1].power - power) > 1e-9 * power and 1 or 0)
      end
      assert.is_true(off <= 0.001 * #periods, off .. " trials differ")
      local best = out[golden.result.index]
      K.near(golden.result.power, best.power, 1e-9, "power")
      K.near(golden.result.depth, best.depth, 1e-9, "depth")
    end)
  end
end)
