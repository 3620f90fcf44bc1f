-- transit_model: exact fluxes, orbits, exposures, sums and noise.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "transit_model"

local UNIFORM, LINEAR, QUADRATIC = 0, 1, 2
local MIDPOINTS, PEER = 0, 1

local function deficit(d, p, u1, u2) return lib.eas_transit_model_deficit(d, p, QUADRATIC, u1, u2) end

local function fill(job, set)
  local to = job.set
  to.t0, to.period, to.radius_ratio, to.axis = set.t0 or 0, set.period, set.p, set.a
  to.inclination, to.eccentricity, to.omega = set.inc or 90, set.e or 0, set.w or 90
  to.u1, to.u2, to.law = set.u[1], set.u[2], set.law or QUADRATIC
  to.exposure, to.supersample, to.sampling = set.exposure or 0, set.supersample or 1, set.sampling or MIDPOINTS
  to.every_sample = set.every or 0
end

-- Deficits and distances at times (a list), or at n steps; the data stay alive in `keep`.
local function model(times, set, parts)
  local n = type(times) == "table" and #times or set.n
  local keep = { t = type(times) == "table" and K.doubles(times) or nil, deficit = K.doubles(n), distance = K.doubles(n) }
  local job = ffi.new "eas_transit_model_job"
  job.n, job.time, job.deficit, job.distance = n, keep.t, keep.deficit, keep.distance
  if not keep.t then job.start, job.step = set.start or 0, set.step end
  fill(job, set)
  assert.equal(K.OK, lib.eas_transit_model_check(job))
  if set.table then
    keep.plan = K.scratch(lib.eas_transit_model_plan_size(job))
    job.plan = keep.plan
    assert.equal(K.OK, lib.eas_transit_model_prepare(job))
  end
  K.run(lib, "transit_model", job, n, parts)
  return K.list(keep.deficit, n), K.list(keep.distance, n), keep.deficit
end

local function summary(data, n, sigma)
  local out = ffi.new "eas_transit_model_summary"
  lib.eas_transit_model_summarize(data, n, sigma, out)
  return out
end

describe("the flux of a disc before a star", function()
  it("is the exact one", function()
    local function rows(p, u1, u2, list)
      for d, flux in pairs(list) do
        assert.is_true(math.abs(1 - deficit(d, p, u1, u2) - flux) < 1e-12, "p " .. p .. " d " .. d)
      end
    end
    rows(0.1, 0.1, 0.3, { [0] = 0.989093668301737, [0.05] = 0.989095086136603, [0.1] = 0.989099413343863,
      [0.3] = 0.989152787843984, [0.5] = 0.989305270177816, [0.85] = 0.990412597101007, [0.9] = 0.990899871269590,
      [0.95] = 0.993066191876767, [1] = 0.995926145433222, [1.05] = 0.998518557214026, [1.0999] = 0.999999880415002 })
    rows(0.1, 0.4804, 0.1867, { [0] = 0.987650133797932, [0.5] = 0.988496652161038, [0.95] = 0.994123480965223 })
    rows(0.5, 0.25, 0.75, { [0] = 0.690738604182801, [0.3] = 0.699336165437935, [0.5] = 0.723909712741970,
      [1] = 0.900056018528375 })
    rows(0.0091577, 0.1, 0.3, { [0] = 0.999908512770786, [0.9] = 0.999922415927033, [1] = 0.999970078340930 })
  end)

  it("ends where the discs part, and vanishes behind a larger planet", function()
    assert.equal(0, deficit(1.1, 0.1, 0.1, 0.3))
    assert.equal(0, deficit(100, 0.1, 0.1, 0.3))
    assert.equal(0, deficit(0.3, 0, 0.1, 0.3))
    K.near(1, deficit(0.2, 1.5, 0.1, 0.3), 1e-14)
    K.near(1, deficit(0, 1, 0.1, 0.3), 1e-14)
  end)

  it("is the overlap of two circles on a uniform star", function()
    for _, p in ipairs { 0.01, 0.1, 0.6, 1.4 } do
      for _, d in ipairs { math.abs(1 - p) + 0.002, 1, 0.9 * (1 + p) } do
        if d > math.abs(1 - p) and d < 1 + p then
          local k0, k1 = math.acos((p * p + d * d - 1) / (2 * p * d)), math.acos((1 - p * p + d * d) / (2 * d))
          local area = p * p * k0 + k1 - 0.5 * math.sqrt(4 * d * d - (1 + d * d - p * p) ^ 2)
          assert.is_true(math.abs(lib.eas_transit_model_deficit(d, p, UNIFORM, 9, 9) - area / math.pi) < 1e-13)
        end
      end
    end
  end)

  it("never brightens on the way out, and is continuous at the contacts", function()
    for _, p in ipairs { 0.0092, 0.1, 0.5, 1, 1.2 } do
      local last = 1
      for i = 0, 4000 do
        local now = deficit(i / 4000 * (1.01 + p), p, 0.4, 0.3)
        assert.is_true(now <= last + 1e-13)
        last = now
      end
      for _, d in ipairs { p, math.abs(1 - p), 1 + p } do
        assert.is_true(math.abs(deficit(d * (1 + 1e-9), p, 0.4, 0.3) - deficit(math.max(0, d * (1 - 1e-9)), p, 0.4, 0.3)) < 4e-9)
      end
    end
  end)

  it("is the local intensity for a small planet", function()
    for _, d in ipairs { 0, 0.3, 0.6, 0.85 } do
      local k = 1 - math.sqrt(1 - d * d)
      local intensity = (1 - 0.1 * k - 0.3 * k * k) / (1 - 0.1 / 3 - 0.3 / 6)
      assert.is_true(math.abs(deficit(d, 1e-3, 0.1, 0.3) / 1e-6 - intensity) < 1e-5)
    end
  end)

  it("takes a negative radius as a bright planet", function()
    assert.equal(-deficit(0.4, 0.1, 0.1, 0.3), deficit(0.4, -0.1, 0.1, 0.3))
  end)

  it("is NaN for what is no number", function()
    for _, bad in ipairs { K.nan, -1 } do assert.is_true(deficit(bad, 0.1, 0, 0) ~= deficit(bad, 0.1, 0, 0)) end
    assert.is_true(deficit(0, K.nan, 0, 0) ~= 0)
    assert.is_true(deficit(0, 0.1, 3, 0) ~= 0) -- no light at all
    assert.is_true(lib.eas_transit_model_deficit(0, 0.1, 7, 0, 0) ~= 0)
  end)
end)

