-- synthesis_psls: products against what their specs ask for, and a quality check that catches what is not so.
local T = require "spec.support"
local run = require "spec.tasks.run"

local outputs = { lightcurve = { filename = "lc.txt" } }

local function make(specs, seed)
  return run.type("synthesis_psls", { description = { task = "synthesis_psls", specs = specs }, outputs = outputs, seed = seed })
end

local function judge(got, spoil)
  local o = got.outputs.lightcurve
  local check = { role = "qc", ending = "ok", result = got.metadata, outputs = outputs, description = {},
                  made = { lightcurve = { path = got.scratch .. "/out/" .. o.file, filename = o.file, size = 1, metadata = o.metadata } } }
  if spoil then spoil(check) end
  return run.type("synthesis_psls", check)
end

-- Times (day) and fluxes of what was made.
local function columns(got)
  local t, y, flags = {}, {}, {}
  for line in T.read(got.scratch .. "/out/" .. got.outputs.lightcurve.file):gmatch "[^\n]+" do
    local a, b, c = line:match "^%s*([^#%s]%S*)%s+(%S+)%s+(%S+)"
    if a then t[#t + 1], y[#y + 1], flags[#flags + 1] = tonumber(a) / 86400, tonumber(b), tonumber(c) end
  end
  return t, y, flags
end

local planet = { duration = 30, sampling_cadence = 600, orbital_period = 7, semi_major_axis = 0.07, t0 = 2, planet_radius = 0.8 }
local function with(change, base)
  local specs = {}
  for k, v in pairs(base or planet) do specs[k] = v end
  for k, v in pairs(change or {}) do specs[k] = v end
  return specs
end

local quiet = { enable_random_noise = false, enable_oscillations = false, enable_granulation = false, enable_activity = false }

describe("synthesis_psls", function()
  it("makes stars of both kinds that pass their check", function()
    for _, mode in ipairs { "main_sequence", "red_giant" } do
      for _, more in ipairs { {}, { nsr_source = "magnitude" }, { enable_systematics = true, mask_updates = true, drift_level = "high" } } do
        more.mode = mode
        local got = make(with(more))
        assert.is_true(got.finished, got.error and got.error.message)
        local qc, m = judge(got), got.metadata
        assert.is_true(qc.verdict.pass, qc.verdict.reason)
        assert.truthy(m.noise > 0 and m.star_rms > m.star_step and m.mes > 0 and m.pixels_in_transit > 100)
        assert.equal(7, m.master_seed)
      end
    end
  end)

  it("has the noise of its cameras: by nsr, or by magnitude", function()
    local m = make(with { sampling_cadence = 25, duration = 2 }).metadata
    assert.truthy(math.abs(m.noise * 1e6 / 178.8 - 1) < 1e-3)
    assert.truthy(math.abs(m.mes / m.integrated_transit_power * 3.15e-4 * math.sqrt(m.pixels_in_transit) - 1) < 1e-9)
    m = make(with { sampling_cadence = 25, duration = 2, nsr_source = "magnitude" }).metadata
    assert.truthy(math.abs(m.noise * 1e6 / 314.131 - 1) < 1e-5)
    m = make(with { sampling_cadence = 25, duration = 2, nsr_source = "magnitude", number_camera_groups = 1, number_cameras_per_group = 1 }).metadata
    assert.truthy(math.abs(m.noise * 1e6 / 1538.92 - 1) < 1e-5)
    m = make(with { mode = "red_giant", nsr_source = "magnitude", number_camera_groups = 1, number_cameras_per_group = 1 }).metadata
    assert.truthy(math.abs(m.noise * 1e6 / (1208.00 * math.sqrt(24) / math.sqrt(24)) - 1) < 1)
  end)

  it("is transits alone when all else is off: where t0 says, as deep as the planet is", function()
    local got = make(with(quiet))
    local t, y = columns(got)
    assert.equal(4320, #t)
    local middle, weight, low = 0, 0, 1
    for i = 1, #t do
      if t[i] < 5 then middle, weight = middle + t[i] * (1 - y[i]), weight + 1 - y[i] end
      low = math.min(low, y[i])
    end
    assert.truthy(math.abs(middle / weight - 2) < 1e-6, middle / weight)
    local p = 0.8 / (695500 / 71492)
    local centre = p * p / (1 - 0.25 / 3 - 0.75 / 6) -- of a small planet before the brightest part
    assert.truthy((1 - low) / centre > 0.985 and (1 - low) / centre < 1.0)
    assert.is_true(judge(got).verdict.pass)
    t, y = columns(make(with({ enable_transits = false }, with(quiet))))
    for i = 1, #t do assert.equal(1, y[i]) end
    t, y = columns(make(with({ peer_phase = true }, with(quiet)))) -- a quarter of a period late, as the peer's are
    middle, weight = 0, 0
    for i = 1, #t do
      if t[i] < 6 then middle, weight = middle + t[i] * (1 - y[i]), weight + 1 - y[i] end
    end
    assert.truthy(math.abs(middle / weight - 3.75) < 1e-6)
  end)

  it("makes the same from the same seed, and keeps each part as others change", function()
    local specs = with { duration = 5 }
    local _, one = columns(make(specs, 3))
    local _, again = columns(make(specs, 3))
    local _, other = columns(make(specs, 4))
    assert.same(one, again)
    assert.are_not.same(one, other)
    local _, given = columns(make(with({ master_seed = 3 }, specs), 99))
    assert.same(one, given)
  end)

  it("flags updates of masks", function()
    local _, _, flags = columns(make(with { duration = 100, mask_updates = true, sampling_cadence = 1800 }))
    local n = 0
    for _, flag in ipairs(flags) do
      assert.truthy(flag == 0 or flag == 2)
      n = n + flag / 2
    end
    assert.truthy(n > 30 and n < 120, n) -- three in a quarter of 24 cameras
  end)

  it("takes modes that are given, and several planets", function()
    local got = make(with { modes = { { nu = 100, width = 2, height = 1e4 } }, planets = { { orbital_period = 5 }, { orbital_period = 8 } } })
    assert.is_true(got.finished, got.error and got.error.message)
    local rms = math.sqrt(math.pi / 2 * 1e4 * 2) * 1.02552
    local rest = make(with { modes = {} }).metadata.star_rms
    assert.truthy(math.abs(math.sqrt(got.metadata.star_rms ^ 2 - rest ^ 2) * 1e6 / rms - 1) < 0.02)
    assert.equal(2, #got.metadata.planets)
    assert.is_true(judge(got).verdict.pass)
  end)

  it("refuses specs that make no sense", function()
    for _, case in ipairs { { { nrs = 3 }, "unknown setting 'nrs'; use nsr" }, { { mode = "dwarf" }, "it takes main_sequence, red_giant" },
      { { sampling_cadence = 0 }, "must be > 0" }, { { duration = 0.001 }, "less than two samples" }, { { nsr = -1 }, "nsr is -1" },
      { { number_camera_groups = 5 }, "number_camera_groups is 5; it takes a whole number, 1 to 4" },
      { { number_cameras_per_group = 1.5 }, "number_cameras_per_group is 1.5" }, { { master_seed = -2 }, "master_seed is -2" },
      { { modes = { { nu = 3 } } }, "mode 1 needs nu, width and height" }, { { modes = { { nu = 3, width = 0, height = 1 } } }, "psls" },
      { { eccentricity = 1 }, "eccentricity" }, { { nsr_source = "sky" }, "it takes user, magnitude" } } do
      local got = make(with(case[1]))
      assert.truthy(got.error and got.error.message:find(case[2], 1, true), got.error and got.error.message)
    end
  end)

  it("is refused by its check when it is not what was asked for", function()
    local got = make(with { planet_radius = 1.5 })
    for _, case in ipairs { { function(c) c.result.limb_darkening = { 0.9, 0 } end, "mean depth" }, { function(c) c.result.orbital_period = 6 end, "pixels in transit" },
      { function(c) c.result.noise = 1e-6 c.result.star_step = 1e-6 end, "noise over expected" }, { function(c) c.result.duration = 40 end, "samples is 4320" } } do
      local qc = judge(got, case[1])
      assert.is_false(qc.verdict.pass)
      assert.truthy(qc.verdict.reason:find(case[2], 1, true), qc.verdict.reason)
    end
  end)
end)
