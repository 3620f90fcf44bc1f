-- Memory and CPU of attempts over their time: seen while they run, kept with them, carried by an archive; nothing of short ones.
local ffi = require "ffi"
local cjson = require "cjson"
local T = require "spec.support"
local World = require "spec.cli.world"

T.cdef "engine/worker/usage.h"

describe("points of an attempt", function()
  local u
  before_each(function() u = ffi.gc(ffi.new "eas_usage", ffi.C.eas_usage_done) end)
  local function text() return cjson.decode(ffi.string(ffi.C.eas_usage_text(u))) end

  it("are at most 120, from its begin to its end, and lose no peak", function()
    assert.is_true(ffi.C.eas_usage_text(u) == nil)
    local shown = 0
    for s = 1, 5000 do
      ffi.C.eas_usage_add(u, s * 1000, s * 900, s == 777 and 5e6 or 1000)
      if ffi.C.eas_usage_due(u) ~= nil then shown = shown + 1 end
      assert.is_true(u.n <= 120)
    end
    local got = text()
    assert.is_true(#got.ms >= 60 and #got.ms == #got.cpu_ms and #got.ms == #got.rss_kb)
    local peak = 0
    for i, ms in ipairs(got.ms) do
      assert.equal(ms * 0.9, got.cpu_ms[i])
      if i > 1 then assert.is_true(ms > got.ms[i - 1]) end
      peak = math.max(peak, got.rss_kb[i])
    end
    assert.equal(5e6, peak)
    assert.is_true(got.ms[1] <= 64000 and got.ms[#got.ms] > 4900000)
    assert.is_true(shown > 60 and shown < 600) -- others see it every 2 s at first, then every 10 s
  end)

  it("are of a process and of what it started; of one that is gone there are none", function()
    ffi.cdef "int getpid(void);"
    ffi.C.eas_usage_look(u, ffi.C.getpid(), 1000)
    assert.is_true(text().rss_kb[1] > 1000 and text().cpu_ms[1] > 0)
    ffi.C.eas_usage_look(u, 2 ^ 30, 2000)
    assert.equal(1, u.n)
  end)
end)

describe("an attempt", function()
  it("that ran for a while has them, one that was short has none, and an archive carries them", function()
    local world = World.new(World.pack { slow = { task = "task:exec { 'sleep', '2.4' }" }, quick = { task = "task:set { x = 1 }" } })
    world:run({ { task = "slow" }, { task = "quick" } }, "used")
    local function usage(task, more)
      local a = cjson.decode(world:eas(("show %s --json%s"):format(task, more or "")).out).attempts[1].attempt
      return cjson.decode(world:eas(("show %s --json%s"):format(a, more or "")).out).usage
    end
    local got = usage "t2"
    assert.is_true(#got.ms >= 1 and got.ms[1] > 1000 and got.rss_kb[1] > 1000, cjson.encode(got))
    assert.equal(cjson.null, usage "t3")
    assert.equal(0, world:eas("archive used --remove --into kept.eas").status)
    assert.equal(0, world:value "SELECT count(*) FROM attempt_usage")
    assert.same(got, usage("t2", " --database sqlite:" .. world:path "kept.eas"))
  end)
end)
