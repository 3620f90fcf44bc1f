-- psls: golden numbers of the templates, the transform, spectra against their formulas, noise, drift, seeds.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "psls"

local MAIN, GIANT = 0, 1
local OSCILLATION, GRANULATION, ACTIVITY = 1, 2, 4

local function template(kind, parts)
  local star = ffi.new "eas_psls_star"
  assert.equal(K.OK, lib.eas_psls_template(kind, star))
  star.parts = parts or star.parts
  return star
end

local function describe_star(star)
  local out = ffi.new "eas_psls_numbers"
  assert.equal(K.OK, lib.eas_psls_describe(star, out))
  return out
end

local function job_of(n, set)
  local job, length = ffi.new "eas_psls_job", tonumber(lib.eas_psls_length(n))
  local keep = { K.doubles(length + 2), K.doubles(length), K.doubles(length), K.doubles(n), ffi.new("uint32_t[?]", n), set.modes }
  job.n, job.length, job.cadence, job.seed = n, length, set.cadence or 25, set.seed or 1
  job.groups, job.cameras, job.group_shift = set.groups or 1, set.cameras or 1, set.shift or 0
  job.noise, job.drift, job.mask_updates, job.drift_step = set.noise or 0, set.drift or 0, set.updates or 0, set.step or 0
  job.star = set.star or template(MAIN, 0)
  job.spectrum, job.buffer, job.series, job.flux, job.flag = keep[1], keep[2], keep[3], keep[4], keep[5]
  if set.modes then job.mode, job.n_mode = set.modes, set.n_mode end
  return job, keep, length
end

-- Runs one of the kernel's range functions in parts, the last first.
local function go(name, job, n, parts)
  for k = (parts or 1) - 1, 0, -1 do
    local work = K.scratch(lib.eas_psls_work_size(job))
    assert.equal(K.OK, lib[name](job, math.floor(n * k / (parts or 1)), math.floor(n * (k + 1) / (parts or 1)), work))
  end
end

-- A light curve: series (ppm), flux (not normalised), flags as lists.
local function make(n, set, parts)
  local job, keep, length = job_of(n, set)
  assert.equal(K.OK, lib.eas_psls_check(job))
  go("eas_psls_run", job, length / 2 + 1, parts)
  go("eas_psls_transform", job, 1)
  go("eas_psls_sample", job, n, parts)
  return keep[3], keep[4], keep[5], job, keep, length
end

local function std(data, n)
  local mean, square = 0, 0
  for i = 0, n - 1 do mean = mean + data[i] / n end
  for i = 0, n - 1 do square = square + (data[i] - mean) ^ 2 / n end
  return math.sqrt(square), mean
end

describe("the templates", function()
  it("have the golden numbers of the main sequence", function()
    local is = describe_star(template(MAIN))
    for name, value in pairs { numax = 2515.13, delta_nu = 115.70, gamma_max = 1.11269, amplitude_max = 4.12755, height_max = 9.74746,
      width = 648.690, bolometric = 1.02552, nsr = 128.2435 } do
      K.near(value, is[name], 1e-5 + (name == "delta_nu" and 4e-5 or 0), name)
    end
    for i, row in ipairs { { 28.7232, 630.381, 1.17830 }, { 30.2882, 2239.570, 0.368789 } } do
      K.near(row[1], is.granulation_a[i - 1], 1e-5)
      K.near(row[2], is.granulation_b[i - 1], 1e-5)
      K.near(row[3], is.granulation_h[i - 1], 1e-5)
    end
  end)

  it("have the golden numbers of the red giant", function()
    local is = describe_star(template(GIANT))
    for name, value in pairs { mass = 1.706782, radius = 5.490532, height_max = 1023.5248, width = 64.25782, gamma = 0.172926,
      epsilon = 1.259785, d01 = 0.0143680, d02 = 0.122657, curvature = 0.00649009, orders = 22, bolometric = 1.0783582, nsr = 493.1622 } do
      K.near(value, is[name], 1e-5, name)
    end
    for i, row in ipairs { { 142.2731, 49.29452, 369.6938 }, { 133.0206, 165.29405, 96.37744 } } do
      K.near(row[1], is.granulation_a[i - 1], 1e-5)
      K.near(row[2], is.granulation_b[i - 1], 1e-5)
      K.near(row[3], is.granulation_h[i - 1], 1e-5)
    end
  end)
end)

