-- eas search on a file with the columns of a TESS light curve: every method finds its planet.
local T = require "spec.support"
local K = require "spec.native.kernel"
local fits = require "spec.engine.lightcurve_fits_maker"
local json = require "eas.json"

-- 27 days in steps of 10 minutes of a clock in orbit (barycentric times are not even), a gap amid the sector, samples
-- that the mission flagged: those are far off.
local PERIOD, T0, START = 4.3071, 1326.52, 1325.2969
local function curve()
  local time, flux, quality = {}, {}, {}
  for i = 0, 3899 do
    local t = START + i / 144
    t = t + 2e-4 * math.sin(2 * math.pi * t / 365.25)
    local phase = (t - T0 + PERIOD / 2) % PERIOD - PERIOD / 2
    local y = 1 - (math.abs(phase) < 0.07 and 1.2e-3 or 0) + 3e-4 * K.normal(17, i)
    local gap, bad = i > 1900 and i < 2060, i % 411 == 7
    time[i + 1], flux[i + 1] = t, gap and 0 / 0 or bad and y + 0.3 or y
    quality[i + 1] = bad and 128 or gap and 8 or 0
  end
  return fits.tess_whole(time, flux, quality, 3e-4)
end

describe("eas search on a file of TESS", function()
  local file = T.tmpdir() .. "/tess2018206045859-s0001-0000000261136679-0120-s_lc.fits"
  T.write(file, curve())
  local function search(method, ...)
    local got = T.eas { "search", "--json", "--method", method, file, ... }
    assert.equal(0, got.status, got.err)
    return json.decode(got.out)
  end

  for _, method in ipairs { "bls", "bls_kovacs", "fbls", "tls", "qats", "dst_v26", "dst_v29", "exotrans" } do
    it("finds the planet by " .. method, function()
      local found = search(method, "--set", "period_min=2.6", "--set", "period_max=10")
      local result = found.result
      assert.equal(3731, found.n_points) -- without the gap and what is flagged
      assert.is_true(math.abs(result.period - PERIOD) < 0.01 * PERIOD, "period " .. result.period)
      local off = (result.t0 - T0 + PERIOD / 2) % PERIOD - PERIOD / 2
      assert.is_true(math.abs(off) < 0.05, "t0 " .. result.t0)
    end)
  end

  it("by both fluxes, the mission's corrected one unless told otherwise", function()
    local pdcsap, sap = search("bls", "--set", "hybrid=true"), search("bls", "--set", "hybrid=true", "--flux", "sap")
    assert.is_true(math.abs(pdcsap.result.depth - 1.2e-3) < 2e-4)
    assert.is_true(pdcsap.result.power ~= sap.result.power)
  end)

  it("with what is flagged too, where asked for", function()
    assert.equal(3741, search("bls", "--set", "hybrid=true", "--quality", "none").n_points)
  end)
end)
