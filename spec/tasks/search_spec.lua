-- eas search: the card, rows, JSON, files, refusals.
local T = require "spec.support"
local json = require "eas.json"
local run = require "spec.tasks.run"

local function search(...) return T.eas { "search", ... } end
local planet = run.light_curve(1440, { period = 3, t0 = 1, depth = 0.002 })
local noise = run.light_curve(1440)

describe("eas search", function()
  it("prints one JSON line per light curve", function()
    local got = search("--json", "--method", "bls", planet, noise, "--set", "period_min=1")
    assert.equal(0, got.status, got.err)
    local lines = {}
    for line in got.out:gmatch "[^\n]+" do lines[#lines + 1] = json.decode(line) end
    assert.equal(2, #lines)
    local one = lines[1]
    assert.equal("bls", one.method)
    assert.equal(planet, one.file)
    assert.equal(1440, one.n_points)
    assert.equal(1, one.settings.period_min)
    assert.truthy(math.abs(one.result.period - 3) < 0.02)
    for _, name in ipairs { "power", "depth", "depth_err", "duration", "t0", "sde", "index", "n_periods", "log_likelihood" } do
      assert.equal("number", type(one.result[name]), name)
    end
    assert.truthy(#one.vetting > 10 and one.cpu_seconds > 0 and one.wall_seconds > 0 and math.abs(one.span - 29.979) < 0.01)
    assert.equal("fail", lines[2].credible)
  end)

  it("prints a card with the fold and the checks", function()
    local got = T.eas({ "search", planet, "--set", "period_min=1" }, { env = { LC_ALL = "C.UTF-8" } })
    assert.equal(0, got.status, got.err)
    for _, part in ipairs { "1440 rows, 1440 used", "period ", "mid-time", "ppm", "candidate: ", "vetting", "significance" } do
      assert.truthy(got.out:find(part, 1, true), part .. "\n" .. got.out)
    end
    assert.is_nil(got.out:find "\27") -- no colour into a pipe
  end)

  it("prints a row each for several", function()
    local got = search(planet, noise, "--set", "period_min=1")
    local lines = select(2, got.out:gsub("\n", ""))
    assert.equal(3, lines)
  end)

  it("takes a light curve without any noise: what is a ratio to it is null", function()
    local lines = {}
    for k = 0, 1499 do
      local off = (k * 0.02 - 1 + 2.05) % 4.1 - 2.05
      lines[#lines + 1] = ("%.2f %.4f"):format(k * 0.02, math.abs(off) < 0.07 and 0.99 or 1)
    end
    local file = T.write(T.tmpdir() .. "/clean.txt", table.concat(lines, "\n") .. "\n")
    for _, method in ipairs { "bls", "bls_kovacs", "fbls", "tls", "qats", "dst_v26", "dst_v29", "exotrans" } do
      local got = T.eas { "search", file, "--method", method, "--json" }
      assert.equal(0, got.status, method .. ": " .. got.out .. got.err)
      assert.truthy(#json.decode(got.out).vetting > 5, method)
    end
  end)

  it("writes the files that are asked for", function()
    local dir = T.tmpdir()
    local got = search(planet, "--set", "period_min=2", "--periodogram", dir .. "/p.txt", "--plot", dir .. "/fold.svg")
    assert.equal(0, got.status, got.err)
    assert.truthy(T.read(dir .. "/p.txt"):match "^# period power depth duration t0\n2 ")
    assert.equal(0, search(planet, "--set", "period_min=2", "--periodogram", dir .. "/p.txt.gz").status)
    assert.equal(T.read(dir .. "/p.txt"), T.sh("gunzip -c " .. dir .. "/p.txt.gz").out)
    got = search(planet, "--set", "period_min=2", "--periodogram", dir .. "/none/p.txt")
    assert.truthy(got.err:find("none/p.txt': No such file or directory", 1, true), got.err)
    got = search(planet, "--set", "period_min=2", "--periodogram", dir .. "/p.txt", "--plot", dir .. "/fold.svg")
    assert.truthy(T.read(dir .. "/fold.svg"):match "^<svg .*</svg>\n$")
    assert.truthy(got.out:find("wrote   " .. dir .. "/p.txt, " .. dir .. "/fold.svg", 1, true))
  end)

  it("says what is wrong, does the others, ends with 2", function()
    local got = search("nowhere.fits", planet, "--set", "period_min=2")
    assert.equal(2, got.status)
    assert.truthy(got.err:find("nowhere.fits", 1, true))
    assert.truthy(got.out:find("lc.txt", 1, true))
    got = search(planet, "--method", "bsl")
    assert.equal(2, got.status)
    assert.truthy(got.err:find("there is no search method 'bsl'", 1, true))
    got = search(planet, "--set", "period_mni=1")
    assert.equal(2, got.status)
    assert.truthy(got.err:find("unknown setting 'period_mni'; use period_min", 1, true))
    assert.is_nil(got.err:find("%.lua:"))
    assert.equal(2, search(planet, noise, "--plot", "x.svg").status)
    assert.equal(2, search(planet, "--plot", "x.png").status)
    got = search("--json", "nowhere.fits")
    assert.truthy(json.decode(got.out).error.message:find("nowhere.fits", 1, true))
  end)

  it("agrees with the peer", function()
    local path = T.reference "lightcurves/p01_deep_27d_10min.txt.gz"
    if not T.skip_unless(path, "no reference data") then return end
    local result = json.decode(search("--json", "--settings", '{"compat":"peer"}', path).out).result
    assert.truthy(math.abs(result.period / 3.210647118792465 - 1) < 1e-9)
    assert.truthy(math.abs(result.power / 0.007946127106251569 - 1) < 1e-8)
    assert.equal(14464, result.n_periods)
  end)

  it("finds HAT-P-7 b in Kepler's file, and K2-3 b", function()
    local path = T.reference "fits/kplr010666592-2009131110544_slc.fits"
    if not T.skip_unless(path, "no reference data") then return end
    local got = json.decode(search("--json", path).out)
    assert.truthy(math.abs(got.result.period / 2.2047 - 1) < 1e-3)
    assert.equal("pass", got.credible)
    path = T.reference "lightcurves/r01_k2-3_epic201367065.txt.gz"
    got = json.decode(search("--json", path, "--set", "period_min=5").out)
    assert.truthy(math.abs(got.result.period / 10.054 - 1) < 1e-3)
  end)
end)
