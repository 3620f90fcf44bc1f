-- vetting: clean planets pass, each kind of false alarm fails the check that is meant for it.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "vetting"

local VERDICT = { [0] = "pass", "warn", "fail", "skip", "note" }
local CHECKS = tonumber(lib.EAS_VETTING_CHECKS)

local function job_of(t, y, set)
  local job = ffi.new "eas_vetting_job"
  local keep = { K.doubles(t), K.doubles(y), ffi.new("eas_vetting_check_result[?]", CHECKS), ffi.new "eas_vetting_numbers[1]",
                 set.flag and ffi.new("uint32_t[?]", #t, set.flag) }
  job.n, job.time, job.flux, job.out, job.numbers, job.flag = #t, keep[1], keep[2], keep[3], keep[4], keep[5]
  job.set.period, job.set.t0, job.set.duration = set.period, set.t0, set.duration
  job.set.sde, job.set.sde_pass, job.set.sde_fail = set.sde or K.nan, 9, 7
  job.set.star_radius = set.star_radius or K.nan
  return job, keep
end

-- Verdicts and values by name, and the numbers.
local function vet(t, y, set)
  local job, keep = job_of(t, y, set)
  assert.equal(K.OK, lib.eas_vetting_check(job))
  K.run(lib, "vetting", job, 1)
  local verdict, value = {}, {}
  for c = 0, CHECKS - 1 do
    local name = ffi.string(lib.eas_vetting_name(c))
    verdict[name], value[name] = VERDICT[keep[3][c].verdict], keep[3][c].value
  end
  return verdict, value, ffi.new("eas_vetting_numbers", keep[4][0])
end

local CANDIDATE = { period = 3.3, t0 = 1.1, duration = 0.12, sde = 20, star_radius = 1 }
local function curve(change)
  local set = { n = 6000, step = 900 / 86400, period = 3.3, t0 = 1.1, duration = 0.12, depth = 2e-3, noise = 4e-4, seed = 21 }
  for k, v in pairs(change or {}) do set[k] = v end
  return K.box_curve(set)
end

-- Adds a dip of a depth where |time - at| < half a duration, for all `at` of (first + k step).
local function add(t, y, first, step, depth, duration)
  for i, time in ipairs(t) do
    local x = (time - first) / step
    local k = math.floor(x + 0.5)
    if k >= 0 and math.abs(x - k) * step < (duration or 0.12) / 2 then y[i] = y[i] - depth end
  end
end

local function failures(verdict)
  local list = {}
  for name, v in pairs(verdict) do
    if v == "fail" then list[#list + 1] = name end
  end
  table.sort(list)
  return table.concat(list, " ")
end

describe("a clean planet", function()
  local t, y = curve()
  local verdict, value, numbers = vet(t, y, CANDIDATE)

  it("passes everything", function()
    for name, v in pairs(verdict) do assert.is_true(v == "pass" or v == "note", name .. " " .. v) end
  end)

  it("is measured", function()
    K.near(2e-3, numbers.depth, 0.05)
    K.near(2e-3, numbers.depth_odd, 0.07)
    K.near(2e-3, numbers.depth_even, 0.07)
    K.near(4e-4, numbers.sigma, 0.05)
    assert.equal(19, numbers.n_transits)
    K.near(2e-3 / 4e-4 * math.sqrt(numbers.n_in_transit), value.snr, 0.06)
    assert.is_true(math.abs(value.opposite) < 0.1)
    assert.equal(1, value.alias)
  end)

  it("is judged alike where t0 is any of its transits, and time begins elsewhere", function()
    local moved = {}
    for i, v in ipairs(t) do moved[i] = v + 2458000 end
    local other = vet(moved, y, { period = 3.3, t0 = 2458001.1 - 3.3 * 7, duration = 0.12, sde = 20, star_radius = 1 })
    assert.same(verdict, other)
  end)

  it("stays as judged when a gap opens away from it", function()
    local cut_t, cut_y = {}, {}
    for i, v in ipairs(t) do
      if v < 30 or v > 40 then cut_t[#cut_t + 1], cut_y[#cut_y + 1] = v, y[i] end
    end
    local other, more = vet(cut_t, cut_y, CANDIDATE)
    for _, name in ipairs { "odd_even", "secondary", "share", "scatter", "leave_out" } do assert.equal(verdict[name], other[name]) end
    assert.is_true(more.empty > 0)
  end)
end)

describe("a deep, round transit seen by few samples", function()
  local function round(odd_depth)
    local t, y = curve { depth = 0, noise = 2e-5 }
    for i, time in ipairs(t) do
      local k = math.floor((time - 1.1) / 3.3 + 0.5)
      local x = math.abs(time - 1.1 - 3.3 * k) / 0.06
      if x < 1 then y[i] = y[i] - (k % 2 == 0 and 8e-3 or odd_depth) * math.sqrt(1 - x * x) end
    end
    return vet(t, y, CANDIDATE)
  end

  it("passes: what part of it was seen differs from transit to transit", function()
    local verdict = round(8e-3)
    assert.equal("", failures(verdict))
    assert.same({ "pass", "pass" }, { verdict.scatter, verdict.odd_even })
  end)

  it("fails odd_even when every other one is half as deep", function()
    assert.equal("fail", round(4e-3).odd_even)
  end)
end)

describe("a false alarm", function()
  it("of an eclipsing binary at twice the period fails odd_even", function()
    local t, y = curve { depth = 0 }
    add(t, y, 1.1, 6.6, 4e-3)
    add(t, y, 4.4, 6.6, 2e-3)
    local verdict = vet(t, y, CANDIDATE)
    assert.equal("fail", verdict.odd_even)
  end)

  it("of half the period is told as an alias", function()
    local t, y = curve { depth = 0 }
    add(t, y, 1.1, 6.6, 4e-3)
    local verdict, value = vet(t, y, CANDIDATE)
    assert.equal(2, value.alias)
    assert.equal("warn", verdict.alias)
    assert.equal("fail", verdict.odd_even)
  end)

  it("of twice and three times the period is told too", function()
    local t, y = curve()
    local _, value = vet(t, y, { period = 6.6, t0 = 1.1, duration = 0.12, sde = 20 })
    assert.equal(0.5, value.alias)
    _, value = vet(t, y, { period = 9.9, t0 = 1.1, duration = 0.12, sde = 20 })
    K.near(1 / 3, value.alias, 1e-12)
  end)

  it("with an eclipse half a period away fails secondary", function()
    local t, y = curve()
    add(t, y, 1.1 + 1.65, 3.3, 1e-3)
    local verdict, value, numbers = vet(t, y, CANDIDATE)
    assert.equal("fail", verdict.secondary)
    K.near(0.5, numbers.phase_secondary, 0.02)
    K.near(0.5, value.opposite, 0.1)
  end)

  it("that is a sine fails sine", function()
    local t, y = curve { depth = 0 }
    for i, time in ipairs(t) do y[i] = y[i] - 1e-3 * math.cos(2 * math.pi * (time - 1.1) / 3.3) end
    assert.equal("fail", vet(t, y, CANDIDATE).sine)
  end)

  it("of one event fails share and leave_out", function()
    local t, y = curve { depth = 0 }
    add(t, y, 1.1 + 3.3 * 5, 1e6, 8e-3)
    local verdict = vet(t, y, CANDIDATE)
    assert.equal("fail", verdict.share)
    assert.equal("fail", verdict.leave_out)
    assert.equal("warn", verdict.scatter)
  end)

  it("beside gaps fails edges", function()
    local t, y = curve()
    local cut_t, cut_y = {}, {}
    for i, time in ipairs(t) do -- each transit ends at a gap
      local x = (time - 1.1) % 3.3
      if x < 0.055 or x > 0.5 then cut_t[#cut_t + 1], cut_y[#cut_y + 1] = time, y[i] end
    end
    local verdict, value = vet(cut_t, cut_y, CANDIDATE)
    assert.equal("fail", verdict.edges)
    assert.equal("warn", verdict.coverage)
    assert.is_true(value.edges > 0.9)
  end)

  it("beside mask updates fails edges", function()
    local t, y = curve()
    local flag = {}
    for i, time in ipairs(t) do flag[i] = (time - 1.1 + 1.65) % 3.3 - 1.65 > 0.07 and (time - 1.1) % 3.3 < 0.09 and 2 or 4 end
    assert.equal("fail", vet(t, y, { period = 3.3, t0 = 1.1, duration = 0.12, flag = flag }).edges)
  end)

  it("as deep as a star, or too long for its period, fails depth or duration", function()
    local t, y = curve { depth = 0.3 }
    assert.equal("fail", vet(t, y, CANDIDATE).depth)
    t, y = curve { duration = 0.7 }
    assert.equal("fail", vet(t, y, { period = 3.3, t0 = 1.1, duration = 0.7 }).duration)
  end)

  it("of brightening fails depth and significance", function()
    local t, y = curve { depth = -2e-3 }
    local verdict = vet(t, y, CANDIDATE)
    assert.equal("fail", verdict.depth)
    assert.equal("fail", verdict.snr)
  end)

  it("that is peaked warns shape", function()
    local t, y = curve { depth = 0, noise = 1e-5 }
    for i, time in ipairs(t) do
      local x = math.abs((time - 1.1 + 1.65) % 3.3 - 1.65)
      if x < 0.06 then y[i] = y[i] - 4e-3 * (1 - x / 0.06) ^ 2 end
    end
    assert.equal("warn", vet(t, y, CANDIDATE).shape)
  end)

  it("at a period of the instrument warns artefact", function()
    local t, y = curve { period = 3.0005 }
    assert.equal("warn", vet(t, y, { period = 3.0005, t0 = 1.1, duration = 0.12 }).artefact)
  end)

  it("in red noise fails inverted", function()
    local failed = 0
    for seed = 1, 10 do
      local t, y = curve { depth = 0, seed = seed, noise = 1e-5 }
      local red = 0
      for i = 1, #t do
        red = 0.95 * red + 1e-3 * K.normal(1000 + seed, i)
        y[i] = y[i] + red
      end
      local verdict = vet(t, y, { period = 3.3, t0 = 1.1, duration = 0.12 })
      if verdict.inverted == "fail" then failed = failed + 1 end
    end
    assert.is_true(failed >= 7, failed .. " of 10")
  end)

  it("is told by how strong its opposite is", function()
    local t, y = curve { depth = 0, noise = 1e-5 }
    add(t, y, 1.1, 3.3, 2e-3)
    add(t, y, 1.9, 3.3, -1.2e-3)
    local _, value = vet(t, y, CANDIDATE)
    K.near(0.6, value.inverted, 0.1)
    local mirror = {}
    for i = 1, #y do mirror[i] = 2 - y[i] end
    local verdict, other = vet(t, mirror, { period = 3.3, t0 = 1.9, duration = 0.12 })
    K.near(1 / 0.6, other.inverted, 0.1)
    assert.equal("fail", verdict.inverted)
  end)

  it("of a body larger than planets are warns radius", function()
    local t, y = curve { depth = 0.04 }
    local verdict, value = vet(t, y, { period = 3.3, t0 = 1.1, duration = 0.12, star_radius = 1.4 })
    assert.equal("warn", verdict.radius)
    K.near(math.sqrt(0.04) * 1.4 * 695500 / 71492, value.radius, 0.02)
  end)

  it("seen at the same instants of the cadence warns artefact", function()
    local set = { n = 3000, step = 1 / 48, period = 161 / 48, t0 = 33 / 48, duration = 0.03, depth = 5e-3, noise = 1e-4, seed = 5 }
    local t, y = K.box_curve(set)
    assert.equal("warn", vet(t, y, { period = 161 / 48, t0 = 33 / 48, duration = 0.03 }).artefact)
    assert.equal("pass", vet(t, y, { period = 161 / 48, t0 = 33 / 48, duration = 0.12 }).artefact)
  end)

  it("in white noise fails significance, always", function()
    for seed = 1, 200 do
      local t, y = curve { n = 500, depth = 0, seed = seed }
      local verdict = vet(t, y, { period = 1 + seed % 17 / 10, t0 = 0.3, duration = 0.1, sde = 4 })
      assert.equal("fail", verdict.snr)
      assert.equal("fail", verdict.sde)
    end
  end)
end)

describe("limits", function()
  it("of the search's significance", function()
    local t, y = curve()
    for sde, expected in pairs { [9] = "pass", [8.99] = "warn", [7] = "warn", [6.99] = "fail", [K.inf] = "pass" } do
      assert.equal(expected, vet(t, y, { period = 3.3, t0 = 1.1, duration = 0.12, sde = sde }).sde)
    end
    assert.equal("skip", vet(t, y, { period = 3.3, t0 = 1.1, duration = 0.12 }).sde)
  end)

  it("of the number of transits", function()
    for n, expected in pairs { [9] = "pass", [6] = "warn", [3] = "fail" } do
      local t, y = curve { n = n * 96 } -- days
      assert.equal(expected, vet(t, y, CANDIDATE).transits, n .. " days")
    end
  end)
end)

describe("a long light curve", function()
  it("is vetted in a moment, also where the duration is one sample and the period is all of it", function()
    local n = 200000
    local t, y = {}, {}
    for i = 1, n do t[i], y[i] = i / 3456, 1 + 1e-4 * math.sin(12.9898 * i) * math.cos(78.233 * i) end
    local start = os.clock()
    for _, set in ipairs { { 3.3, 0.12 }, { 40, 3e-4 }, { 7e-4, 3e-4 }, { 57, 25 } } do
      local verdict = vet(t, y, { period = set[1], t0 = 0.2, duration = set[2] })
      assert.is_true(verdict.inverted == "fail" or verdict.inverted == "pass")
    end
    assert.is_true(os.clock() - start < 15)
  end)
end)

describe("what is no candidate", function()
  it("fails as such and is skipped otherwise", function()
    local t, y = curve { n = 100 }
    for _, set in ipairs { { K.nan, 1, 0.1 }, { 3, K.nan, 0.1 }, { 3, 1, K.nan }, { 3, 1, 0 }, { 3, 1, -1 }, { 3, 1, 1.5 }, { 0, 1, 0.1 },
                           { -3, 1, 0.1 }, { K.inf, 1, 0.1 } } do
      local verdict = vet(t, y, { period = set[1], t0 = set[2], duration = set[3] })
      assert.equal("candidate", failures(verdict))
      assert.equal("skip", verdict.snr)
    end
  end)

  it("never passes on data that do not suffice", function()
    for n = 0, 6 do
      local t, y = curve { n = n }
      local verdict = vet(t, y, CANDIDATE)
      assert.is_true(verdict.snr == "skip" or verdict.snr == "fail")
    end
    local t, y = curve { n = 500, noise = 0, depth = 0 } -- constant
    assert.equal("fail", vet(t, y, CANDIDATE).snr)
    t, y = curve { n = 40 } -- a period longer than the data, no sample in transit
    assert.equal("fail", vet(t, y, { period = 1000, t0 = 500, duration = 0.1 }).transits)
  end)
end)

describe("vetting refuses", function()
  local t, y = curve { n = 20 }
  it("samples that are not finite or not in order", function()
    for _, bad in ipairs { K.nan, K.inf } do
      local a, b = job_of(t, { bad, unpack(y, 2) }, CANDIDATE), job_of({ bad, unpack(t, 2) }, y, CANDIDATE)
      assert.equal(K.EDATA, lib.eas_vetting_check(a))
      assert.equal(K.EDATA, lib.eas_vetting_check(b))
    end
    assert.equal(K.EDATA, lib.eas_vetting_check((job_of({ t[2], t[1], unpack(t, 3) }, y, CANDIDATE))))
  end)

  it("more periods than can be", function()
    assert.equal(K.EARG, lib.eas_vetting_check((job_of(t, y, { period = 1e-9, t0 = 0, duration = 1e-10 }))))
    assert.equal(K.EARG, lib.eas_vetting_check((job_of(t, y, { period = 1, t0 = 1e300, duration = 0.1 }))))
  end)

  it("to name what is no check", function()
    assert.is_true(lib.eas_vetting_name(-1) == nil)
    assert.is_true(lib.eas_vetting_name(CHECKS) == nil)
  end)
end)
