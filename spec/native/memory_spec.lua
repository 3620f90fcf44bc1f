-- Peak memory of every search: at most 20 times the light curve's own arrays and twice those of the periodogram.
local T = require "spec.support"

describe("peak memory", function()
  for _, method in ipairs { "tls", "bls", "bls_hybrid", "bls_kovacs", "fbls", "qats", "dst", "exotrans", "vetting" } do
    it("of " .. method .. " is within its limit", function()
      if T.asan then return pending "the sanitizer's own memory is in the peak" end
      local got = T.eas { "lua", "bench/memory_bench.lua", method, "30", "25" } -- 103 680 samples
      assert.equal(0, got.status, got.err)
      local peak, limit = got.out:match "peak%s+([%d.]+) MB.*limit ([%d.]+)"
      assert.is_true(tonumber(limit) > 50 and tonumber(peak) > 3, got.out)
      assert.is_true(tonumber(peak) <= tonumber(limit), got.out)
    end)
  end
end)
