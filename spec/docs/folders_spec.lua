-- Examples that are more than a job file: stand-alone configurations, a folder of FITS files, a search that hides what it found.
local T = require "spec.support"
local World = require "spec.cli.world"
local blocks = require "spec.docs.blocks"

describe("examples/cfg", function()
  it("each runs by itself, as the prototype's tests did", function()
    local n = 0
    for _, file in ipairs(blocks.files "examples/cfg/*.cfg") do
      local world = World.new()
      local got = world:eas({ "task", "--config", file, "--no-progress" }, { cwd = T.root })
      assert.equal(0, got.status, file .. ": " .. got.out .. got.err)
      assert.truthy(got.out:find("Output metadata:", 1, true), got.out)
      if file:find "transit_search" then
        local period = tonumber(got.out:match "\nperiod : (%S+)")
        assert.truthy(math.abs(period - 1.5) < 0.01, got.out)
      end
      n = n + 1
    end
    assert.truthy(n >= 5)
  end)
end)

describe("examples/stars/folder.json", function()
  it("searches every FITS file of a folder: what another job made", function()
    local maker, world = World.new(), World.new()
    assert.equal(0, maker:eas({ "run", "examples/loops.json", "--no-progress" }, { cwd = T.root }).status)
    local got = world:eas({ "run", "examples/stars/folder.json", "--no-progress", "--input-path", maker.dir .. "/data/store" }, { cwd = T.root })
    assert.equal(0, got.status, got.out .. got.err .. world:eas("errors").out)
    local rows = world:ask "results --type transit_search_bls_reference"
    assert.equal(6, #rows)
    local deep = 0
    for _, r in ipairs(rows) do
      assert.truthy(r.star:find("products/loops/lc_%d_%d.fits$") and r.star_name:find "^lc_%d_%d$", r.star)
      deep = deep + (r.recovered and 1 or 0)
    end
    assert.truthy(deep >= 3)
  end)
end)

describe("examples/search_and_mask.json", function()
  it("finds one planet after the other, and stops", function()
    local world = World.new()
    assert.equal(0, world:eas({ "run", "examples/search_and_mask.json", "--no-progress" }, { cwd = T.root }).status)
    local rows = world:ask "results --type transit_search_bls_reference --sort planet_index"
    assert.equal(3, #rows)
    assert.truthy(math.abs(rows[1].period - 3.1) < 0.02 and math.abs(rows[2].period - 7.3) < 0.05, rows[2].period)
    assert.same({ "pass", "pass", "fail" }, { rows[1].credible, rows[2].credible, rows[3].credible })
  end)
end)
