-- What the documents show works: jobs pass the check and run, scripts load, commands marked "sh run" end well, examples run.
-- The scripts and kernels of docs/scripting.md and docs/kernels.md are run by spec/tasks/docs_spec.lua.
local T = require "spec.support"
local blocks = require "spec.docs.blocks"

local KNOWN = { [""] = true, json = true, lua = true, c = true, python = true, sh = true, ["sh run"] = true, xml = true }

describe("blocks of the documents", function()
  it("say what they are", function()
    for _, block in ipairs(blocks.all) do assert.truthy(KNOWN[block.info], ("%s:%d: '%s'"):format(block.file, block.line, block.info)) end
    assert.truthy(#blocks.all >= 10)
  end)

  it("in Lua load", function()
    local n = blocks.each("lua", function(block, where) assert.truthy(loadstring(block.text, where)) end)
    assert.truthy(n >= 4)
  end)

  it("name commands that there are", function()
    local overview = T.eas({ "--help" }).out
    for _, info in ipairs { "sh", "sh run" } do
      blocks.each(info, function(block, where)
        for name in ("\n" .. block.text):gmatch "\neas ([%w]+)" do
          assert.truthy(overview:find("\n  eas " .. name .. " ", 1, true), where .. ": eas " .. name)
        end
      end)
    end
  end)
end)
