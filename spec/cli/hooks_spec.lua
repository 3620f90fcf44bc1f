-- Hooks: who is told that a job is done, once, with what, and what a hook that fails or hangs does (nothing to the job).
local cjson = require "cjson"
local T = require "spec.support"
local Roles = require "spec.cli.roles"

local roles
after_each(function()
  if roles then roles:stop() end
  roles = nil
end)

-- A program that keeps what it is told, then does more.
local function world(more, env)
  roles = Roles.new(env)
  local hook = T.write(roles.dir .. "/hook", ("#!/bin/sh\n{ echo \"$@\"; cat; echo; env; } >> %s/told\n%s\n"):format(roles.dir, more or ""))
  assert.equal(0, T.sh("chmod 755 " .. hook).status)
  roles.env.EAS_HOOK_COMMAND = hook
  return function() return T.read(roles.dir .. "/told") or "" end
end

local function run(name, tasks)
  local file = T.write(("%s/%s.json"):format(roles.dir, name), cjson.encode { job_name = name, task_list = tasks })
  return roles:eas("run --no-progress --json " .. file)
end

local FINE, BAD = { { task = "null", duration = 0 } }, { { task = "error" }, { task = "null", duration = 0 } }

describe("a hook", function()
  it("is told of each job of eas run, once, without secrets", function()
    local told = world(nil, { EAS_WEB_TOKEN = "never-to-be-seen" })
    assert.equal(0, run("fine", FINE).status)
    local line, json = told():match "^([^\n]*)\n([^\n]*)\n"
    assert.equal("passed j1", line)
    local event = cjson.decode(json)
    assert.same({ "j1", "fine", "passed", 1, 1, 0 }, { event.job, event.name, event.state, event.tasks, event.passed, event.failed })
    assert.truthy(event.done_at > event.created_at)
    assert.is_nil(told():find "never%-to%-be%-seen")
    assert.equal(0, run("fine", FINE).status) -- done already
    assert.equal(1, run("bad", BAD).status)
    local _, n = told():gsub("passed j1\n", "")
    assert.equal(1, n)
    assert.truthy(told():find("failed j2\n", 1, true))
  end)

  it("hears of failures only, if so wished, and nothing of what was done before", function()
    local told = world()
    local hook = roles.env.EAS_HOOK_COMMAND
    roles.env.EAS_HOOK_COMMAND = nil
    assert.equal(1, run("before", BAD).status)
    roles.env.EAS_HOOK_COMMAND, roles.env.EAS_HOOK_ON = hook, "failed"
    assert.equal(0, run("fine", FINE).status)
    assert.equal(1, run("bad", BAD).status)
    assert.equal("failed j3", told():match "^[^\n]*")
    assert.is_nil(told():find("j1\n", 1, true) or told():find("j2\n", 1, true))
  end)

  it("that hangs is killed with all it started, and the job's end is as it was", function()
    world("sleep 77 & sleep 77", { EAS_HOOK_TIMEOUT = "300 ms" })
    local before = os.time()
    local got = run("fine", FINE)
    assert.equal(0, got.status)
    assert.truthy(got.err:find "hook_command of j1: over its time, will be tried again", got.err)
    assert.truthy(os.time() - before < 15)
    assert.truthy(T.sh("pgrep -f 'sleep 7[7]'").status ~= 0)
  end)

  it("that fails is tried three times by control, which goes on with the next", function()
    local told = world("exit 3")
    assert.equal(0, roles:eas("init").status)
    roles:start "control"
    roles:start "worker --slots 1"
    roles:wait("control", function() return roles:log "control":find "control is up" end)
    roles:wait("its first look", function() -- what was done before it is not told
      return T.sh(("sqlite3 %s/data/eas.db \"SELECT place FROM chore WHERE name = 'hooks'\""):format(roles.dir)).out:find "j0"
    end)
    roles:submit(FINE, "one")
    roles:wait("three tries", function() return roles:log "control":find "hook_command of j1: exit 3, given up" end)
    local _, n = told():gsub("passed j1\n", "")
    assert.equal(3, n)
    roles:submit(FINE, "two")
    roles:wait("the next job", function() return told():find("passed j2", 1, true) end)
  end)

  it("may be an address, which no process list shows", function()
    T.skip_unless(T.sh "command -v curl && command -v python3".status == 0, "no curl or no python3 here")
    world()
    roles.env.EAS_HOOK_COMMAND = nil
    local server = T.write(roles.dir .. "/server.py", [[
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        open("posted", "ab").write(self.path.encode() + b"\n" + self.headers["content-type"].encode() + b"\n" + self.rfile.read(int(self.headers["content-length"])))
        self.send_response(204); self.end_headers()
    def log_message(self, *a): pass
s = http.server.HTTPServer(("127.0.0.1", 0), H)
open("port", "w").write(str(s.server_port) + "\n")
s.handle_request()
]])
    T.sh(("cd %s && { timeout 30 python3 %s & } >/dev/null 2>&1"):format(roles.dir, server))
    local port = roles:wait("the address", function() return (T.read(roles.dir .. "/port") or ""):match "^(%d+)\n" end)
    roles.env.EAS_HOOK_URL = ("http://127.0.0.1:%s/secret\"way"):format(port)
    assert.equal(0, run("fine", FINE).status)
    local path, kind, json = T.read(roles.dir .. "/posted"):match "^([^\n]*)\n([^\n]*)\n(.*)$"
    assert.truthy(path:find "^/secret")
    assert.equal("application/json", kind)
    assert.equal("j1", cjson.decode(json).job)
    roles.env.EAS_HOOK_URL, roles.env.EAS_HOOK_TIMEOUT = "file:///etc/passwd", "500 ms"
    assert.truthy(run("bad", BAD).err:find "http:// or https:// is wanted")
    assert.is_nil(roles:eas("doctor").out:find("etc/passwd", 1, true))
  end)
end)
