-- submit, control and worker as processes of their own: they find each other by the bell, hand back, and are replaced.
local ffi = require "ffi"
local T = require "spec.support"
local World = require "spec.cli.world"

ffi.cdef "int kill(int pid, int signal); int usleep(unsigned us);"

local started = {}

-- A role in the background: its process id.
local function role(world, words)
  local line = { "cd " .. T.quote(world.dir) .. " && { exec env" }
  for name, value in pairs(world:environment()) do line[#line + 1] = T.quote(name .. "=" .. value) end
  line[#line + 1] = ("timeout -s KILL 60 %s %s"):format(T.quote(T.build .. "/bin/eas"), words)
  line[#line + 1] = ">>roles 2>&1; } & echo $!"
  local pipe = io.popen(table.concat(line, " "))
  local shell = pipe:read "*n"
  pipe:close()
  for _ = 1, 500 do -- timeout's child
    local child = T.sh(("cat /proc/%d/task/%d/children"):format(shell, shell)).out:match "%d+"
    if child then
      started[#started + 1] = tonumber(child)
      return tonumber(child)
    end
    ffi.C.usleep(10000)
  end
  error "the role did not start"
end

local function wait_for(world, what, query, expected)
  for _ = 1, 1000 do
    local ok, value = pcall(world.value, world, query)
    if ok and value == expected then return end
    ffi.C.usleep(20000)
  end
  error(("waited in vain for %s\n%s"):format(what, T.read(world:path "roles") or ""))
end

local DONE = "SELECT count(*) FROM job WHERE done_at IS NOT NULL"
local RUNS = "SELECT count(*) FROM attempt a JOIN task_type t ON t.id = a.type WHERE a.state = 'running' AND t.name = 'null'"

describe("roles apart", function()
  local world

  before_each(function()
    world = World.new(nil, { EAS_LEASE = "1 s", EAS_LEASE_RENEW = "200 ms", EAS_DRAIN_GRACE = "200 ms" })
    assert.equal(0, world:eas("init").status)
  end)

  after_each(function()
    for _, pid in ipairs(started) do ffi.C.kill(pid, 9) end
    started = {}
  end)

  local function submit(tasks, name)
    local got = world:ask("submit " .. world:job(tasks, name))
    assert.truthy(got.job:find "^j%d+$")
    return got
  end

  it("run what is submitted, at once", function()
    role(world, "control")
    role(world, "worker --slots 2")
    wait_for(world, "the worker", "SELECT count(*) FROM worker WHERE state = 'active' AND slots = 2", 1)
    ffi.C.usleep(300000)
    local begun = os.time()
    submit { { task = "execution_for_loop", parameter = "k", values = { 1, 2, 3 }, task_list = { { task = "null", duration = 0 } } } }
    wait_for(world, "the job", DONE, 1)
    assert.truthy(os.time() - begun <= 10, "the bell was not heard: it took longer than an idle look may be away")
    assert.equal(3, world:ask("status").tasks)
    assert.is_true(submit({ { task = "execution_for_loop", parameter = "k", values = { 1, 2, 3 }, task_list = { { task = "null", duration = 0 } } } }).existed)
  end)

  it("a worker that is told to stop hands back, another goes on", function()
    role(world, "control")
    local first = role(world, "worker --slots 1")
    submit { { task = "null", duration = 1.2 } }
    wait_for(world, "the task to run", RUNS, 1)
    ffi.C.kill(first, 15)
    wait_for(world, "the hand-back", "SELECT count(*) FROM attempt WHERE state = 'queued'", 1)
    wait_for(world, "its end", "SELECT count(*) FROM worker WHERE state = 'ended'", 1)
    role(world, "worker --slots 1")
    wait_for(world, "the job", DONE, 1)
    assert.equal(1, world:value "SELECT count(*) FROM attempt a JOIN task_type t ON t.id = a.type WHERE t.name = 'null'")
  end)

  it("a worker that is killed is lost when its lease is over, and its attempt is made again", function()
    role(world, "control")
    local first = role(world, "worker --slots 1")
    submit { { task = "null", duration = 1 } }
    wait_for(world, "the task to run", RUNS, 1)
    ffi.C.kill(first, 9)
    role(world, "worker --slots 1")
    wait_for(world, "the rescue", "SELECT count(*) FROM attempt WHERE ending = 'lost'", 1)
    wait_for(world, "the job", DONE, 1)
    assert.equal(1, world:value "SELECT count(*) FROM worker WHERE state = 'lost'")
    assert.equal(0, world:eas("fsck --verify").status)
  end)

  it("--once does what is there and ends", function()
    submit { { task = "null", duration = 0 }, { task = "null", duration = 0 } }
    for _ = 1, 4 do
      assert.equal(0, world:eas("control --once").status)
      assert.equal(0, world:eas("worker --once").status)
      if world:value(DONE) == 1 then break end
    end
    assert.equal(1, world:value(DONE))
    assert.equal(0, world:value "SELECT count(*) FROM worker WHERE state = 'active'")
  end)
end)
