-- detrend, mask_transits, fold: results, refusals, and checks that catch what is wrong.
local T = require "spec.support"
local run = require "spec.tasks.run"

local judged = run.judged

local function request(name, path, settings, outputs)
  local description = { task = name }
  for k, v in pairs(settings) do description[k] = v end
  return { description = description, threads = 2, inputs = { lightcurve = { path = path, filename = "a.txt" } },
           outputs = outputs or { lightcurve = { filename = "b.txt" } } }
end

local function rows(got, kind)
  local list = {}
  for line in T.read(got.scratch .. "/out/" .. got.outputs[kind].file):gmatch "[^\n]+" do
    local row = {}
    for word in line:gmatch "%S+" do row[#row + 1] = tonumber(word) end
    if line:sub(1, 1) ~= "#" then list[#list + 1] = row end
  end
  return list
end

local function why(got) return got.error and got.error.message or "no error" end

describe("detrend", function()
  -- a wave of 6 days over a box transit of 0.12 day
  local function wavy()
    local path = run.light_curve(1440, { period = 3, t0 = 1, depth = 0.002 })
    local lines = {}
    for line in T.read(path):gmatch "[^\n]+" do
      local t, y = line:match "^(%S+) (%S+)"
      lines[#lines + 1] = ("%.18e %.18e 0 1e-4"):format(t, y * (1 + 0.002 * math.sin(2 * math.pi * t / 86400 / 6)))
    end
    return T.write(path, table.concat(lines, "\n") .. "\n")
  end

  it("flattens by every method and keeps the transits", function()
    local path = wavy()
    for _, method in ipairs { "biweight", "median", "savgol", "cosine", "lowess" } do
      local got, qc = judged("detrend", request("detrend", path, { method = method, window = 0.8, period = 3, t0 = 1, duration = 0.12 },
        { lightcurve = { filename = "b.txt" }, trend = { filename = "t.txt" } }))
      assert.is_true(got.finished, method .. ": " .. why(got))
      assert.is_true(qc.verdict.pass, qc.verdict.reason)
      local flat, low, high = rows(got, "lightcurve"), 1, 1
      for _, row in ipairs(flat) do low, high = math.min(low, row[2]), math.max(high, row[2]) end
      assert.equal(1440, #flat)
      assert.is_true(low < 1 - 0.0019 and low > 1 - 0.0025 and high < 1.0009, ("%s: %g to %g"):format(method, low, high))
      assert.equal(1440, #rows(got, "trend"))
      assert.is_true(got.metadata.noise_after < 1.1 * got.metadata.noise_before)
    end
  end)

  it("picks its window by the longest transit, and warns of one that is short", function()
    local path = wavy()
    local got = run.type("detrend", request("detrend", path, { period_max = 40 }))
    assert.is_true(math.abs(got.metadata.window / 0.94 - 1) < 0.02, tostring(got.metadata.window))
    got = run.type("detrend", request("detrend", path, { window = 0.2, period_max = 40 }))
    assert.equal(30, got.log[1].level)
    assert.truthy(got.log[1].text:find "eats transits of 0.31 d")
  end)

  it("flags what sticks out, and keeps NaN where it was", function()
    local path = run.light_curve(500)
    local text, n = T.read(path), 0
    text = text:gsub("[^\n]+", function(line)
      n = n + 1
      if n == 100 then return (line:gsub("^(%S+) %S+", "%1 1.5")) end
      if n == 200 then return (line:gsub("^(%S+) %S+", "%1 nan")) end
    end)
    local got, qc = judged("detrend", request("detrend", T.write(path, text), { window = 2 }))
    local flat = rows(got, "lightcurve")
    assert.equal(1, got.metadata.n_clipped)
    assert.equal(8, flat[100][3])
    for i, row in ipairs(flat) do assert.equal(i == 200, row[2] ~= row[2]) end
    assert.is_true(qc.verdict.pass, qc.verdict.reason)
  end)

  it("refuses what makes no sense", function()
    for _, case in ipairs {
      { { methd = "median" }, "unknown setting 'methd'; use method" }, { { method = "spline" }, "method is 'spline'; it takes" },
      { { window = -1 }, "a window of -1 d" }, { { period = 3 }, "period needs t0 and duration beside it" },
      { { transits = { { period = 3 } } }, "a duration must be > 0 d" }, { { window = 0.001 }, "a window of 0.001 d holds fewer than 4 samples" },
      { { window = 0.09, break_tolerance = 0, method = "cosine" }, "a setting or a size" },
    } do
      local got = run.type("detrend", request("detrend", run.light_curve(2500), case[1]))
      assert.truthy(why(got):find(case[2], 1, true), why(got))
    end
  end)

  it("has a check that catches a light curve that is not flat", function()
    local _, qc = judged("detrend", request("detrend", wavy(), { window = 1 }), function(check)
      check.made.lightcurve.path = T.write(T.tmpdir() .. "/x.txt", "0 1.5\n1800 1.5\n3600 1.5\n")
    end)
    assert.is_false(qc.verdict.pass)
    assert.truthy(qc.verdict.reason:find "samples is 3")
  end)
end)

describe("mask_transits", function()
  local path = run.light_curve(1440, { period = 3, t0 = 1, depth = 0.002 })
  local planet = { period = 3, t0 = 4, duration = 0.12 }

  local function with(more)
    local set = {}
    for k, v in pairs(planet) do set[k] = v end
    for k, v in pairs(more or {}) do set[k] = v end
    return set
  end

  it("hides every transit and nothing else", function()
    for _, mode in ipairs { "flag", "fill", "remove" } do
      local got, qc = judged("mask_transits", request("mask_transits", path, with { mode = mode }))
      assert.is_true(got.finished, why(got))
      assert.is_true(qc.verdict.pass, qc.verdict.reason)
      local list, hidden = rows(got, "lightcurve"), 0
      for _, row in ipairs(list) do
        local off = (row[1] / 86400 - 1 + 1.5) % 3 - 1.5
        local inside = math.abs(off) <= 0.09 + 1e-9
        if mode == "flag" then assert.equal(inside, row[3] == 1) end
        if mode ~= "flag" then assert.is_true(row[2] > 0.9995) end
        if inside then hidden = hidden + 1 end
      end
      assert.equal(mode == "remove" and 1440 - got.metadata.n_masked or 1440, #list)
      assert.equal(mode == "remove" and 0 or got.metadata.n_masked, hidden)
    end
  end)

  it("takes lists of planets and of times", function()
    local got = run.type("mask_transits", request("mask_transits", path,
      { transits = { planet, { times = { 2.5, 11.5 }, duration = 0.2 } }, mask_width = 1 }))
    assert.equal(2, got.metadata.n_planets)
    local n = run.type("mask_transits", request("mask_transits", path, with { mask_width = 1 })).metadata.n_masked
    assert.is_true(got.metadata.n_masked >= n + 18 and got.metadata.n_masked <= n + 22)
  end)

  it("leaves the light curve as it is where a search found nothing", function()
    local got, qc = judged("mask_transits", request("mask_transits", path, {}))
    assert.equal(0, got.metadata.n_masked)
    assert.is_true(qc.verdict.pass)
  end)

  it("has a check that catches a light curve without anything left", function()
    local _, qc = judged("mask_transits", request("mask_transits", path, { transits = { { times = { 15 }, duration = 60 } } }))
    assert.is_false(qc.verdict.pass)
    assert.truthy(qc.verdict.reason:find("samples left is 0", 1, true), qc.verdict.reason)
  end)
end)

describe("fold", function()
  local path = run.light_curve(1440, { period = 3, t0 = 1, depth = 0.002 })
  local out = { folded = { filename = "f.txt" } }

  it("stacks the transits", function()
    local got, qc = judged("fold", request("fold", path, { period = 3, t0 = 1, bins = 60 }, out))
    assert.is_true(got.finished, why(got))
    assert.is_true(qc.verdict.pass, qc.verdict.reason)
    local list, all = rows(got, "folded"), 0
    assert.equal(60, #list)
    for _, row in ipairs(list) do
      all = all + row[4]
      assert.is_true(math.abs(row[2] - (math.abs(row[1]) < 0.05 and 0.998 or 1)) < 2e-4 or math.abs(math.abs(row[1]) - 0.06) < 0.02)
    end
    assert.equal(1440, all)
    assert.is_true(math.abs(got.metadata.phase_min) < 0.06)
    got = run.type("fold", request("fold", path, { period = 3, t0 = 1, bins = 10, half_width = 0.1 }, out))
    assert.is_true(got.metadata.n_folded < 150)
  end)

  it("refuses what makes no sense", function()
    for _, case in ipairs { { {}, "period must be > 0 d" }, { { period = -1 }, "period must be > 0 d" },
      { { period = 1, bins = 0 }, "bins must be a whole number" }, { { period = 1, half_width = 3 }, "half_width" } } do
      local got = run.type("fold", request("fold", path, case[1], out))
      assert.truthy(why(got):find(case[2], 1, true), why(got))
    end
  end)

  it("has a check that catches an empty fold", function()
    local _, qc = judged("fold", request("fold", path, { period = 3, t0 = 1 }, out), function(check) check.result.n_folded = 0 end)
    assert.is_false(qc.verdict.pass)
  end)
end)
