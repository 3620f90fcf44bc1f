-- roles.lua: worker and control as processes of their own, over any database and queue; what they log; their ends.
local ffi = require "ffi"
local cjson = require "cjson"
local T = require "spec.support"

ffi.cdef "int kill(int pid, int signal); int usleep(unsigned us);"

local Roles = {}
Roles.__index = Roles

-- A spec that is killed cannot end its processes: that is done when it is gone. One that ends by itself takes the list along.
local WATCH = [[setsid bash -c 'tail --pid=%d -f /dev/null; for p in $(cat %s); do
  [ "$(cat /proc/$p/comm)" = eas ] && kill -CONT $p && kill -9 $p; done' </dev/null >/dev/null 2>&1 &]]
local pid_list
local function watch(pid)
  if not pid_list then
    pid_list = T.tmpdir() .. "/pids"
    os.execute(WATCH:format(ffi.C.getpid(), pid_list))
  end
  local file = assert(io.open(pid_list, "a"))
  file:write(pid, "\n")
  file:close()
end

-- env: EAS_DATABASE, EAS_QUEUE, ...
function Roles.new(env)
  local r = setmetatable({ dir = T.tmpdir(), env = { EAS_LOG_LEVEL = "info" }, pids = {}, names = {} }, Roles)
  r.env.EAS_DATA = r.dir .. "/data"
  for k, v in pairs(env or {}) do r.env[k] = v end
  return r
end

function Roles:eas(words, more)
  local list, env = {}, {}
  for word in words:gmatch "%S+" do list[#list + 1] = word end
  for k, v in pairs(self.env) do env[k] = v end
  for k, v in pairs(more or {}) do env[k] = v end
  return T.eas(list, { env = env, cwd = self.dir, timeout = 60 })
end

-- Starts a role; its process id. What it logs is in self:log(name). more: environment of this one;
-- program: another than ours.
function Roles:start(words, name, more, program)
  local line = { "cd " .. T.quote(self.dir) .. " && { exec env" }
  name = name or words:match "%S+"
  self.names[name] = true
  for _, env in ipairs { self.env, more or {} } do
    for k, v in pairs(env) do line[#line + 1] = T.quote(k .. "=" .. v) end
  end
  line[#line + 1] = ("%s %s >>%s.log 2>&1 </dev/null; } & echo $!"):format(T.quote(program or T.build .. "/bin/eas"), words, name)
  local pipe = io.popen(table.concat(line, " "))
  local pid = pipe:read "*n"
  pipe:close()
  self.pids[#self.pids + 1] = pid
  watch(pid)
  return pid
end

function Roles:log(name) return T.read(("%s/%s.log"):format(self.dir, name)) or "" end

local function alive(pid)
  local stat = T.read(("/proc/%d/stat"):format(pid))
  return stat ~= nil and not stat:find("%) [ZX] ")
end
Roles.alive = alive

-- Waits until fn gives something true; what: for the failure.
function Roles:wait(what, fn, seconds)
  for _ = 1, (seconds or 20) * 50 do
    local got = fn()
    if got then return got end
    ffi.C.usleep(20000)
  end
  local logs = {}
  for name in pairs(self.names) do logs[#logs + 1] = name .. ":\n" .. self:log(name) end
  error(("waited in vain for %s\n%s"):format(what, table.concat(logs, "\n")), 2)
end

-- Environment of a role on a "host": its name, and scratch apart.
function Roles:host(name) return { EAS_HOST = name, EAS_SCRATCH = ("%s/%s/scratch"):format(self.dir, name) } end

function Roles:signal(pid, signal) ffi.C.kill(pid, signal) end

-- Ends all, as kindly as it can.
function Roles:stop()
  for _, pid in ipairs(self.pids) do ffi.C.kill(pid, 15) end
  for _, pid in ipairs(self.pids) do
    for _ = 1, 400 do
      if not alive(pid) then break end
      ffi.C.usleep(10000)
    end
    ffi.C.kill(pid, 9)
  end
  self.pids = {}
end

function Roles:submit(tasks, name)
  local file = T.write(("%s/%s.json"):format(self.dir, name or "job"), cjson.encode { job_name = name or "job", task_list = tasks })
  local got = self:eas("submit --json " .. file)
  assert(got.status == 0, got.err .. got.out)
  return cjson.decode(got.out).job
end

-- The tasks of a job, as `eas status` counts them.
function Roles:status(job) return cjson.decode(self:eas("status --json " .. job).out) end

return Roles
