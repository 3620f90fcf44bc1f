-- Blocks of the documents that are marked "sh run" end well.
local T = require "spec.support"
local World = require "spec.cli.world"
local blocks = require "spec.docs.blocks"

describe("commands of the documents", function()
  it("marked 'sh run' run, line by line", function()
    local n = blocks.each("sh run", function(block, where)
      local world = World.new()
      local env = {}
      for name, value in pairs(world:environment()) do env[#env + 1] = T.quote(name .. "=" .. value) end
      for line in block.text:gmatch "[^\n]+" do
        local got = T.sh(("cd %s && env PATH=%s:$PATH %s timeout -k 2 60 sh -c %s"):format(T.quote(T.root), T.quote(T.build .. "/bin"),
          table.concat(env, " "), T.quote(line)))
        assert.equal(0, got.status, ("%s: %s: %s%s"):format(where, line, got.out, got.err))
        assert.truthy(#got.out > 0, where .. ": " .. line)
      end
    end)
    assert.truthy(n >= 1)
  end)
end)
