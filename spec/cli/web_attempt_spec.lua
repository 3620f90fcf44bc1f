-- The page of an attempt that crashed in native code: file and line as `eas show` has them, and what to type to try it again.
local cjson = require "cjson"
local T = require "spec.support"
local Http = require "spec.cli.http"
local Roles = require "spec.cli.roles"
local World = require "spec.cli.world"

describe("the page of an attempt that crashed", function()
  local roles, web
  setup(function()
    local pack = World.pack {
      crash = { task = 'local bad = require "native.bad"\n  bad.power()', max_attempts = "1" },
      liar = { task = 'error("at f (../../../../../../bin/sh+0x10) and g (nothing.so+0x20)")', max_attempts = "1" },
    }
    World.native(pack, "bad", "void bad_power(void) { *(volatile int *)0x10 = 1; }\n", "void bad_power(void);\n",
      'local native = require "eas.native"\nlocal lib = native.load "bad"\nreturn { power = function() lib.bad_power() end }\n')
    roles = Roles.new { EAS_LOG_LEVEL = "warn", EAS_TASK_PATH = pack }
    local file = T.write(roles.dir .. "/job.json", cjson.encode { job_name = "crash", task_list = { { task = "crash" }, { task = "liar" } } })
    assert.equal(1, roles:eas("run --no-progress " .. file).status)
    web = Http.start(roles)
  end)
  teardown(function() roles:stop() end)

  it("names file and line, and the command that repeats it", function()
    local a = web:api("/tasks?type=crash").items[1].attempt
    local raw = web:api("/attempts/" .. a)
    assert.equal("crashed", raw.ending)
    local place = raw.error:match "bad_power %((bad%.so%+0x%x+)%)"
    assert.truthy(place, raw.error)
    local known = T.sh("command -v addr2line").status == 0
    local wanted = known and place .. ", bad.c:1)" or place .. ")"
    for _ = 1, 2 do -- asked for, then remembered
      local body = roles:wait("its place", function()
        local text = web:get("/attempts/" .. a).body
        return text:find(wanted, 1, true) and text
      end)
      assert.truthy(body:find("eas shell --attempt " .. a .. "</code>", 1, true))
    end
  end)

  it("takes no file's name from a task", function()
    local a = web:api("/tasks?type=liar").items[1].attempt
    local body = web:get("/attempts/" .. a).body
    assert.truthy(body:find("at f (../../../../../../bin/sh+0x10) and g (nothing.so+0x20)", 1, true))
    assert.truthy(roles:eas("show " .. a).out:find("bin/sh+0x10) and g (nothing.so+0x20)", 1, true))
  end)
end)
