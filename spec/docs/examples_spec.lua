-- Every job in examples/ runs, and all of it passes.
local T = require "spec.support"
local World = require "spec.cli.world"
local blocks = require "spec.docs.blocks"

local function in_root(world, words) return world:eas(words, { cwd = T.root, timeout = 100 }) end

describe("examples", function()
  local list = blocks.files "examples/*.json examples/*.lua"

  it("pass the check", function()
    assert.truthy(#list >= 4)
    for _, file in ipairs(list) do
      local got = in_root(World.new(), { "submit", "--check", file })
      assert.equal(0, got.status, file .. ": " .. got.err)
    end
  end)

  it("run, and all passes", function()
    for _, file in ipairs(list) do
      local world = World.new()
      local got = in_root(world, { "run", file, "--no-progress", "--json" })
      assert.equal(0, got.status, file .. ": " .. got.out .. got.err)
      local v = World.json.decode(got.out)
      assert.equal(v.tasks, v.passed + v.reused, file)
      assert.equal(0, world:eas("fsck --verify").status)
    end
  end)
end)
