-- eas top: one picture where there is no terminal, JSON, and the live one.
local cjson = require "cjson"
local T = require "spec.support"
local Roles = require "spec.cli.roles"

describe("eas top", function()
  local roles
  setup(function()
    roles = Roles.new { EAS_LOG_LEVEL = "warn" }
    local file = T.write(roles.dir .. "/job.json", cjson.encode { job_name = "tops", task_list = { { task = "null", duration = 0 }, { task = "error" } } })
    assert.equal(1, roles:eas("run --no-progress " .. file).status)
  end)
  teardown(function() roles:stop() end)

  it("prints one picture where stdout is no terminal", function()
    local got = roles:eas "top"
    assert.equal(0, got.status, got.err)
    for _, text in ipairs { "j1 tops", "2 of 2", "failed", "null", "running: nothing", "this task fails by design" } do
      assert.truthy(got.out:find(text, 1, true), text .. "\n" .. got.out)
    end
    assert.is_nil(got.out:find "\27")
  end)

  it("says the same as JSON", function()
    local v = cjson.decode(roles:eas("top --json").out)
    assert.equal("j1", v.jobs[1].job)
    assert.equal(1, v.failures[1].n)
    assert.equal(0, v.workers.active)
    assert.equal(0, #v.running)
  end)

  it("draws in a terminal, fits into it, and leaves it as it was", function()
    T.skip_unless(T.sh "command -v python3".status == 0, "no python3 here")
    local script = [[
import os, pty, sys, time, select, fcntl, termios, struct
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], [sys.argv[1], "top"])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 16, 70, 0, 0))
before, out, asked, until = termios.tcgetattr(fd), b"", False, time.time() + 8
while time.time() < until:
    if fd in select.select([fd], [], [], 0.2)[0]:
        try: piece = os.read(fd, 65536)
        except OSError: break
        if not piece: break
        out += piece
    if not asked and b"q quits" in out:
        asked = True
        os.write(fd, b"j \x1b[A")
        time.sleep(0.3)
        os.write(fd, b"q")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
sys.stdout.write(out.decode())
]]
    local env = { "env", "TERM=xterm", "LC_ALL=C.UTF-8" }
    for k, v in pairs(roles.env) do env[#env + 1] = T.quote(k .. "=" .. v) end
    local got = T.sh(("cd %s && %s timeout 20 python3 - %s"):format(T.quote(roles.dir), table.concat(env, " "), T.quote(T.build .. "/bin/eas")), script)
    assert.equal(0, got.status, got.err)
    assert.equal("0", got.out:match "^%d+", got.out)
    assert.truthy(got.out:find("\27[?1049h", 1, true) and got.out:find("\27[?25h\27[?1049l", 1, true))
    assert.truthy(got.out:find("frozen", 1, true))
    for line in got.out:gsub("\27%[[%d;?]*%a", ""):gmatch "[^\r\n]+" do
      assert.truthy(select(2, line:gsub("[^\128-\191]", "")) <= 2 * 70, line) -- the last line of a frame has no end
    end
  end)

  it("says when there is no database", function()
    local got = T.eas({ "top", "--data", roles.dir .. "/none" })
    assert.equal(2, got.status)
    assert.truthy(got.err:find "there is no database here yet")
  end)
end)