describe("the orbit", function()
  it("solves Kepler's equation", function()
    for _, e in ipairs { 0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999 } do
      for i = -1000, 1000 do
        local m = i / 1000 * math.pi
        local x = lib.eas_transit_model_kepler(m, e)
        assert.is_true(math.abs(x - e * math.sin(x) - m) < 1e-14)
      end
    end
  end)

  it("has the distances and fluxes of an eccentric case", function()
    local set = { t0 = 0.3, period = 7, p = 0.1, a = 12, inc = 88, e = 0.4, w = 35, u = { 0.4, 0.2 } }
    local got, distance = model({ 0.2, 0.25, 0.3, 0.35, 0.4 }, set)
    for i, f in ipairs { 1, 0.99013549, 0.98821911, 0.99017763, 1 } do assert.is_true(math.abs(1 - got[i] - f) < 1e-8) end
    for i, d in ipairs { 1.46329142, 0.77352154, 0.2861381, 0.77852129, 1.46934842 } do
      assert.is_true(math.abs(distance[i] - d) < 2e-7)
    end
    local job = ffi.new "eas_transit_model_job"
    fill(job, set)
    K.near(0.2861381, lib.eas_transit_model_impact(job.set), 1e-4) -- the closest point is not at t0
  end)

  it("is symmetric around a circular transit, and hides the secondary", function()
    local set = { t0 = 2, period = 3, p = 0.1, a = 8, inc = 87, u = { 0.3, 0.2 } }
    local times = {}
    for i = 1, 60 do times[2 * i - 1], times[2 * i] = 2 + i / 300, 2 - i / 300 end
    local got = model(times, set)
    for i = 1, 60 do assert.is_true(math.abs(got[2 * i] - got[2 * i - 1]) < 1e-13) end
    local away, distance = model({ 3.5, 0.5 }, set)
    assert.same({ 0, 0 }, away)
    assert.same({ 100, 100 }, distance)
  end)

  it("does not change when all times are scaled", function()
    local a = model({ 1.98, 2.01, 5.02 }, { t0 = 2, period = 3, p = 0.1, a = 8, u = { 0.3, 0.2 }, e = 0.3, w = 20 })
    local b = model({ 3.96, 4.02, 10.04 }, { t0 = 4, period = 6, p = 0.1, a = 8, u = { 0.3, 0.2 }, e = 0.3, w = 20 })
    for i = 1, 3 do assert.is_true(math.abs(a[i] - b[i]) < 1e-14) end
  end)

  it("evaluates only what can be in transit, with the same bits", function()
    for _, case in ipairs { { 0, 90, 90 }, { 0, 90, 84 }, { 0.3, 35, 89 }, { 0.8, 200, 88 }, { 0.6, -80, 90 }, { 0.95, 270, 90 }, { 0, 90, 100 } } do
      local set = { n = 4000, step = 0.0131, start = -17, t0 = 0.77, period = 4.1, p = 0.12, a = 7,
                    e = case[1], w = case[2], inc = case[3], u = { 0.4, 0.2 } }
      for _, blur in ipairs { 1, 4, 1, 4 } do
        set.supersample, set.exposure = blur, 0.02
        set.every = 0
        local few = model(nil, set)
        set.every = 1
        assert.same(model(nil, set), few)
        if blur == 4 then set.table = true end -- then once more
      end
    end
  end)

  it("keeps every bit however the range is cut", function()
    local set = { n = 3000, step = 0.003, t0 = 0.3, period = 1.7, p = 0.1, a = 6, u = { 0.4, 0.2 }, e = 0.2, w = 50,
                  supersample = 3, exposure = 0.002 }
    for _, tabulated in ipairs { false, true } do
      set.table = tabulated
      local whole = model(nil, set)
      for _, parts in ipairs { 2, 3, 8, 1001 } do assert.same(whole, (model(nil, set, parts))) end
    end
  end)
end)

