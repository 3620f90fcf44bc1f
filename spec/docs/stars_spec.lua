-- The examples that need real light curves: run where the reference data stand beside the repository.
local T = require "spec.support"
local World = require "spec.cli.world"

local function first_of(pattern)
  return T.sh("ls " .. T.quote(T.root) .. "/" .. pattern).out:match "[^\n]+"
end

describe("examples/stars/next_planets.json", function()
  it("is a job that could be submitted, were the stars there", function()
    local got = World.new():eas({ "submit", "--check", first_of "examples/stars/next_planets.json", "--input-path", T.tmpdir() })
    assert.equal(2, got.status)
    assert.truthy(got.err:find("nothing matches '*k2-3*'", 1, true), got.err)
  end)

  it("finds the three planets of K2-3, one after the other", function()
    local folder = T.reference "lightcurves/README.md"
    T.skip_unless(folder, "the reference light curves are not beside the repository")
    local world = World.new()
    local got = world:eas({ "run", first_of "examples/stars/next_planets.json", "--no-progress", "--input-path",
                            (folder:gsub("/README.md$", "")) }, { timeout = 110 })
    assert.equal(0, got.status, got.out .. got.err .. world:eas("errors").out)
    local found = {}
    for _, r in ipairs(world:ask "results j1") do if r.sde then found[r.planet_index] = r end end
    assert.equal(4, #found)
    assert.truthy(math.abs(found[1].period - 10.0546) < 0.01)
    assert.truthy(math.abs(found[2].period - 24.647) < 0.02)
    local d = 44.556 / found[3].period -- two transits are in the data: half the period explains them, too
    assert.truthy(math.abs(d - 1) < 0.01 or math.abs(d - 2) < 0.01, found[3].period)
    for i = 1, 3 do assert.truthy(found[i].sde > 7 and found[i].depth_snr > 7.1 and found[i].n_transits >= 2) end
    assert.truthy(found[4].n_transits < 2 or found[4].depth_snr <= 7.1 or found[4].sde <= 7)
  end)
end)