describe("modes", function()
  local list = ffi.new("eas_psls_mode[?]", lib.EAS_PSLS_MODES_MAX)

  it("of the main sequence are evenly spaced and strongest at numax", function()
    local n = lib.eas_psls_modes(template(MAIN), 0.1, list)
    assert.is_true(n > 100 and n < 200)
    local best, radial = 0, {}
    for i = 0, n - 1 do
      if list[i].l == 1 and list[i].height > list[best].height then best = i end
      if list[i].l == 0 then radial[#radial + 1] = list[i].nu end
      assert.is_true(list[i].width >= 1.11269 and list[i].height >= 0)
    end
    assert.is_true(math.abs(list[best].nu - 2515) < 120)
    for i = 2, #radial do assert.is_true(math.abs(radial[i] - radial[i - 1] - 115.7) < 10) end
  end)

  it("of the red giant are mixed: each holds its equation, none is missing", function()
    local star, is = template(GIANT), describe_star(template(GIANT))
    local n = lib.eas_psls_modes(star, 0.01, list)
    local by_order = {}
    for i = 0, n - 1 do
      local m = list[i]
      if m.l == 1 then
        local away = m.n - is.numax / is.delta_nu
        local p = is.delta_nu * (m.n + 0.5 + is.epsilon - is.d01 + 0.5 * is.curvature * away * away)
        local right = p + is.delta_nu / math.pi * math.atan(star.coupling * math.tan(math.pi * (1e6 / (m.nu * star.dpi) - 0.25)))
        assert.is_true(math.abs(m.nu - right) < 1e-6, m.nu .. " " .. right)
        assert.is_true(m.width > 0 and m.width <= is.gamma)
        by_order[m.n] = (by_order[m.n] or 0) + 1
      end
    end
    local count = 0
    for order, found in pairs(by_order) do -- one for each period spacing in delta_nu, and the pressure mode
      count = count + 1
      local p = is.delta_nu * (order + 0.5 + is.epsilon)
      if math.abs(p - is.numax) < 30 then
        local expected = 1e6 / star.dpi * (1 / (p - is.delta_nu / 2) - 1 / (p + is.delta_nu / 2)) + 1
        assert.is_true(math.abs(found - expected) < 2.5, ("%d: %d of %.1f"):format(order, found, expected))
      end
    end
    assert.is_true(count >= 4)
  end)

  it("with l = 3 lie near the radial ones of the next order, not far off", function()
    local is = describe_star(template(GIANT))
    lib.eas_psls_modes(template(GIANT), 0.01, list)
    assert.is_true(is.d03 > 0.2 and is.d03 < 0.4)
  end)
end)

describe("the transform", function()
  it("is the sum by definition, for lengths of every factor", function()
    for _, n in ipairs { 2, 4, 6, 8, 10, 12, 16, 18, 20, 24, 30, 48, 50, 54, 90, 120, 150, 250, 256, 300 } do
      local job, keep, length = job_of(n, {})
      assert.equal(n, length)
      for k = 1, length / 2 - 1 do keep[1][2 * k], keep[1][2 * k + 1] = K.normal(1, k), K.normal(2, k) end
      go("eas_psls_transform", job, 1)
      for j = 0, length - 1 do
        local sum = 0
        for k = 1, length / 2 - 1 do
          local a = 2 * math.pi * ((j * k) % length) / length
          sum = sum + keep[1][2 * k] * math.cos(a) - keep[1][2 * k + 1] * math.sin(a)
        end
        assert.is_true(math.abs(keep[3][j] - sum) < 1e-11 * length, ("%d at %d: %g %g"):format(n, j, keep[3][j], sum))
      end
    end
  end)

  it("takes the shortest length that fits", function()
    for n, length in pairs { [1] = 2, [2] = 2, [3] = 4, [7] = 8, [11] = 12, [97] = 100, [2522880] = 2560000, [4097] = 4320 } do
      local got = tonumber(lib.eas_psls_length(n))
      assert.is_true(got >= n and got <= length, n .. " " .. got)
    end
    assert.equal(0, tonumber(lib.eas_psls_length(0)))
  end)
end)

describe("the spectrum", function()
  -- Periodogram (one sided, ppm^2/uHz) over the mean power: mean and share above 1 of exponential numbers.
  local function ratio_of(star, cadence, seeds, modes, n_mode)
    local n, sum, above, count, octaves = 1024, 0, 0, 0, {}
    local c, s = K.doubles(n), K.doubles(n)
    for i = 0, n - 1 do c[i], s[i] = math.cos(2 * math.pi * i / n), math.sin(2 * math.pi * i / n) end
    for seed = 1, seeds do
      local series, _, _, job, _, length = make(n, { star = star, cadence = cadence, seed = seed, modes = modes, n_mode = n_mode })
      assert.equal(n, length)
      local resolution, power = 1e6 / (length * cadence), K.doubles(3)
      for k = 1, 500, 3 do
        local re, im, at = 0, 0, 0
        for j = 0, n - 1 do
          re, im = re + series[j] * c[at], im + series[j] * s[at]
          at = at + k < n and at + k or at + k - n
        end
        lib.eas_psls_density(job, k, power)
        local r = 2 * (re * re + im * im) / length ^ 2 / resolution / (power[0] + power[1] + power[2])
        sum, count, above = sum + r, count + 1, above + (r > 1 and 1 or 0)
        local o = math.floor(math.log(k) / math.log(2))
        octaves[o] = octaves[o] or { 0, 0 }
        octaves[o][1], octaves[o][2] = octaves[o][1] + r, octaves[o][2] + 1
      end
    end
    for o, pair in pairs(octaves) do
      assert.is_true(math.abs(pair[1] / pair[2] - 1) < 3.5 / math.sqrt(pair[2]), ("octave %d: %g"):format(o, pair[1] / pair[2]))
    end
    return sum / count, above / count, count
  end

  it("is that of the formulas on average, with exponential scatter", function()
    local list = ffi.new("eas_psls_mode[?]", lib.EAS_PSLS_MODES_MAX)
    for _, case in ipairs { { template(MAIN), 60 }, { template(MAIN, GRANULATION), 600 }, { template(GIANT), 1000, true }, { template(MAIN, ACTIVITY), 900 } } do
      local n_mode = case[3] and lib.eas_psls_modes(case[1], 1e6 / (1024 * case[2]), list) or 0
      local mean, above, count = ratio_of(case[1], case[2], 12, n_mode > 0 and list or nil, n_mode)
      assert.is_true(math.abs(mean - 1) < 3 / math.sqrt(count), mean)
      assert.is_true(math.abs(above - math.exp(-1)) < 3 * 0.48 / math.sqrt(count), above)
    end
  end)

  it("is granulation's by its formula, folded at Nyquist's frequency", function()
    local job = job_of(1000, { star = template(MAIN, GRANULATION), cadence = 600 })
    local out, f = K.doubles(3), 300 * 1e6 / (1000 * 600)
    lib.eas_psls_density(job, 300, out)
    local function h(x) return 1.17830 / (1 + (x / 630.381) ^ 4) + 0.368789 / (1 + (x / 2239.570) ^ 4) end
    local x = math.pi * f * 600e-6
    K.near((h(f) + h(1e6 / 600 - f)) * (math.sin(x) / x) ^ 2, out[1], 2e-5)
    assert.same({ 0, 0 }, { out[0], out[2] })
  end)

  it("is the modes' by their profiles, resolved or not", function()
    local modes = ffi.new("eas_psls_mode[2]")
    modes[0].nu, modes[0].width, modes[0].height = 500, 40, 3
    modes[1].nu, modes[1].width, modes[1].height = 900, 0.1, 50
    local job, keep = job_of(1000, { star = template(MAIN, OSCILLATION), cadence = 100, modes = modes, n_mode = 2 })
    local out, bolometric = K.doubles(3), 1.02552 ^ 2
    lib.eas_psls_density(job, 52, out) -- 520 uHz, 10 apart
    local x = math.pi * 520e-4
    K.near(3 / (1 + (2 * 20 / 40) ^ 2) * bolometric * (math.sin(x) / x) ^ 2, out[0], 2e-5)
    lib.eas_psls_density(job, 90, out)
    x = math.pi * 900e-4
    K.near((50 * math.pi * 0.1 / 20 + 3 / (1 + 20 ^ 2)) * bolometric * (math.sin(x) / x) ^ 2, out[0], 2e-5)
    assert.truthy(keep)
  end)

  it("of activity has the standard deviation asked for", function()
    local n, square = 32768, 0
    for seed = 1, 3 do
      local series = make(n, { star = template(MAIN, ACTIVITY), seed = seed })
      square = square + std(series, n) ^ 2 / 3
    end
    assert.is_true(math.abs(math.sqrt(square) / 40 - 1) < 0.1, math.sqrt(square)) -- 28 days of 0.2 d
  end)

  it("scatters as it says", function()
    for _, kind in ipairs { MAIN, GIANT } do
      local n, sum, steps, squares = 4096, K.doubles(1), K.doubles(1), 0
      local series, job, keep
      for seed = 1, 8 do
        local _
        series, _, _, job, keep = make(n, { star = template(kind), cadence = 300, seed = seed })
        for j = 1, n - 1 do squares = squares + (series[j] - series[j - 1]) ^ 2 / (n - 1) / 2 / 8 end
      end
      lib.eas_psls_scatter(job, sum, steps)
      K.near(steps[0], math.sqrt(squares), 0.03)
      assert.is_true(sum[0] > steps[0])
      assert.truthy(keep)
    end
  end)
end)

describe("noise", function()
  it("is white, of the level asked for, and averages down over cameras", function()
    local n = 50000
    for _, case in ipairs { { 1, 1, 1538.92 }, { 4, 6, 1538.92 / math.sqrt(24) }, { 2, 3, 1538.92 / math.sqrt(6) } } do
      local _, flux = make(n, { noise = 1538.92, groups = case[1], cameras = case[2] })
      local got, mean = std(flux, n)
      K.near(case[3] * 1e-6, got, 0.012)
      assert.is_true(math.abs(mean - 1) < 1e-5)
      local lag = 0
      for i = 1, n - 1 do lag = lag + (flux[i] - 1) * (flux[i - 1] - 1) / n end
      assert.is_true(math.abs(lag / got ^ 2) < 0.015)
    end
  end)

  it("of nothing is exactly 1", function()
    local _, flux = make(100, {})
    for i = 0, 99 do assert.equal(1, flux[i]) end
  end)
end)

describe("groups", function()
  it("see the same star at other times: means over them are a filter", function()
    local n, set = 1000, { star = template(MAIN), cadence = 25, seed = 3 }
    local one = make(n, set)
    one = K.list(one, n)
    set.groups, set.shift = 4, 6.25
    local four = make(n, set)
    local a, b = std(K.doubles(one), n), std(four, n)
    assert.is_true(b < a and b > 0.9 * a)
    set.shift = 0
    local same = make(n, set)
    for i = 0, n - 1 do assert.is_true(math.abs(same[i] - one[i + 1]) < 1e-9) end
  end)
end)

describe("seeds", function()
  local set = { star = template(MAIN), noise = 100, drift = 1e-3, updates = 3, step = 1e-3, cadence = 900, groups = 2, cameras = 3 }
  local n = 9000

  it("give the same bits however the work is cut", function()
    local _, flux, flag = make(n, set)
    local first, marks = K.list(flux, n), K.list(flag, n)
    for _, parts in ipairs { 2, 3, 8 } do
      local _, other, others = make(n, set, parts)
      assert.same(first, K.list(other, n))
      assert.same(marks, K.list(others, n))
    end
  end)

  it("of another number give another star", function()
    local a = K.list(make(1000, { star = template(MAIN), seed = 1 }), 1000)
    local b = make(1000, { star = template(MAIN), seed = 2 })
    local cross, aa, bb = 0, 0, 0
    for i = 1, 1000 do cross, aa, bb = cross + a[i] * b[i - 1], aa + a[i] ^ 2, bb + b[i - 1] ^ 2 end
    assert.is_true(math.abs(cross) / math.sqrt(aa * bb) < 0.8)
  end)

  it("keep each part as it is when another is switched off", function()
    local function series(parts) return K.list(make(600, { star = template(MAIN, parts) }), 600) end
    local both, one, other = series(GRANULATION + ACTIVITY), series(GRANULATION), series(ACTIVITY)
    for i = 1, 600 do assert.is_true(math.abs(both[i] - one[i] - other[i]) < 1e-9) end
    local _, noisy = make(600, { noise = 500 })
    noisy = K.list(noisy, 600)
    local _, more = make(600, { noise = 500, drift = 1e-3 })
    local _, drift = make(600, { drift = 1e-3 })
    for i = 0, 599 do assert.is_true(math.abs(more[i] - noisy[i + 1] - drift[i] + 1) < 1e-15) end
  end)

  it("give the same at all levels of instructions, to the last bits", function()
    local function at(level)
      local got
      K.at_level(level, function() got = K.list(make(2000, { star = template(GIANT), cadence = 600 }), 2000) end)
      return got
    end
    local plain = at "sse2"
    for _, level in ipairs { "avx2", "avx512" } do
      for i, x in ipairs(at(level)) do assert.is_true(math.abs(x - plain[i]) < 1e-8) end
    end
  end)
end)

describe("drift", function()
  it("starts anew each quarter, steps where a mask is updated, and is flagged there", function()
    local n = 90 * 96 * 2
    local _, flux, flag = make(n, { cadence = 900, updates = 3, step = 0.01 })
    local jumps = 0
    for i = 1, n - 1 do
      local step = math.abs(flux[i] - flux[i - 1])
      if i ~= 90 * 96 then assert.equal(flag[i] == 2, step > 1e-12) end
      jumps = jumps + (flag[i] == 2 and 1 or 0)
    end
    assert.is_true(jumps >= 1 and jumps <= 16, jumps)
    _, flux, flag = make(n, { cadence = 900, drift = 0.01 })
    local most = 0
    for i = 1, n - 1 do
      if i ~= 90 * 96 then most = math.max(most, math.abs(flux[i] - flux[i - 1])) end
      assert.equal(0, flag[i])
    end
    assert.is_true(most < 1e-4)
    assert.is_true(math.abs(flux[90 * 96] - 1) < 1e-12 and math.abs(flux[90 * 96 - 1] - 1) > 1e-4)
  end)
end)

describe("psls refuses", function()
  it("what it cannot make", function()
    local function check(change)
      local job, keep = job_of(100, {})
      change(job)
      assert.truthy(keep)
      return lib.eas_psls_check(job)
    end
    for name, list in pairs { cadence = { 0, -1, K.nan, K.inf }, groups = { 0, 5 }, cameras = { 0, 7 }, noise = { -1, K.nan, K.inf },
      drift = { -1, 2, K.nan }, mask_updates = { -1, 11, K.nan }, group_shift = { K.nan }, length = { 0, 99, 200 } } do
      for _, bad in ipairs(list) do assert.equal(K.EARG, check(function(job) job[name] = bad end), name .. " " .. bad) end
    end
    for name, list in pairs { teff = { 0, K.nan, 1e9 }, mass = { 0, K.nan }, radius = { -1, K.inf }, numax = { -1, K.nan }, pattern = { 2 },
      activity_sigma = { -1, K.nan }, activity_tau = { 0 }, parts = { 8 } } do
      for _, bad in ipairs(list) do assert.equal(K.EARG, check(function(job) job.star[name] = bad end), name .. " " .. bad) end
    end
    assert.equal(K.EFEW, check(function(job) job.n = 1 end))
    assert.equal(K.EARG, check(function(job) job.series = nil end))
    local mode = ffi.new "eas_psls_mode[1]"
    assert.equal(K.EDATA, check(function(job) job.mode, job.n_mode = mode, 1 end))
    assert.equal(K.EARG, lib.eas_psls_template(2, ffi.new "eas_psls_star"))
  end)

  it("to divide by a mean that is none", function()
    assert.is_true(lib.eas_psls_normalise(K.doubles { 1, -1 }, 2) ~= 0)
    local flux = K.doubles { 1, 3 }
    assert.equal(2, lib.eas_psls_normalise(flux, 2))
    assert.same({ 0.5, 1.5 }, K.list(flux, 2))
  end)
end)
