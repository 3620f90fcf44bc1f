-- qats: trains of boxes against all trains there are, the peer's numbers, invariances; the fast path; bad input.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "qats"
local FAST, EXACT, REFERENCE = 0, 1, 2

-- trials: { { step_min, step_max, q }, ... }. Returns peaks, job, what it points to.
local function new(y, trials, path)
  local widths, index = {}, {}
  for _, t in ipairs(trials) do
    if not index[t[3]] then widths[#widths + 1], index[t[3]] = t[3], #widths end
  end
  local job = ffi.new "eas_qats_job"
  local keep = { K.doubles(y), ffi.new("uint32_t[?]", #widths, widths), ffi.new("eas_qats_trial[?]", #trials),
                 ffi.new("eas_qats_peak[?]", #trials) }
  for i, t in ipairs(trials) do
    keep[3][i - 1] = ffi.new("eas_qats_trial", { index[t[3]], t[1], t[2] })
  end
  job.n, job.n_width, job.n_trial, job.path = #y, #widths, #trials, path or EXACT
  job.y, job.width, job.trial, job.out = keep[1], keep[2], keep[3], keep[4]
  return job, keep
end

local function search(y, trials, path, parts)
  local job, keep = new(y, trials, path)
  assert.equal(K.OK, lib.eas_qats_check(job))
  if job.path == FAST then
    keep[5] = K.scratch(lib.eas_qats_plan_size(job))
    job.plan = keep[5]
    assert.equal(K.OK, lib.eas_qats_prepare(job))
  end
  K.run(lib, "qats", job, #trials, parts)
  return keep[4], job, keep
end

-- The score and the number of transits of one trial: numbers, which outlive what they were read from.
local function one(y, trial, path)
  local out = search(y, { trial }, path)
  return out[0].s, out[0].transits
end

local function train(y, trial)
  local job, keep = new(y, { trial })
  local starts, peak = ffi.new("uint32_t[?]", #y), ffi.new "eas_qats_peak[1]"
  local work = K.scratch(lib.eas_qats_train_work_size(job, 0))
  local code, list = lib.eas_qats_train(job, 0, peak, starts, #y, work), {}
  assert(keep)
  for m = 1, peak[0].transits do list[m] = starts[m - 1] end
  return list, peak[0].s, code
end

local function noise(n, seed)
  local y = {}
  for i = 1, n do y[i] = K.normal(seed, i) end
  return y
end

-- Every train, by recursion: the best S and its number of boxes.
local function brute(y, lo, hi, q)
  local n, best, count = #y, 0, 0
  local function dip(i)
    local s = 0
    for j = i + 1, i + q do s = s - y[j] end
    return s
  end
  local function go(last, m, sum)
    if last >= n - hi and sum / math.sqrt(m * q) > best + 1e-12 then best, count = sum / math.sqrt(m * q), m end
    for i = last + lo, math.min(last + hi, n - q) do go(i, m + 1, sum + dip(i)) end
  end
  for i = 0, math.min(hi - q, n - q) do go(i, 1, dip(i)) end
  return best, count
end

describe("qats against all trains", function()
  it("finds the best, in double precision and in single", function()
    for seed = 1, 40 do
      local n, q = 14 + seed % 20, 1 + seed % 3
      local lo = q + 3 + seed % 5
      local trial = { lo, lo + seed % 4, q }
      local y = noise(n, seed)
      local s, m = brute(y, trial[1], trial[2], q)
      for _, path in ipairs { FAST, EXACT, REFERENCE } do
        local got, transits = one(y, trial, path)
        K.near(math.max(s, 1e-300), math.max(got, 1e-300), path == FAST and 1e-6 or 1e-12, "seed " .. seed)
        assert.equal(m, transits)
      end
    end
  end)

  it("finds single events where no second box fits", function()
    local y = noise(30, 3)
    y[12], y[13] = -9, -8
    local starts, s = train(y, { 40, 40, 2 })
    assert.same({ 11 }, starts)
    K.near(17 / math.sqrt(2), s, 1e-12)
  end)

  it("finds none in what only rises", function()
    local y = {}
    for i = 1, 50 do y[i] = 1 + i end
    assert.same({ 0, 0 }, { one(y, { 10, 12, 2 }) })
    local list, _, code = train(y, { 10, 12, 2 })
    assert.equal(K.NONE, code)
    assert.same({}, list)
  end)
end)

describe("qats and its peer", function()
  it("agree on the peer's unit cases", function()
    for _, case in ipairs(K.json("unit_golden.json").qats) do
      local list, s = train(case.y, { case.delta_min, case.delta_max, case.q })
      K.near(case.s_best, s, 1e-12)
      assert.same(case.indices, list)
      assert.equal(case.m_best, #list)
    end
  end)

  it("agree on Kepler-36, the peer's own example", function()
    local y = K.table("qats_kep36_sequence.txt.gz")[1]
    local rows = K.json("qats_kep36.json").rows
    for _, row in ipairs(rows) do
      local list, s = train(y, { row.delta_min, row.delta_max, row.q })
      if row.last_value_repeated then
        y[#y + 1] = y[#y]
        list, s = train(y, { row.delta_min, row.delta_max, row.q })
        y[#y] = nil
      end
      K.near(row.s_best, s, 1e-10)
      assert.same(row.indices, list)
      K.near(row.s_best, (one(y, { row.delta_min, row.delta_max, row.q }, FAST)), 2e-6)
    end
  end)

  it("agree on G1", function()
    local _, flux = K.g1()
    local sorted, sum, square, y = {}, 0, 0, {}
    for i, v in ipairs(flux) do sorted[i], sum = v, sum + v end
    for _, v in ipairs(flux) do square = square + (v - sum / #flux) ^ 2 end
    table.sort(sorted)
    local median, sigma = 0.5 * (sorted[2160] + sorted[2161]), math.sqrt(square / #flux)
    for i, v in ipairs(flux) do y[i] = (v - median) / sigma end
    for _, case in ipairs {
      { 615, 621, 22, 23.37159416, { 233, 853, 1471, 2091, 2710, 3329, 3949 } },
      { 619, 619, 22, 23.00507204, { 234, 853, 1472, 2091, 2710, 3329, 3948 } },
      { 600, 640, 22, 23.37159416, { 233, 853, 1471, 2091, 2710, 3329, 3949 } },
      { 290, 310, 20, 16.36225384, { 234, 544, 853, 1163, 1473, 1783, 2093, 2403, 2712, 3022, 3330, 3639, 3949, 4256 } },
      { 576, 576, 8, 3.563772919, { 420, 996, 1572, 2148, 2724, 3300, 3876 } },
    } do
      local list, s = train(y, case)
      K.near(case[4], s, 1e-8)
      assert.same(case[5], list)
    end
  end)

  it("have the same spans", function()
    local n = tonumber(lib.eas_qats_grid(576, 1.00025, 4924, nil, nil))
    assert.equal(1396, n)
    local a, b = ffi.new("uint32_t[?]", n), ffi.new("uint32_t[?]", n)
    lib.eas_qats_grid(576, 1.00025, 4924, a, b)
    assert.equal(576, a[0])
    for i = 1, n - 1 do assert.equal(b[i - 1], a[i]) end
    for _, bad in ipairs { { 0.5, 1.1, 10 }, { 10, 1, 10 }, { 10, 1.1, 1000 }, { K.nan, 1.1, 5 }, { 10, K.nan, 5 } } do
      assert.equal(0, tonumber(lib.eas_qats_grid(bad[1], bad[2], bad[3], nil, nil)))
    end
  end)
end)

describe("qats keeps", function()
  local y = noise(700, 21)
  for m = 0, 5 do for j = 1, 5 do y[40 + m * 113 + (m % 2) + j] = y[40 + m * 113 + (m % 2) + j] - 4 end end
  local trials = {}
  for lo = 90, 130 do
    for _, spread in ipairs { 0, 1, 2, 4, 5, 9, 40 } do trials[#trials + 1] = { lo, lo + spread, 3 + lo % 4 } end
  end
  local before = search(y, trials, FAST)

  local function compare(after, tolerance, factor)
    for i = 0, #trials - 1 do K.near(before[i].s * (factor or 1), after[i].s, tolerance, "trial " .. i) end
  end

  it("every bit at every SIMD level, and however the range is cut", function()
    for _, level in ipairs { "sse2", "avx2", "avx512" } do
      K.at_level(level, function()
        for _, parts in ipairs { 1, 2, 3, 8 } do
          local after = search(y, trials, FAST, parts)
          for i = 0, #trials - 1 do
            assert.equal(before[i].s, after[i].s)
            assert.equal(before[i].transits, after[i].transits)
          end
        end
      end)
    end
  end)

  it("the definition to single precision; the exact path all of it", function()
    local exact, slow = search(y, trials, EXACT), search(y, trials, REFERENCE)
    compare(exact, 1e-6)
    for i = 0, #trials - 1 do
      assert.equal(slow[i].s, exact[i].s)
      assert.equal(slow[i].transits, before[i].transits)
      assert.equal(slow[i].last, exact[i].last)
    end
  end)

  it("S times k when the sequence is scaled", function()
    local scaled = {}
    for i, v in ipairs(y) do scaled[i] = 4 * v end
    compare(search(scaled, trials, FAST), 0, 4)
  end)

  it("S when time runs backwards", function()
    local back = {}
    for i, v in ipairs(y) do back[#y + 1 - i] = v end
    compare(search(back, trials, FAST), 1e-6)
  end)

  it("never less for a wider span of the same transits", function()
    for lo = 100, 120 do
      local narrow, n = one(y, { lo, lo, 4 })
      local wide, m = one(y, { lo - 1, lo + 1, 4 })
      if m == n then assert.is_true(wide >= narrow) end
    end
  end)

  it("its input as it was", function()
    local _, _, keep = search(y, trials, FAST)
    for i, v in ipairs(y) do assert.equal(v, keep[1][i - 1]) end
  end)
end)

describe("qats recovers", function()
  it("boxes whose intervals vary, each to a quarter of its width", function()
    for seed = 1, 5 do
      local y, at, truth = noise(4000, seed), 100, {}
      while at < 3950 do
        truth[#truth + 1] = at
        for j = 1, 12 do y[at + j] = y[at + j] - 2.5 end
        at = at + 371 + math.floor(K.uniform(seed, #truth) * 9)
      end
      local list, s = train(y, { 370, 380, 12 })
      assert.equal(#truth, #list)
      for m, n in ipairs(truth) do assert.is_true(math.abs(list[m] - n) <= 3) end
      assert.is_true(s > one(y, { 375, 375, 12 }) + 3)
    end
  end)

  it("a train longer than what it keeps of its rows", function()
    local y = noise(600, 9)
    for i = 3, 600, 6 do y[i] = y[i] - 9 end
    local list = train(y, { 3, 9, 1 })
    assert.equal(100, #list)
    for m, n in ipairs(list) do assert.equal(2 + 6 * (m - 1), n) end
  end)
end)

describe("qats refuses", function()
  local y = noise(50, 1)
  local function code(change, sequence, trials)
    local job, keep = new(sequence or y, trials or { { 10, 12, 2 } })
    if change then change(job) end
    return lib.eas_qats_check(job), keep
  end

  it("what makes no sense, each with its code", function()
    assert.equal(K.OK, code())
    assert.equal(K.EFEW, code(nil, {}))
    assert.equal(K.EFEW, code(nil, { 1 }))
    assert.equal(K.EFEW, code(nil, { 1, 2 }))
    assert.equal(K.EGRID, code(function(job) job.n_trial = 0 end))
    assert.equal(K.EARG, code(nil, nil, { { 1, 12, 2 } }))
    assert.equal(K.EARG, code(nil, nil, { { 12, 11, 2 } }))
    assert.equal(K.EARG, code(nil, nil, { { 60, 70, 51 } }))
    assert.equal(K.EARG, code(function(job) job.path = 3 end))
    assert.equal(K.EARG, code(function(job) job.y = nil end))
    assert.equal(K.EARG, code(function(job) job.n = 2 ^ 31 end))
    for _, bad in ipairs { K.nan, K.inf, -K.inf, 1e13 } do
      local broken = noise(50, 1)
      broken[7] = bad
      assert.equal(K.EDATA, code(nil, broken))
    end
    assert.equal(K.OK, code(nil, { 0, 0, 0 }, { { 1, 1, 1 } }))
  end)

  it("trials that would never end", function()
    local long = {}
    for i = 1, 100000 do long[i] = 0 end
    assert.equal(K.EARG, code(nil, long, { { 1, 99999, 1 } }))
  end)
end)