describe("exposures", function()
  local set = { t0 = 0.3, period = 7, p = 0.1, a = 12, inc = 88, u = { 0.4, 0.2 }, supersample = 5, exposure = 0.05 }
  local times = { 0.2, 0.25, 0.3, 0.35, 0.4 }

  it("are averaged as the peer does, ends included", function()
    set.sampling = PEER
    for i, f in ipairs { 0.99797649, 0.98988888, 0.98858853, 0.98988888, 0.99797649 } do
      assert.is_true(math.abs(1 - model(times, set)[i] - f) < 2e-8)
    end
  end)

  it("converge to the same light", function()
    set.supersample, set.sampling = 1001, PEER
    local peer = model(times, set)
    set.supersample, set.sampling = 101, MIDPOINTS
    for i, x in ipairs(model(times, set)) do assert.is_true(math.abs(x - peer[i]) < 1e-5) end
  end)
end)

describe("limb darkening", function()
  it("takes the laws as special cases of the quadratic", function()
    local base = { period = 3, p = 0.1, a = 8, u = { 0.3, 0.2 } }
    local function at(law, u)
      base.law, base.u = law, u
      return model({ 0, 0.05, 0.11 }, base)
    end
    assert.same(at(QUADRATIC, { 0.3, 0 }), at(LINEAR, { 0.3, 0.7 }))
    assert.same(at(QUADRATIC, { 0, 0 }), at(UNIFORM, { 0.3, 0.7 }))
  end)
end)

describe("against the peer", function()
  it("the flux is exact, and the peer's is as near as it can be", function()
    local golden = K.json "batman_golden.json"
    for _, set in ipairs(golden.sets) do
      local p = set.params
      local own = { t0 = p.t0, period = p.per, p = p.rp, a = p.a, inc = p.inc, e = p.ecc, w = p.w, u = { p.u1, p.u2 } }
      local got, distance = model(set.t, own)
      own.table = true
      local fast = model(set.t, own)
      for i = 1, #set.t do
        assert.is_true(math.abs(1 - got[i] - set.flux_exact[i]) < 1e-11)
        assert.is_true(math.abs(1 - fast[i] - set.flux_exact[i]) < 1e-11)
        assert.is_true(math.abs(1 - got[i] - set.flux_batman[i]) < 2e-7)
        assert.is_true(math.abs(distance[i] - set.d_exact[i]) < 1e-9)
        assert.is_true(math.abs(1 - deficit(set.d_batman[i], p.rp, p.u1, p.u2) - set.flux_batman[i]) < 5e-8)
      end
    end
  end)

  it("the prototype's sums are found again", function()
    -- {days, t0, period, a/R, p, inclination, cadence, n, in transit, W, MES, least flux, tolerance of sums}
    local p1 = 0.10279223580158159
    for _, c in ipairs {
      { 240, 50, 86.0375963767074, p1, 90, 900, 23040, 95, 0.9734380735, 1902.336, 0.98847627121, 1e-6 },
      -- the peer's elliptic integrals are off by 1e-9 a sample, 2e-5 of a planet as small as this
      { 730, 365, 215.0939909417685, 0.009160315702544932, 90, 25, 2522880, 3766, 0.3245934932, 16.79148, 0.99990846050, 2e-5 },
      { 730, 365, 215.0939909417685, p1, 89.86681210650526, 600, 105120, 154, 1.4342294308, 1797.4356, 0.98870025868, 1e-6 },
      { 90, 4.3, 10.754699547088424, 0.0513961179, 84.55775907370248, 600, 12960, 97, 0.0296976272, 46.8955, 0.99948889256, 1e-5 },
    } do
      local _, _, data = model(nil, { n = c[7], step = c[6] / 86400, t0 = 1, period = c[2], a = c[3], p = c[4], inc = c[5], u = { 0.1, 0.3 } })
      local s = summary(data, c[7], 3.15e-4 * math.sqrt(25 / c[6]))
      assert.equal(c[8], s.pixels_in_transit)
      assert.equal(c[7] - c[8], s.pixels_out_of_transit)
      K.near(c[9], s.integrated_power, c[12], "W")
      K.near(c[10], s.mes, c[12], "mes")
      assert.is_true(math.abs(1 - s.deepest - c[11]) < 2e-8)
      assert.is_true(s.snr >= s.mes) -- a matched filter is the best there is
    end
  end)
end)

