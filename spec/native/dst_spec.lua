-- dst: trains of events against sums by hand, invariances, noise, injections; bad input.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "dst"

local function new(t, y, set)
  local s = { K.doubles(t), K.doubles(y), K.doubles(set.periods), K.doubles(set.durations), set.ivar and K.doubles(set.ivar),
              ffi.new("eas_dst_peak[?]", math.max(1, #set.periods)) }
  local job = ffi.new "eas_dst_job"
  job.n, job.time, job.flux, job.n_period, job.period, job.ivar, job.out = #t, s[1], s[2], #set.periods, s[3], s[5], s[6]
  job.sigma, job.flux_zero, job.interval = set.sigma or 5e-4, set.flux_zero or 1, set.interval or t[2] and t[2] - t[1] or 1
  job.set.duration, job.set.n_duration, job.set.alpha = s[4], #set.durations, set.alpha or 0.35
  job.set.baseline, job.set.shift, job.set.events_min = set.baseline == false and 0 or 1, set.shift or 0, set.events_min or 2
  job.set.transit_scale, job.set.ratio_min, job.set.ratio_max = 0.0756, set.ratio_min or 0.3, set.ratio_max or 2.2
  return job, s
end

local function search(t, y, set)
  local job, keep = new(t, y, set)
  assert.equal(K.OK, lib.eas_dst_check(job))
  keep[7] = K.scratch(lib.eas_dst_plan_size(job))
  job.plan = keep[7]
  assert.equal(K.OK, lib.eas_dst_prepare(job))
  for k = #set.durations - 1, 0, -1 do assert.equal(K.OK, lib.eas_dst_map(job, k, k + 1, nil)) end
  K.run(lib, "dst", job, #set.periods, set.parts)
  return keep[6], job, keep
end

-- C and Q of the event at `centre`, by the text.
local function event(t, y, d, centre, set)
  local sigma, alpha = set.sigma or 5e-4, set.alpha or 0.35
  local w, inside, W, S, SS, E, SE = 1 / sigma ^ 2, 0, 0, 0, 0, 0, 0
  for i = 1, #t do
    local x = (t[i] - centre) / (d / 2)
    if math.abs(x) <= (set.baseline == false and 1 or 3) then
      local s, e = math.abs(x) <= 1 and 1 - alpha * x * x or 0, 1 - y[i]
      if math.abs(x) <= 1 then inside = inside + 1 end
      W, S, SS, E, SE = W + w, S + w * s, SS + w * s * s, E + w * e, SE + w * s * e
    end
  end
  if inside < 0.5 * math.max(1, d / set.interval) or (set.baseline ~= false and W / w - inside < 0.25 * inside) then return 0, 0 end
  if set.baseline == false then return SE, SS end
  return SE - S * E / W, SS - S * S / W
end

local function slow(t, y, period, d, set)
  local best, step = { f = 0 }, d / 8
  for i = 0, math.ceil(period / step) - 1 do
    local cs, qs, C, Q, k = {}, {}, 0, 0, 0
    while true do
      local at = t[1] + (i + math.floor(k * period / step + 0.5)) * step
      if at > t[#t] then break end
      local c, q = event(t, y, d, at, set)
      if q > 0 then cs[#cs + 1], qs[#qs + 1], C, Q = c, q, C + c, Q + q end
      k = k + 1
    end
    if #cs >= 2 and C > 0 then
      local depth, X = C / Q, 0
      for j = 1, #cs do X = X + (cs[j] - depth * qs[j]) ^ 2 / qs[j] end
      local f = C / math.sqrt(Q) / math.sqrt(math.max(1, X / (#cs - 1)))
      if f > best.f then best = { f = f, z = C / math.sqrt(Q), depth = depth, n = #cs, t0 = t[1] + i * step } end
    end
  end
  return best
end

local function noisy(n, seed, options)
  options = options or {}
  return K.box_curve { n = n, step = options.step or 0.02013, period = options.period, t0 = options.t0, duration = options.duration,
                       depth = options.depth, noise = 5e-4, seed = seed }
end

describe("dst by hand", function()
  it("is the sums of the text", function()
    local t, y = noisy(500, 3, { period = 2.3, t0 = 0.9, duration = 0.15, depth = 8e-4 })
    for i = 200, 230 do table.remove(t, 200) table.remove(y, 200) assert(i) end
    for _, set in ipairs { {}, { baseline = false }, { alpha = 0 }, { alpha = 1, baseline = false } } do
      set.interval = 0.02013
      for _, case in ipairs { { 2.3, 0.15 }, { 1.7, 0.1 }, { 3.31, 0.12 } } do
        set.periods, set.durations = { case[1] }, { case[2] }
        local out = search(t, y, set)
        local fast, by_text = out[0], slow(t, y, case[1], case[2], set)
        K.near(by_text.f, fast.f, 3e-6)
        K.near(by_text.depth, fast.depth, 3e-6)
        K.near(by_text.t0, fast.t0, 1e-12)
        assert.equal(by_text.n, fast.n_events)
      end
    end
  end)

  it("is the likelihood of a box search where it should be", function()
    local t, y = K.g1()
    local peak = search(t, y, { periods = { 4.3007950601321285 }, durations = { 0.15 }, alpha = 0, baseline = false, interval = 1 / 144 })
    -- astropy: 0.5 w (depth out - in)^2 in units of flux; theirs has the mean of what is outside, and a finer phase
    K.near(2 * 8.253359322463444e-05 / 5e-4 ^ 2, peak[0].z ^ 2, 0.25)
  end)
end)

describe("dst keeps", function()
  local t, y = noisy(1500, 5, { period = 2.7, t0 = 0.6, duration = 0.12, depth = 1e-3 })
  local base = { periods = K.linspace(0.7, 9, 41), durations = { 0.07, 0.1, 0.14, 0.2 }, interval = 0.02, shift = 0.25 }
  local before = search(t, y, base)
  local names = { "f", "z", "depth", "duration", "t0", "consistency", "share", "n_events", "shifted" }

  local function like(more)
    local set = {}
    for k, v in pairs(base) do set[k] = v end
    for k, v in pairs(more) do set[k] = v end
    return set
  end

  it("every bit at every SIMD level and however the range is cut", function()
    for _, level in ipairs { "sse2", "avx2", "avx512" } do
      K.at_level(level, function()
        for _, parts in ipairs { 1, 2, 3, 8 } do
          local after = search(t, y, like { parts = parts })
          for i = 0, #base.periods - 1 do
            for _, name in ipairs(names) do
              assert.is_true(before[i][name] == after[i][name] or before[i][name] ~= before[i][name], name)
            end
          end
        end
      end)
    end
  end)

  it("F when flux and sigma are scaled, and when time moves", function()
    local scaled, moved = {}, {}
    for i, v in ipairs(y) do scaled[i], moved[i] = 1 + 4 * (v - 1), t[i] + 64 end
    local a, b = search(t, scaled, like { sigma = 2e-3 }), search(moved, y, base)
    for i = 0, #base.periods - 1 do
      K.near(before[i].f, a[i].f, 1e-6)
      K.near(4 * before[i].depth, a[i].depth, 1e-6)
      K.near(before[i].f, b[i].f, 1e-5)
    end
  end)

  it("F when each sample has the same error", function()
    local ivar = {}
    for i = 1, #t do ivar[i] = 1 / 5e-4 ^ 2 end
    local a = search(t, y, like { ivar = ivar })
    for i = 0, #base.periods - 1 do K.near(before[i].f, a[i].f, 1e-6) end
  end)
end)

describe("dst in noise", function()
  it("has sums of unit variance and scatters of mean 1", function()
    local sum, square, scatter, n = 0, 0, 0, 0
    for seed = 1, 40 do
      local t, y = noisy(1500, 100 + seed)
      local _, job, keep = search(t, y, { periods = { 3 }, durations = { 0.12 }, interval = 0.02 })
      local events = ffi.new "eas_dst_event[64]"
      for phase = 0, 9 do
        local m = tonumber(lib.eas_dst_events(job, 3, t[1] + 0.2 + 0.27 * phase, 0.12, events, 64))
        local C, Q, X = 0, 0, 0
        for k = 0, m - 1 do
          local e = events[k]
          if e.snr == e.snr then
            local q = (e.snr / e.depth) ^ 2
            C, Q, X, n = C + e.depth * q, Q + q, X + e.snr ^ 2, n + 1
          end
        end
        local z = C / math.sqrt(Q)
        sum, square, scatter = sum + z, square + z * z, scatter + (X - z * z) / (m - 1)
      end
      assert(keep)
    end
    assert.is_true(math.abs(sum / 400) < 0.2)
    assert.is_true(math.abs(square / 400 - 1) < 0.25)
    assert.is_true(math.abs(scatter / 400 - 1) < 0.15)
  end)

  it("is not fooled by one deep dip", function()
    local t, y = noisy(1500, 9)
    for i = 700, 705 do y[i] = y[i] - 30 * 5e-4 end
    local peak = search(t, y, { periods = { 2.1, 3.3, 4.7 }, durations = { 0.12 }, interval = 0.02, events_min = 3 })
    for i = 0, 2 do assert.is_true(peak[i].f < 7.1, tostring(peak[i].f)) end
    local event_z = 30 * math.sqrt(5)
    assert.is_true(event_z > 60)
  end)
end)

describe("dst recovers", function()
  it("G1", function()
    local t, y = K.g1()
    local periods = K.linspace(4.2, 4.4, 401)
    local out = search(t, y, { periods = periods, durations = { 0.1, 0.115, 0.132, 0.152, 0.175 }, interval = 1 / 144, events_min = 3 })
    local best = 0
    for i = 0, 400 do if out[i].f > out[best].f then best = i end end
    K.near(4.3, periods[best + 1], 1e-3)
    K.near(1e-3, out[best].depth * 0.88, 0.12) -- a box seen as a rounded dip
    assert.is_true(math.abs(out[best].t0 - 1.7) < 0.03)
  end)

  it("events off their times better with shift than without", function()
    local better = 0
    for seed = 1, 20 do
      local t, y = noisy(6000, 300 + seed, { step = 0.01007 })
      for k = 0, 19 do
        local centre = 1 + 3 * k + 0.2 * 0.15 * K.normal(seed, 5000 + k)
        for i = 1, #t do if math.abs(t[i] - centre) < 0.075 then y[i] = y[i] - 1e-3 end end
      end
      local set = { periods = { 3 }, durations = { 0.13, 0.15 }, interval = 0.01007 }
      local fixed = search(t, y, set)
      set.shift = 0.25
      local moved = search(t, y, set)
      if moved[0].f > fixed[0].f then better = better + 1 end
    end
    assert.is_true(better >= 18, tostring(better))
  end)
end)

describe("dst refuses", function()
  it("what makes no sense, each with its code", function()
    local t, y = noisy(50, 1)
    local function code(set, times, flux)
      set.periods, set.durations = set.periods or { 0.5 }, set.durations or { 0.1 }
      local job, keep = new(times or t, flux or y, set)
      return lib.eas_dst_check(job), keep
    end
    assert.equal(K.OK, code {})
    assert.equal(K.EGRID, code { periods = {} })
    assert.equal(K.EGRID, code { durations = {} })
    for _, d in ipairs { { 0 }, { -1 }, { K.nan }, { 0.2, 0.1 }, { K.inf }, { 1e-12 } } do assert.equal(K.EARG, code { durations = d }) end
    for _, p in ipairs { 0, -1, K.nan, K.inf } do assert.equal(K.EARG, code { periods = { p } }) end
    for _, set in ipairs { { alpha = 2 }, { shift = 0.6 }, { events_min = 1 }, { sigma = 0 }, { sigma = K.nan }, { interval = 0 },
                           { ratio_min = 0 }, { ratio_max = 0.1 } } do assert.equal(K.EARG, code(set)) end
    assert.equal(K.EFEW, code({}, { 1, 2 }, { 1, 1 }))
    assert.equal(K.EFEW, code({}, {}, {}))
    assert.equal(K.EDATA, code({}, { 1, 2, 2 }, { 1, 1, 1 }))
    assert.equal(K.EDATA, code({}, { 1, 2, K.nan }, { 1, 1, 1 }))
    assert.equal(K.EDATA, code({}, { 1, 2, 3 }, { 1, K.inf, 1 }))
    assert.equal(K.EDATA, code({ ivar = { 1, 0, 1 } }, { 1, 2, 3 }, { 1, 1, 1 }))
  end)

  it("nothing that is only poor: constant flux, giant gaps, negative flux", function()
    local t = { 0, 0.02, 0.04, 0.06, 1e5, 1e5 + 0.02, 1e5 + 0.04 }
    for _, y in ipairs { { 1, 1, 1, 1, 1, 1, 1 }, { -1, 2, -3, 4, -5, 6, -7 } } do
      local peak = search(t, y, { periods = { 0.5, 7, 1e6 }, durations = { 0.1 }, interval = 0.02 })
      for i = 0, 2 do assert.is_true(peak[i].f ~= peak[i].f or peak[i].f > 0) end
    end
  end)
end)
