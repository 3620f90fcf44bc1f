-- bls_hybrid: the same trial as the whole exact search, on every reference curve and on random injections.
-- EAS_LONG=1: all 200 injections, and the reference curves by our own conventions too (minutes).
local T = require "spec.support"
local K = require "spec.native.kernel"
local LONG = os.getenv "EAS_LONG" ~= nil

-- Runs Lua text by `eas lua`, which brings pool, arrays and light curves; its output, as a list of lines.
local function lua(text)
  local path = T.write(T.tmpdir() .. "/script.lua", [[
    local eas, json = require "eas", require "eas.json"
    local bls, hybrid = require "eas.native.bls", require "eas.native.bls_hybrid"
    local model = require "eas.native.transit_model"
    local function run(search)
      for _ in search:run(1) do end -- luacheck: ignore
      return search:best(), search
    end
    local function exact(lc, set) return run(bls.new(lc, bls.period_grid(lc, set), set)) end
  ]] .. text)
  local got = T.eas({ "lua", path }, { timeout = LONG and 3600 or 120 })
  assert.equal("", got.err)
  assert.equal(0, got.status)
  local lines = {}
  for line in got.out:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

describe("bls_hybrid", function()
  it("has the peer's trial on every reference curve", function()
    local files, golden = {}, {}
    for _, row in ipairs(K.json "golden.json") do
      if row.kernel == "bls_reference" then
        golden[#golden + 1] = row
        files[#files + 1] = ("%q"):format(T.reference("lightcurves/" .. row.lc))
      end
    end
    local lines = lua("for _, file in ipairs {" .. table.concat(files, ",") .. [[} do
      local best = run(hybrid.new(require "eas.lc".read(file), { compat = "peer" }))
      print(json.encode { index = best.index, n = best.n_periods, evaluated = best.n_evaluated, power = best.power, period = best.period })
    end]])
    assert.is_true(#golden >= 12)
    for i, row in ipairs(golden) do
      local best = require "cjson".decode(lines[i])
      assert.equal(row.result.n_periods, best.n, row.lc)
      assert.equal(row.result.index, best.index, row.lc)
      K.near(row.result.period, best.period, 1e-12, row.lc)
      K.near(row.result.power, best.power, 1e-8, row.lc)
      assert.is_true(best.evaluated < 0.5 * best.n, row.lc)
    end
  end)

  -- Every third curve has nothing to find; the others a transit of a signal-to-noise ratio of 4 to 40. Uniform, with gaps,
  -- and jittered; both objectives.
  it("has the trial of the whole search on random injections", function()
    local lines = lua(("local first, last = 1, %d"):format(LONG and 200 or 12) .. [[
      local differ, evaluated, trials = {}, 0, 0
      for seed = first, last do
        local u = model.noise(seed + 7000, 8)
        local function chance(k) return 0.5 * (1 + math.tanh(0.8 * u[k])) end
        local days, step = 15 + 20 * chance(0), ({ 1800, 1765.4, 900 })[seed % 3 + 1] / 86400
        local period, duration = 0.6 * (days / 1.5) ^ chance(1), 0.06 + 0.12 * chance(2)
        local n = math.floor(days / step)
        local snr = seed % 3 == 0 and 0 or 4 * 10 ^ chance(3)
        local depth = snr * 2e-4 / math.sqrt(n * duration / period)
        local noise, jitter, lc = model.noise(seed, n), model.noise(seed + 999, n), { time = {}, flux = {}, n = 0 }
        for i = 0, n - 1 do
          if not (seed % 4 == 1 and (i % 300 > 240 or i % 37 == 5)) then
            local t = i * step + (seed % 4 == 2 and 0.1 * step * math.max(-3, math.min(3, jitter[i])) or 0)
            local phase = (t - chance(4) * period + period / 2) % period - period / 2
            lc.n = lc.n + 1
            lc.time[lc.n], lc.flux[lc.n] = t, 1 - (math.abs(phase) < duration / 2 and depth or 0) + 2e-4 * noise[i]
          end
        end
        lc.time, lc.flux = eas.array(lc.time), eas.array(lc.flux)
        local set = { objective = seed % 5 == 0 and "snr" or nil, compat = seed % 7 == 0 and "peer" or nil }
        local one, two = exact(lc, set), run(hybrid.new(lc, set))
        evaluated, trials = evaluated + two.n_evaluated, trials + two.n_periods
        for _, name in ipairs { "index", "period", "power", "depth", "duration", "t0", "depth_err" } do
          if one[name] ~= two[name] then
            differ[#differ + 1] = ("%d (snr %.1f): trial %d %.9g, not %d %.9g"):format(seed, snr, two.index, two.power, one.index, one.power)
            break
          end
        end
      end
      print(#differ, evaluated, trials)
      for _, line in ipairs(differ) do print(line) end
    ]])
    print(("bls_hybrid: %s of %d injections differ; evaluated, of all trials: %s"):format(lines[1]:match "%d+", LONG and 200 or 12,
      (lines[1]:gsub("^%d+%s+", ""):gsub("%s+", " of "))))
    assert.equal("0", lines[1]:match "%d+", table.concat(lines, "\n"))
  end)

  it("has the trial of the whole search on every reference curve, by our own conventions", function()
    if not T.skip_unless(LONG, "EAS_LONG is not set") then return end
    local files = {}
    for _, row in ipairs(K.json "golden.json") do
      if row.kernel == "bls_reference" then files[#files + 1] = ("%q"):format(T.reference("lightcurves/" .. row.lc)) end
    end
    local lines = lua("for _, file in ipairs {" .. table.concat(files, ",") .. [[} do
      local lc = require "eas.lc".read(file)
      local one, two = exact(lc, {}), run(hybrid.new(lc, {}))
      print(one.index == two.index and one.power == two.power and one.t0 == two.t0, math.abs(two.sde / one.sde - 1) < 0.15)
    end]])
    for i, line in ipairs(lines) do assert.equal("true\ttrue", line, files[i]) end
  end)

  it("says what it cannot search", function()
    local lines = lua [[
      local t = eas.array { 1, 2, 3, 4, 5, 6 }
      print((select(2, pcall(hybrid.new, { n = 6, time = t, flux = t }, { period_min = 5, period_max = 4 }))))
      print((select(2, pcall(hybrid.new, { n = 2, time = t, flux = t }, { period_max = 9 }))))
    ]]
    assert.truthy(lines[1]:find("no trial period", 1, true))
    assert.truthy(lines[2]:find("2 usable samples", 1, true), lines[2])
  end)
end)
