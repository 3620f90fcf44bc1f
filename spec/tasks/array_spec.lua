-- Arrays and light curves as scripts see them.
local T = require "spec.support"
local run = require "spec.tasks.run"

local function value(expression, request)
  local got = run.body("task:set{ v = " .. expression .. " }", request)
  assert.is_true(got.finished, got.error and got.error.message)
  return got.metadata.v
end

local function fails(body, pattern)
  local got = run.body(body)
  assert.truthy(got.error and got.error.message:find(pattern, 1, true), "message is: " .. (got.error and got.error.message or "none"))
end

describe("arrays", function()
  it("are zero-based, of doubles, zeroed", function()
    assert.same({ 0, 0, 2.5, 3 }, value "(function() local a = eas.array(3) a[2] = 2.5 return { a[0], a[1], a[2], #a } end)()")
    assert.same({ 4, 5, 6 }, value "eas.array { 4, 5, 6 }")
    assert.same({ 1, 1.5, 2 }, value "eas.linspace(1, 2, 3)")
    assert.same({ 7 }, value "eas.linspace(7, 9, 1)")
  end)

  it("check every index, compiled or not", function()
    fails("return eas.array(3)[3]", "index 3 is outside of 0 .. 2 (arrays start at 0)")
    fails("return eas.array(3)[-1]", "index -1 is outside")
    fails("return eas.array(3)[0.5]", "index 0.5 is outside")
    fails("return eas.array(0)[0]", "index 0 of an empty array")
    fails("eas.array(3)[3] = 1", "x.lua:3: index 3 is outside")
    fails("eas.array(3)[0] = 'x'", "a[0] takes a number, not a string")
    fails("local a, s = eas.array(200), 0 for i = 0, 200 do s = s + a[i] end", "index 200 is outside of 0 .. 199")
    fails("local a = eas.array(200) for i = 0, 200 do a[i] = i end", "index 200 is outside")
    fails("return eas.array(3).nme", "array has no field 'nme'")
    fails("eas.array(-1)", "array takes a length or a list of numbers")
    fails("eas.array { 1, 'a' }", "array: item 2 is a string, not a number")
  end)

  it("know their statistics", function()
    assert.same({ 1, 9, 4.5, 4, 18 }, value "(function() local a = eas.array { 9, 1, 3, 5 } return { a:min(), a:max(), a:mean(), a:median(), a:sum() } end)()")
    assert.equal(3, value "eas.array { 5, 1, 3, 0/0 }:median()")
    assert.equal(2, value "eas.array { 1, 5, 1, 5 }:std()")
    assert.equal(true, value "eas.array(0):median() ~= eas.array(0):median()")
    assert.equal("array[3] 1 … 2, 1 NaN", value "tostring(eas.array { 1, 2, 0/0 })")
  end)

  it("find the median of any order", function()
    local body = [[local r, wrong = eas.random(3), 0
      for n = 1, 60 do
        local list = {}
        for i = 1, n do list[i] = r:integer(0, 20) end
        local a = eas.array(list)
        table.sort(list)
        local want = n % 2 == 1 and list[(n + 1) / 2] or (list[n / 2] + list[n / 2 + 1]) / 2
        if a:median() ~= want then wrong = wrong + 1 end
      end
      task:set { v = wrong } ]]
    assert.equal(0, run.body(body).metadata.v)
  end)

  it("keep their memory while a slice of them lives", function()
    local body = [[local s
      do local a = eas.array(1000) for i = 0, 999 do a[i] = i end s = a:slice(10, 20) end
      local junk = {} for i = 1, 300 do junk[i % 7] = eas.array(10000) end
      task:set { v = s, n = #s } ]]
    assert.same({ 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 }, run.body(body).metadata.v)
    fails("eas.array(3):slice(1, 4)", "slice 1 .. 4 of an array of 3")
  end)
end)

describe("light curves", function()
  local function with(expression)
    return value(expression, { inputs = { lightcurve = { path = run.light_curve(100, { period = 1, t0 = 0.5 }), filename = "a.txt" } } })
  end

  it("have columns and methods that make new ones", function()
    assert.equal(100, with "task:input('lightcurve').n")
    assert.equal(48, with "task:input('lightcurve'):truncate(1).n")
    assert.truthy(math.abs(with "task:input('lightcurve'):subtract_mean().flux:mean()") < 1e-12)
    assert.truthy(with "task:input('lightcurve').flux:mean()" > 0.9)
    assert.equal(true, with("(function() local c = task:input('lightcurve'):subtract_median() local d = c:copy() d.flux[0] = 5 "
      .. "return c.flux[0] ~= 5 end)()"))
    assert.truthy(math.abs(with "task:input('lightcurve'):duration()" - 99 / 48) < 1e-9)
  end)

  it("drop bad samples when cleaned", function()
    assert.same({ 5, 3 }, value [[(function() local c = eas.lightcurve(5)
      for i = 0, 4 do c.time[i], c.flux[i] = i, 1 end
      c.flux[1], c.flag[2] = 0/0, 1
      return { c.n, c:clean().n } end)()]])
  end)

  it("are made from arrays, written and read again, bit for bit", function()
    local scratch = T.tmpdir()
    local got = run.body([[local c = eas.lightcurve({ time = eas.linspace(0, 1, 9), flux = eas.linspace(1, 0.9, 9) }, { a = "b" })
      task:output("lightcurve", c)]], { outputs = { lightcurve = { filename = "c.fits" } } }, { scratch = scratch })
    local request = { inputs = { lightcurve = { path = scratch .. "/out/" .. got.outputs.lightcurve.file, filename = "c.fits" } } }
    assert.same({ 9, 1 / 8, 1 - 0.1 / 8, "b" }, value(
      "(function() local c = task:input('lightcurve') return { c.n, c.time[1], c.flux[1], c.metadata.a } end)()", request))
  end)

  it("name the nearest of a field that is none", function()
    fails("return eas.lightcurve(2).flx", "lightcurve has no field 'flx'; use flux")
    fails("return eas.lightcurve(2).temperature", "use n, time, flux, flux_err, flag, metadata")
    fails("eas.lightcurve(2).flux = 3", "lightcurve: flux cannot be replaced")
    fails("eas.lightcurve(2).fluks = 3", "lightcurve has no field 'fluks'")
    fails("eas.lightcurve('x')", "eas.lightcurve takes a number of samples")
    fails("eas.lightcurve { time = eas.array(2), flux = eas.array(3) }", "3 items of flux for 2 times")
    fails("eas.lightcurve(2):truncate(-1)", "truncate takes a duration in days, > 0")
    fails("eas.lightcurve(2):normalise()", "the median flux is 0; it must be > 0")
  end)

  it("stay alive while a column is looked at", function()
    local body = [[local f
      do local c = eas.lightcurve(1000) for i = 0, 999 do c.flux[i] = i end f = c.flux end
      for i = 1, 300 do local j = eas.lightcurve(10000) j.flux[0] = -1 end
      task:set { v = f:sum() } ]]
    assert.equal(499500, run.body(body).metadata.v)
  end)
end)

describe("random numbers", function()
  it("are SplitMix64's", function()
    -- Steele, Lea & Flood 2014, seed 42: first output 0xbdd732262feb6e95
    assert.truthy(math.abs(value "eas.random(42):uniform()" - tonumber(0xbdd732262feb6e95ULL) / 2 ^ 64) < 1e-15)
    local got = run.body [[local r, s, q = eas.random(1), 0, 0
      for _ = 1, 20000 do local x = r:normal() s, q = s + x, q + x * x end
      task:set { mean = s / 20000, var = q / 20000 } ]]
    assert.truthy(math.abs(got.metadata.mean) < 0.03 and math.abs(got.metadata.var - 1) < 0.04)
    fails("eas.random(0.5)", "eas.random takes a seed")
  end)
end)
