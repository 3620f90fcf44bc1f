-- The Lua side of the kernels, as scripts use it: run by the binary, which brings pool, arrays and light curves.
local T = require "spec.support"

-- Runs Lua text by `eas lua`; what it printed, as a list of lines.
local function lua(text)
  local path = T.write(T.tmpdir() .. "/script.lua", [[
    local eas = require "eas"
    local bls, vetting = require "eas.native.bls", require "eas.native.vetting"
    local model, fixed_step = require "eas.native.transit_model", require "eas.native.fixed_step"
    local resample = require "eas.native.resample"
    local function planet(set)
      local base = { n = 5760, step = 900 / 86400, t0 = 1.7, period = 4.3, radius_ratio = 0.05, axis = 11, noise = 2e-4, seed = 5 }
      for k, v in pairs(set or {}) do base[k] = v end
      return model.light_curve(base)
    end
    local function why(...) return (select(2, pcall(...))) end
  ]] .. text)
  local got = T.eas { "lua", path }
  assert.equal("", got.err)
  assert.equal(0, got.status)
  local lines = {}
  for line in got.out:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

describe("the kernels from Lua", function()
  it("make, search and judge a planet", function()
    local lines = lua [[
      local lc = eas.lightcurve(planet(), {})
      local search = bls.new(lc, bls.period_grid(lc, {}), {})
      local last
      for done, total in search:run(2) do last = done == total end
      local best = search:best()
      print(last, search.path, math.abs(best.period - 4.3) < 0.01, best.found, best.sde > 6, best.depth_snr > 50)
      local checks, numbers, verdict = vetting.check(lc, { period = best.period, t0 = best.t0, duration = best.duration,
                                                           sde = best.sde, method = "bls" })
      print(#checks, checks[1].name, checks[1].verdict, verdict, numbers.n_transits)
      local stats, table = search:stats(best), search:periodogram()
      print(stats.n_transits, #stats.transits, math.abs(stats.depth_odd / stats.depth_even - 1) < 0.1)
      print(table.n == search.n_periods, math.abs(table.power[best.index] / best.power - 1) < 1e-12, #table.columns)
    ]]
    assert.same({ "true\trows\ttrue\ttrue\ttrue\ttrue", "22\tcandidate\tpass\tpass\t14", "14\t14\ttrue", "true\ttrue\t5" }, lines)
  end)

  it("give the same for any number of threads, and the peer's conventions on request", function()
    local lines = lua [[
      local lc = planet { n = 2000 }
      local function power(threads, compat)
        local search = bls.new(lc, bls.period_grid(lc, {}), { compat = compat })
        for _ in search:run(threads) do end
        return search:periodogram().power, search:best().depth_err
      end
      local one, ours = power(1)
      local three = power(3)
      local same = true
      for i = 0, #one - 1 do same = same and one[i] == three[i] end
      local _, peers = power(1, "peer")
      print(same, ours < 1e-4, peers > 0.01)
    ]]
    assert.same({ "true\ttrue\ttrue" }, lines)
  end)

  it("leave bad samples out", function()
    local lines = lua [[
      local lc = eas.lightcurve(planet(), {})
      lc.flux[10], lc.flag[20], lc.flag[30] = 0 / 0, 1, 2
      print(bls.new(lc, { 4.3 }).n_points)
      local report = fixed_step.verify(lc)
      print(report.verification, report.errors, report.n_flagged, report.n_finite)
      local new = resample.onto(lc, lc.time)
      print(new.flux[10] ~= new.flux[10], new.flux[11] == lc.flux[11], new.flag.data[20], new.flag.data[30])
    ]]
    assert.same({ "5758", "false\t1\t2\t5759", "true\ttrue\t4\t2" }, lines)
  end)

  it("add planets, and repeat noise by its seed", function()
    local lines = lua [[
      local base = { n = 500, step = 0.01, axis = 9, radius_ratio = 0.1, period = 2 }
      local a = model.light_curve(setmetatable({ t0 = 1 }, { __index = base }))
      local b = model.light_curve(setmetatable({ t0 = 1.5 }, { __index = base }))
      local both = model.light_curve(setmetatable({ planets = { { t0 = 1 }, { t0 = 1.5 } } }, { __index = base }))
      local same = true
      for i = 0, 499 do same = same and both.deficit[i] == a.deficit[i] + b.deficit[i] end
      print(same, both.summary.pixels_in_transit == a.summary.pixels_in_transit + b.summary.pixels_in_transit)
      local x, y, z = planet { seed = 3 }, planet { seed = 3 }, planet { seed = 4 }
      print(x.flux[77] == y.flux[77], x.flux[77] == z.flux[77], x.flux_err[0])
    ]]
    assert.same({ "true\ttrue", "true\tfalse\t0.0002" }, lines)
  end)

  it("take chance and other searches into account", function()
    local lines = lua [[
      local lc = eas.lightcurve(planet(), {})
      local function verdict(fap)
        local checks, _, overall = vetting.check(lc, { period = 4.3, t0 = 1.7, duration = 0.11, fap = fap })
        return checks[#checks].name, checks[#checks].verdict, overall
      end
      print(verdict(8e-5))
      print(verdict(5e-3))
      print(verdict(0.5))
      print(verdict(0 / 0))
      for _, c in ipairs(vetting.agreement(4.3, { b = { period = 8.7 }, a = { period = 4.31 }, c = { period = 5 }, d = {}, e = { period = 0 / 0 } })) do
        print(c.name, c.verdict, ("%.2f"):format(c.value), c.limit)
      end
      print(#vetting.agreement(0 / 0, { a = { period = 3 } }), vetting.version)
    ]]
    assert.same({ "false_alarm\tpass\tpass", "false_alarm\twarn\twarn", "false_alarm\tfail\tfail", "false_alarm\tskip\tpass",
      "agrees with a\tnote\t1.00\tthe same", "agrees with b\tnote\t2.02\t2", "agrees with c\tnote\t1.16\tnil", "0\t2" }, lines)
  end)

  it("make the same light curves with any number of threads", function()
    local lines = lua [[
      local psls = require "eas.native.psls"
      local function sum(a)
        local total = 0
        for i = 0, #a - 1 do total = (total * 31 + a[i] * 1e9) % 1e9 end
        return total
      end
      local function both(threads)
        local lc = planet { n = 100000, step = 60 / 86400, eccentricity = 0.3, threads = threads, supersample = 3, exposure = 0.001 }
        local star = psls.light_curve { n = 20001, cadence = 100, star = psls.template "main_sequence", noise = 500, drift = 1e-3,
                                        mask_updates = 3, drift_step = 1e-3, seed = 9, threads = threads }
        return ("%.17g %.17g"):format(sum(lc.deficit), sum(star.flux))
      end
      local one = both(1)
      for _, threads in ipairs { 2, 3, 8 } do print(both(threads) == one) end
    ]]
    assert.same({ "true", "true", "true" }, lines)
  end)

  it("say what is wrong", function()
    local lines = lua [[
      local lc = planet { n = 500 }
      local two = planet { n = 2 }
      print(why(bls.new, two, { 4 }))
      print(why(bls.new, lc, {}))
      print(why(bls.new, lc, { 3, 0.1 }))
      print(why(bls.new, lc, { 3 }, { objective = "best" }))
      print(why(bls.new, lc, { 3 }, { oversample = 0 }))
      print(why(bls.new, lc, { 3 }, { durations = { 0.1, -1 } }))
      print(why(planet, { period = -1 }))
      print(why(planet, { axis = 0.5 }))
      print(why(planet, { eccentricity = 1 }))
      print(why(planet, { supersample = 5 }))
      print(why(model.geometry, { planet_radius = 1, semi_major_axis = 0.05, impact_parameter = 30 }))
      print(why(resample.onto, lc, { 1, 1, 2 }))
    ]]
    local wanted = { "2 usable samples of 2", "no trial period", "period 0.1 d is not longer than the longest duration, 0.2 d",
      "unknown objective 'best'", "oversample 0", "duration -1 d", "period is -1; it must be > 0", "axis is 0.5; it must be > 1",
      "eccentricity is 1; it must be >= 0 and < 1", "supersample needs exposure", "impact_parameter 30 is outside", "times not increasing" }
    assert.equal(#wanted, #lines)
    for i, part in ipairs(wanted) do assert.is_truthy(lines[i]:find(part, 1, true), lines[i]) end
  end)

  it("are mapped when they are wanted, and only as they were declared", function()
    local folder = T.tmpdir()
    T.sh("chmod 755 " .. folder)
    local lines = lua(([[
      local native = require "eas.native"
      local folder = %q
      local function put(name, text)
        local file = io.open(folder .. "/" .. name, "wb")
        file:write(text)
        file:close()
      end
      local function maps()
        local text = io.open("/proc/self/maps"):read "*a"
        return (text:gsub("[^\n]*\n", function(line) return line:find("late_one.so", 1, true) and "x" or "" end)) ~= ""
      end
      local kernel = io.open(native.folders[1] .. "/resample.so", "rb"):read "*a"
      local declared = 'return { cdef = "double eas_resample_gone(double x);" }'
      native.folders[#native.folders + 1] = folder
      put("late_one.so", kernel)
      put("late_one_cdef.lua", declared)
      native.late = true
      local lib = native.load "late_one"
      local digest = native.loaded.late_one.digest
      print(maps(), native.load "late_one" == lib)
      put("late_one_cdef.lua", declared .. " ")
      put("late_one.so", kernel .. "more")
      print(why(function() return lib.eas_resample_gone end))
      put("late_one_cdef.lua", declared)
      print((why(function() return lib.eas_resample_gone end):gsub("^.-resample_gone.*", "no such symbol")))
      print(maps(), native.loaded.late_one.digest ~= digest, native.open "late_one" == lib)
      put("late_two.so", kernel)
      put("late_two_cdef.lua", declared)
      os.execute("chmod 600 " .. folder .. "/late_two.so")
      native.load "late_two"
      print(native.loaded.late_two.wait)
    ]]):format(folder))
    assert.same({ "false\ttrue", "kernel 'late_one' has other declarations than when this process began: run it again",
                  "no such symbol", "true\ttrue\ttrue", "nil" }, lines)
  end)
end)
