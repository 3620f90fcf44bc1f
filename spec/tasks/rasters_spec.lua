-- multiply and binning: products and other cadences, by hand and against the prototype, and their checks.
local T = require "spec.support"
local K = require "spec.native.kernel"
local run = require "spec.tasks.run"

local outputs = { lightcurve = { filename = "lc.txt" } }

-- A text light curve of lists: path.
local function write(t, y, err, flag)
  local lines = {}
  for i = 1, #t do
    lines[i] = ("%.17g %.17g %d %.17g"):format(t[i] * 86400, y[i], flag and flag[i] or 0, err and err[i] or 1e-4)
  end
  return T.write(T.tmpdir() .. "/lc.txt", table.concat(lines, "\n") .. "\n")
end

local function inputs(list)
  local out = {}
  for name, path in pairs(list) do
    out[name] = type(path) == "table" and path or { path = path, filename = "a.txt" }
  end
  return out
end

local function columns(got)
  local t, y, flag, err = {}, {}, {}, {}
  for line in T.read(got.scratch .. "/out/" .. got.outputs.lightcurve.file):gmatch "[^\n]+" do
    local a, b, c, d = line:match "^%s*([^#%s]%S*)%s+(%S+)%s+(%S+)%s+(%S+)"
    if a then t[#t + 1], y[#y + 1], flag[#flag + 1], err[#err + 1] = tonumber(a) / 86400, tonumber(b), tonumber(c), tonumber(d) end
  end
  return t, y, flag, err
end

local function judge(name, got, list, spoil)
  local o = got.outputs.lightcurve
  local check = { role = "qc", ending = "ok", result = got.metadata, outputs = outputs, inputs = inputs(list),
                  made = { lightcurve = { path = got.scratch .. "/out/" .. o.file, filename = o.file, size = 1, metadata = o.metadata } } }
  if spoil then spoil(check) end
  return run.type(name, check)
end

local function do_run(name, list, settings)
  local description = { task = name }
  for k, v in pairs(settings or {}) do description[k] = v end
  return run.type(name, { description = description, inputs = inputs(list), outputs = outputs })
end

local function times(n, step, start)
  local t = {}
  for i = 1, n do t[i] = (start or 0) + (i - 1) * step end
  return t
end

local function map(t, f)
  local y = {}
  for i, x in ipairs(t) do y[i] = f(x, i) end
  return y
end

describe("multiply", function()
  it("multiplies sample for sample where the times are the same", function()
    local t = times(200, 0.01)
    local a, b = map(t, function(x) return 1 + 0.01 * math.sin(x * 9) end), map(t, function(x) return x > 1 and 0.99 or 1 end)
    local list = { lightcurve_1 = { path = write(t, a, map(t, function() return 3e-3 end)), filename = "a", metadata = { mes = 3, nsr = 73 } },
                   lightcurve_2 = { path = write(t, b, map(t, function() return 4e-3 end), map(t, function(_, i) return i == 9 and 2 or 0 end)),
                                    filename = "b", metadata = { mes = 5, orbital_period = 7 } } }
    local got = do_run("multiply", list)
    local _, y, flag, err = columns(got)
    for i = 1, #t do
      assert.is_true(math.abs(y[i] - a[i] * b[i]) < 1e-15)
      assert.is_true(math.abs(err[i] - math.sqrt((a[i] * 4e-3) ^ 2 + (b[i] * 3e-3) ^ 2)) < 1e-15)
      assert.equal(i == 9 and 2 or 0, flag[i])
    end
    local m = got.metadata
    assert.same({ 5, 73, 7, { "mes" } }, { m.mes, m.nsr, m.orbital_period, m.metadata_conflicts })
    assert.is_true(judge("multiply", got, list).verdict.pass)
    list.lightcurve_1, list.lightcurve_2 = list.lightcurve_2, list.lightcurve_1 -- who has the transits wins
    assert.equal(5, do_run("multiply", list).metadata.mes)
  end)

  it("brings the second onto the times of the first, flags the ends, and has holes where it is not", function()
    local t, u = times(300, 0.01), times(80, 0.025, 0.5)
    local list = { lightcurve_1 = write(t, map(t, function() return 2 end)), lightcurve_2 = write(u, map(u, function() return 0.5 end)) }
    local got = do_run("multiply", list)
    local tt, y, flag = columns(got)
    assert.equal(300, #tt)
    for i = 1, 300 do
      local inside = t[i] > 0.5 and t[i] < 2.47
      assert.is_true(not inside or math.abs(y[i] - 1) < 1e-12)
      if t[i] < 0.48 or t[i] > 2.5 then assert.is_true(y[i] ~= y[i] and math.floor(flag[i] / 4) % 2 == 1) end
    end
    assert.truthy(flag[1] >= 16 and flag[300] >= 16)
    local qc = judge("multiply", got, list)
    assert.is_true(qc.verdict.pass, qc.verdict.reason)
    assert.equal("warn", qc.checks["finite share, strict"].verdict)
  end)

  it("makes the prototype's product on request", function()
    local golden = K.json "resample_golden.json".operators
    local function of(c) return write(c.t, c.flux, c.uncertainty) end
    local got = do_run("multiply", { lightcurve_1 = of(golden.a), lightcurve_2 = of(golden.b) }, { compat = "prototype" })
    local t, y, _, err = columns(got)
    assert.equal(#golden.mul.t, #t)
    for i = 1, #t do
      assert.is_true(math.abs(t[i] - golden.mul.t[i]) < 1e-12)
      assert.is_true(math.abs(y[i] - golden.mul.flux[i]) < 1e-11)
      assert.is_true(math.abs(err[i] - golden.mul.uncertainty[i]) < 1e-11)
    end
  end)

  it("is refused when there is too little, or nothing in common", function()
    local t, u = times(100, 0.01), times(100, 0.01, 50)
    local one = write({ 0, 1 }, { 1, 1 })
    local got = do_run("multiply", { lightcurve_1 = write(t, t), lightcurve_2 = one })
    assert.truthy(got.error.message:find("2 samples cannot be brought onto 100 times", 1, true), got.error.message)
    local list = { lightcurve_1 = write(t, map(t, function() return 1 end)), lightcurve_2 = write(u, map(u, function() return 1 end)) }
    local qc = judge("multiply", do_run("multiply", list), list)
    assert.is_false(qc.verdict.pass)
    assert.truthy(qc.verdict.reason:find("finite share", 1, true))
    assert.truthy(do_run("multiply", { lightcurve_1 = one }).error.message:find("no input 'lightcurve_2'", 1, true))
    assert.truthy(do_run("multiply", list, { cadance = 3 }).error.message:find("unknown setting 'cadance'", 1, true))
  end)
end)

describe("binning", function()
  local t = times(1200, 60 / 86400)
  local y = map(t, function(x) return 1 + 0.01 * math.sin(40 * x) end)

  it("takes means over longer samples", function()
    local list = { lightcurve = { path = write(t, y), filename = "a", metadata = { orbital_period = 3 } } }
    local got = do_run("binning", list, { cadence = 600 })
    local u, z, _, err = columns(got)
    assert.equal(120, #u)
    for k = 3, 118 do -- pixel k is samples 10 (k - 1) - 4.5 .. + 5.5
      local sum = 0
      for i = -4, 4 do sum = sum + y[10 * (k - 1) + 1 + i] end
      sum = sum + 0.5 * (y[10 * (k - 1) + 1 - 5] + y[10 * (k - 1) + 1 + 5])
      assert.is_true(math.abs(z[k] - sum / 10) < 1e-11)
      assert.is_true(math.abs(err[k] / (1e-4 * math.sqrt(9.5) / 10) - 1) < 1e-9)
      assert.is_true(math.abs(u[k] - (k - 1) * 600 / 86400) < 1e-9)
    end
    assert.same({ 600, 3 }, { got.metadata.sampling_cadence, got.metadata.orbital_period })
    assert.is_true(judge("binning", got, list).verdict.pass)
    assert.is_false(judge("binning", got, list, function(c) c.result.sampling_cadence = 300 end).verdict.pass)
  end)

  it("keeps gaps as holes; the prototype's way stretches over them and sets the ends to 1", function()
    local tt, yy = {}, {}
    for i = 1, #t do
      if i < 300 or i > 700 then tt[#tt + 1], yy[#yy + 1] = t[i], 2 * y[i] end
    end
    local path = write(tt, yy)
    local _, z, flag = columns(do_run("binning", { lightcurve = path }, { cadence = 600 }))
    assert.truthy(z[50] ~= z[50] and flag[50] == 4 and z[20] == z[20])
    _, z = columns(do_run("binning", { lightcurve = path }, { cadence = 600, compat = "prototype" }))
    assert.truthy(z[50] == z[50] and z[1] == 1 and z[#z] == 1)
  end)

  it("refuses a cadence that makes no sense", function()
    for _, case in ipairs { { {}, "cadence, in seconds, must be given" }, { { cadence = 0 }, "must be given and > 0" },
      { { cadence = -5 }, "> 0" }, { { cadence = 1e9 }, "2 to 1e8 are possible" }, { { cadence = 1e-9 }, "2 to 1e8 are possible" },
      { { cadence = "fast" }, "takes a number" } } do
      local got = do_run("binning", { lightcurve = write(t, y) }, case[1])
      assert.truthy(got.error and got.error.message:find(case[2], 1, true), got.error and got.error.message)
    end
    assert.truthy(do_run("binning", { lightcurve = write({}, {}) }, { cadence = 60 }).error)
  end)
end)
