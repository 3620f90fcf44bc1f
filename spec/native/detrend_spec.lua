-- detrend: hand cases, the peer's numbers, invariances, pieces, masks; fast sums against slow ones; bad input.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "detrend"
local METHODS = { "biweight", "median", "savgol", "cosine", "lowess" }

local function new(t, y, set)
  local job = ffi.new "eas_detrend_job"
  local keep = { K.doubles(t), K.doubles(y), K.doubles(math.max(#t, 1)), set.mask and ffi.new("uint8_t[?]", #t, set.mask) }
  job.n, job.time, job.flux, job.trend, job.mask = #t, keep[1], keep[2], keep[3], keep[4]
  for k, name in ipairs(METHODS) do if name == (set.method or "biweight") then job.set.method = k - 1 end end
  job.set.window, job.set.compat = set.window or 1, set.compat and 1 or 0
  job.set.break_tolerance, job.set.edge_cutoff = set.break_tolerance or 0, set.edge_cutoff or 0
  job.set.cval = set.cval or 5
  return job, keep
end

local function detrend(t, y, set)
  local job, keep = new(t, y, set)
  assert.equal(K.OK, lib.eas_detrend_check(job))
  K.run(lib, "detrend", job, tonumber(lib.eas_detrend_trials(job)), set.parts)
  return K.list(keep[3], #t)
end

local function median(list)
  table.sort(list)
  local n = #list
  return n % 2 == 1 and list[(n + 1) / 2] or 0.5 * (list[n / 2] + list[n / 2 + 1])
end

-- The biweight of the text, window by window.
local function slow(t, y, window, method, mask)
  local out = {}
  for i = 1, #t do
    local f, dev = {}, {}
    for j = 1, #t do
      if t[j] >= t[i] - window / 2 and t[j] < t[i] + window / 2 and not (mask and mask[j] == 1) then f[#f + 1] = y[j] end
    end
    local m = #f > 0 and median(f) or K.nan
    for k, v in ipairs(f) do dev[k] = math.abs(v - m) end
    local reach = #f > 0 and 5 * median(dev) or 0
    for _ = 1, method == "biweight" and #f > 2 and reach > 0 and 60 or 0 do
      local su, sm = 0, 0
      for _, v in ipairs(f) do
        local d = (v - m) / reach
        if math.abs(d) < 1 then su, sm = su + (1 - d * d) ^ 2, sm + (v - m) * (1 - d * d) ^ 2 end
      end
      m = m + sm / su
    end
    out[i] = m
  end
  return out
end

local function mapped(list, f)
  local out = {}
  for i, v in ipairs(list) do out[i] = f(v, i) end
  return out
end

local function wavy(n, step, seed, gap)
  local t, y = {}, {}
  for i = 0, n - 1 do
    t[i + 1] = 50 + i * step + (gap and i > n / 2 and gap or 0)
    y[i + 1] = 1 + 2e-3 * math.sin(2 * math.pi * i * step / 5.7) + 5e-4 * K.normal(seed, i)
  end
  return t, y
end

local function close(expected, got, tolerance, from, to)
  for i = from or 1, to or #expected do
    if not (math.abs(expected[i] - got[i]) <= tolerance) then
      error(("sample %d: expected %.12g, got %.12g"):format(i, expected[i], got[i]), 2)
    end
  end
end

describe("detrend", function()
  it("has the peer's biweight", function()
    local t, y = K.g1()
    for i = 1, #t do y[i] = y[i] * (1 + 2e-3 * math.sin(2 * math.pi * t[i] / 5.7)) end
    local trend = detrend(t, y, { window = 1, compat = true })
    for i, v in pairs { [0] = 1.0005290398377817, [100] = 1.0013256023079862, [2000] = 1.000776807031476, [4319] = 1.0018740438542881 } do
      K.near(v, trend[i + 1], 1e-10, "sample " .. i)
    end
    local sum, square = 0, 0
    for i = 1, #t do sum, square = sum + y[i] / trend[i], square + (y[i] / trend[i]) ^ 2 end
    K.near(0.0005388001029994494, math.sqrt(square / #t - (sum / #t) ^ 2), 1e-6)
    local ours = detrend(t, y, { window = 1 })
    close(trend, ours, 2e-6, 80, 4200)
  end)

  it("agrees with the definition, with gaps, masks and repeated values", function()
    local t, y = wavy(400, 0.013, 3, 0.31)
    local mask = mapped(y, function(_, i) return i % 17 == 0 and 1 or 0 end)
    for i = 100, 140 do y[i] = 1 end
    for _, method in ipairs { "biweight", "median" } do
      close(slow(t, y, 0.6, method, mask), detrend(t, y, { window = 0.6, method = method, mask = mask }), 1e-9)
    end
  end)

  it("leaves a constant as it is, by every method", function()
    local t, y = wavy(300, 0.02, 1)
    for _, method in ipairs(METHODS) do
      close(mapped(y, function() return 3.5 end), detrend(t, mapped(y, function() return 3.5 end), { method = method }), 1e-9)
    end
  end)

  it("follows a line away from the ends, a parabola by savgol everywhere", function()
    local t = wavy(300, 0.02, 1)
    local line = mapped(t, function(v) return 1 + 0.01 * (v - 53) end)
    for _, method in ipairs(METHODS) do
      if method ~= "cosine" then close(line, detrend(t, line, { method = method, window = 0.5 }), 0.011 * 0.02, 30, 270) end
    end
    for _, method in ipairs { "savgol", "lowess", "cosine" } do
      close(line, detrend(t, line, { method = method, window = 0.5 }), method == "cosine" and 1e-6 or 1e-9)
    end
    local bent = mapped(t, function(v) return 1 + 0.01 * (v - 53) + 0.003 * (v - 52) ^ 2 end)
    close(bent, detrend(t, bent, { method = "savgol", window = 0.5 }), 1e-9)
  end)

  it("moves with the flux, its scale, and time", function()
    local t, y = wavy(300, 0.02, 8)
    for _, method in ipairs(METHODS) do
      local before = detrend(t, y, { method = method })
      local tolerance = method == "cosine" and 1e-8 or 1e-11
      close(mapped(before, function(v) return 4 * v end), detrend(t, mapped(y, function(v) return 4 * v end), { method = method }), 4 * tolerance)
      close(before, detrend(mapped(t, function(v) return v - 50 end), y, { method = method }), 2e-5)
      close(mapped(before, function(v) return v - 1 end), detrend(t, mapped(y, function(v) return v - 1 end), { method = method }), 1e-8)
    end
  end)

  it("is the same bit for bit at every SIMD level and however the range is cut", function()
    local t, y = wavy(500, 0.02, 8, 3)
    for _, method in ipairs(METHODS) do
      local one = detrend(t, y, { method = method, break_tolerance = 1 })
      for _, level in ipairs { "sse2", "avx2", "avx512" } do
        K.at_level(level, function() assert.same(one, detrend(t, y, { method = method, break_tolerance = 1 }), method) end)
      end
      for _, parts in ipairs { 2, 3, 8, 50 } do
        assert.same(one, detrend(t, y, { method = method, parts = parts, break_tolerance = 1 }), method)
      end
    end
  end)

  it("keeps pieces apart", function()
    local t, y = wavy(400, 0.02, 5, 0.7)
    for _, method in ipairs(METHODS) do
      local set = { method = method, break_tolerance = 0.5, window = 1.5 }
      local before = detrend(t, y, set)
      local after = detrend(t, mapped(y, function(v, i) return i > 201 and v + 9 or v end), set)
      for i = 1, 201 do assert.equal(before[i], after[i], method) end
    end
  end)

  it("sees nothing that is masked, and says so where nothing is left", function()
    local t, y = wavy(300, 0.02, 5)
    local mask = mapped(y, function(_, i) return i > 100 and i <= 130 and 1 or 0 end)
    for _, method in ipairs(METHODS) do
      local a = detrend(t, y, { method = method, mask = mask, window = 2 })
      local b = detrend(t, mapped(y, function(v, i) return mask[i] == 1 and K.nan or v end), { method = method, mask = mask, window = 2 })
      close(a, b, 0)
      for i = 1, #a do assert.is_true(a[i] == a[i], method) end
    end
    local hole = detrend(t, y, { mask = mask, window = 0.2 })
    assert.is_true(hole[115] ~= hole[115])
    local none = detrend(t, y, { mask = mapped(y, function() return 1 end), method = "cosine" })
    assert.is_true(none[1] ~= none[1])
  end)

  it("cuts the edges of pieces where asked", function()
    local t, y = wavy(200, 0.02, 5, 2)
    for _, method in ipairs(METHODS) do
      local trend = detrend(t, y, { method = method, break_tolerance = 1, edge_cutoff = 0.1 })
      for i = 1, 200 do
        local near = math.min(t[i] - t[1], t[200] - t[i], math.abs(t[i] - t[101]) , math.abs(t[102] - t[i]))
        if math.abs(near - 0.1) > 1e-6 then assert.equal(near < 0.1, trend[i] ~= trend[i], method .. i) end
      end
    end
  end)

  it("is hardly moved by a dip of a fifth of the window", function()
    for seed = 1, 5 do
      local t, y = wavy(2000, 1 / 144, seed)
      local dipped = mapped(y, function(v, i) return i > 1000 and i <= 1029 and v - 0.01 or v end)
      close(detrend(t, y, {}), detrend(t, dipped, {}), 2e-4, 980, 1049)
    end
  end)

  it("keeps the depth of transits a third as long as the window", function()
    local t, y = wavy(4000, 1 / 144, 7)
    for i = 1, #t do y[i] = 1 + 5e-4 * K.normal(7, i) end
    local inside = function(i) return (i - 300) % 700 < 48 end
    local dipped = mapped(y, function(v, i) return inside(i) and v * 0.99 or v end)
    local trend, lost, n = detrend(t, dipped, { window = 1 }), 0, 0
    local clean = detrend(t, y, { window = 1 })
    for i = 1, #t do if inside(i) then lost, n = lost + clean[i] - trend[i], n + 1 end end
    assert.is_true(lost / n < 0.02 * 0.01, tostring(lost / n / 0.01))
  end)

  it("takes waves longer than the window off, and leaves shorter ones", function()
    local t, slow_wave, fast_wave = {}, {}, {}
    for i = 1, 3000 do
      t[i] = i * 0.01
      slow_wave[i], fast_wave[i] = 1 + 1e-3 * math.sin(t[i] / 1.2), 1 + 1e-3 * math.sin(2 * math.pi * t[i] / 0.2)
    end
    close(slow_wave, detrend(t, slow_wave, { method = "cosine", window = 1 }), 2e-5, 100, 2900)
    close(mapped(t, function() return 1 end), detrend(t, fast_wave, { method = "cosine", window = 1 }), 6e-4, 100, 2900)
  end)

  it("refuses what it cannot do, each with its code", function()
    local t, y = wavy(50, 0.02, 1)
    local function code(set, change, times, flux)
      local job, keep = new(times or t, flux or y, set)
      if change then change(job) end
      return lib.eas_detrend_check(job), keep
    end
    assert.equal(K.OK, code {})
    assert.equal(K.EFEW, code({}, nil, {}, {}))
    for _, w in ipairs { 0, -1, K.nan, K.inf } do assert.equal(K.EARG, code { window = w }) end
    assert.equal(K.EARG, code { break_tolerance = -1 })
    assert.equal(K.EARG, code { edge_cutoff = 0.6 })
    assert.equal(K.EARG, code { cval = 0 })
    assert.equal(K.EARG, code({}, function(job) job.set.method = 5 end))
    assert.equal(K.EARG, code({}, function(job) job.trend = nil end))
    assert.equal(K.EARG, code { method = "cosine", window = 1e-4 })
    assert.equal(K.EDATA, code({}, nil, { 1, 1 }, { 1, 1 }))
    assert.equal(K.EDATA, code({}, nil, { 2, 1 }, { 1, 1 }))
    assert.equal(K.EDATA, code({}, nil, { 1, K.nan }, { 1, 1 }))
    assert.equal(K.EDATA, code({}, nil, { 1, 2 }, { 1, K.inf }))
    for n = 1, 3 do
      for _, method in ipairs(METHODS) do
        local few = detrend(K.linspace(0, 1, math.max(n, 2)), n > 1 and K.linspace(1, 1, n) or { 1, 1 }, { method = method })
        assert.is_true(few[1] == few[1], method)
      end
    end
  end)
end)
