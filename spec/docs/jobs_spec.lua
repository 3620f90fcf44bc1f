-- Jobs that the documents show pass the check and run.
local T = require "spec.support"
local World = require "spec.cli.world"
local blocks = require "spec.docs.blocks"

describe("jobs of the documents", function()
  it("in JSON are jobs that run", function()
    local n = blocks.each("json", function(block, where)
      local world = World.new()
      local path = T.write(world:path "job.json", block.text)
      local got = world:eas { "submit", path, "--check" }
      assert.equal(0, got.status, where .. ": " .. got.err)
      assert.is_nil(T.read(world:database()))
      got = world:eas { "run", path, "--no-progress" }
      assert.equal(0, got.status, where .. ": " .. got.out .. got.err .. world:eas("errors").out)
    end)
    assert.truthy(n >= 3)
  end)
end)