describe("sums", function()
  it("have their limits", function()
    local none = summary(K.doubles { 0, 0, 0 }, 3, 1e-4)
    assert.same({ 0, 0, 3, 0, 0 }, { none.integrated_power, none.pixels_in_transit, none.pixels_out_of_transit, none.mes, none.snr })
    assert.equal(1e8, summary(K.doubles { 0, 0.1 }, 2, 0).mes)
    assert.equal(1e8, summary(K.doubles { 0, 0.1 }, 2, K.nan).snr)
    assert.equal(0, summary(K.doubles(1), 0, 1).pixels_in_transit)
    K.near(3 / math.sqrt(2), summary(K.doubles { 1, 2, 0 }, 3, 1).mes, 1e-15)
    K.near(math.sqrt(5), summary(K.doubles { 1, 2, 0 }, 3, 1).snr, 1e-15)
  end)
end)

describe("noise", function()
  it("is the stream by definition, any part of it alone", function()
    local n = 1001
    local all, part = K.doubles(n), K.doubles(50)
    lib.eas_transit_model_noise(42, 0, n, all)
    lib.eas_transit_model_noise(42, 333, 50, part)
    for i = 0, 49 do assert.equal(all[333 + i], part[i]) end
    for i = 0, n - 1, 2 do -- an even number takes the cosine of its pair
      assert.is_true(math.abs(all[i] - K.normal(42, i / 2)) < 1e-14)
    end
  end)

  it("is normal and white, and another for another seed", function()
    local n = 100000
    local a, b, mean, square, lag, cross, out = K.doubles(n), K.doubles(n), 0, 0, 0, 0, 0
    lib.eas_transit_model_noise(1, 0, n, a)
    lib.eas_transit_model_noise(2, 0, n, b)
    for i = 0, n - 1 do
      mean, square, cross = mean + a[i], square + a[i] ^ 2, cross + a[i] * b[i]
      if i > 0 then lag = lag + a[i] * a[i - 1] end
      if math.abs(a[i]) > 1.959964 then out = out + 1 end
    end
    assert.is_true(math.abs(mean / n) < 0.015)
    assert.is_true(math.abs(square / n - 1) < 0.02)
    assert.is_true(math.abs(lag / n) < 0.015)
    assert.is_true(math.abs(cross / n) < 0.015)
    assert.is_true(math.abs(out / n - 0.05) < 0.003)
  end)
end)

describe("transit_model refuses", function()
  local function check(change)
    local job, data = ffi.new "eas_transit_model_job", K.doubles(3)
    fill(job, { period = 3, p = 0.1, a = 8, u = { 0.3, 0.2 } })
    job.n, job.step, job.deficit = 3, 0.1, data
    if change then change(job, job.set) end
    return lib.eas_transit_model_check(job)
  end

  it("nothing that is right", function()
    assert.equal(K.OK, check())
    assert.equal(K.OK, check(function(job) job.n = 0 end))
    assert.equal(K.OK, check(function(_, set) set.inclination = 10 end)) -- no transit is no error
  end)

  it("settings outside of their range", function()
    for name, list in pairs { period = { 0, -1, K.nan, K.inf }, axis = { 1, 0.5, K.nan, K.inf }, eccentricity = { -0.1, 1, K.nan },
      t0 = { K.nan, K.inf }, omega = { K.nan, K.inf }, inclination = { K.nan }, radius_ratio = { K.nan, K.inf }, u1 = { K.nan, 3 - 0.1 },
      law = { -1, 3 }, supersample = { 0, 10001 }, sampling = { 2 } } do
      for _, bad in ipairs(list) do
        assert.equal(K.EARG, check(function(_, set) set[name] = bad end), name .. " " .. bad)
      end
    end
    assert.equal(K.EARG, check(function(_, set) set.supersample = 3 end)) -- and no exposure
    assert.equal(K.EARG, check(function(job) job.deficit = nil end))
    assert.equal(K.EARG, check(function(job) job.step = K.nan end))
  end)

  it("times that are not finite", function()
    for _, bad in ipairs { K.nan, K.inf } do
      local times = K.doubles { 1, bad, 3 }
      assert.equal(K.EDATA, check(function(job) job.time = times end))
    end
  end)
end)
