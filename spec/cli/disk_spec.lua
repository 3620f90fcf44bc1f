-- A full disk: what a child cannot write ends its attempt with `disk`, what has ended waits for room, and all goes on by itself.
local T = require "spec.support"
local World = require "spec.cli.world"

local MAKE = [[local n = 200000
  local time, flux = eas.array(n), eas.array(n)
  for i = 0, n - 1 do time[i] = i * 0.02 flux[i] = 1 + (i * 7919 % 1000) * 1e-6 end
  local lc = eas.lightcurve { time = time, flux = flux }
  ]]
local types = {
  f_fits = { task = MAKE .. 'task:output("lightcurve", lc)' },
  f_text = { task = MAKE .. 'task:output("lightcurve", lc)' },
  f_small = { task = 'task:exec { "sh", "-c", "echo 1 >x.txt" } task:output("text", "x.txt")' },
}
for _, t in pairs(types) do t.max_attempts, t.memory_gb = "10", "0.5" end

local MB, world, disk, ran, free = 1000000
local function shell(command) return T.sh(command) end

local function fill(bytes) return shell(("head -c %d /dev/zero >>%s/filler"):format(bytes, disk)) end
local function room() return tonumber((shell("df --output=avail -B1 " .. disk).out:match "(%d+)%s*$")) end

lazy_setup(function()
  disk = T.tmpdir()
  local mounted = shell(("mount -t tmpfs -o size=64m tmpfs %s"):format(disk))
  if mounted.status ~= 0 then
    disk = nil
    return
  end
  world = World.new(World.pack(types), { EAS_DATA = disk .. "/data", EAS_LOG_LEVEL = "info" })
end)
lazy_teardown(function()
  if disk then shell("umount -l " .. disk) end
end)

local function mounted() return T.skip_unless(disk, "no disk can be mounted here") end

local function wait_for(what, seconds)
  for _ = 1, seconds * 20 do
    if what() then return true end
    shell "sleep 0.05"
  end
  return false
end

local function count(sql)
  local ok, n = pcall(world.value, world, sql)
  return ok and n or 0
end

function World:database() return self.env.EAS_DATA .. "/eas.db" end

describe("a full disk", function()
  it("ends what cannot write with disk, and lets it go on when there is room", function()
    mounted()
    local tasks = {
      { task = "f_fits", outputs = { lightcurve = "a.fits" } },
      { task = "f_text", outputs = { lightcurve = "b.txt" } },
      { task = "f_text", outputs = { lightcurve = "c.txt" } },
    }
    for i = 1, 8 do tasks[#tasks + 1] = { task = "f_small", outputs = { text = ("s%d.txt"):format(i) } } end
    fill(room() - 4 * MB) -- enough to begin, not for a light curve
    local done = world:path "done"
    local env = {}
    for k, v in pairs(world:environment()) do env[#env + 1] = T.quote(k .. "=" .. v) end
    shell(("(env %s timeout 60 %s/bin/eas run %s --slots 2 --no-progress >%s.out 2>%s.err; echo $? >%s) >/dev/null 2>&1 &"):format(
      table.concat(env, " "), T.build, world:job(tasks), done, done, done))
    assert.is_true(wait_for(function() return count "SELECT count(DISTINCT task) FROM attempt WHERE ending = 'disk'" == 3 end, 20))
    fill(99 * MB) -- not a byte is left
    shell "sleep 1.5"
    free = room()
    os.remove(disk .. "/filler")
    assert.is_true(wait_for(function() return T.read(done) end, 40))
    ran = { status = tonumber(T.read(done)), out = T.read(done .. ".out"), err = T.read(done .. ".err") }
    assert.equal(0, ran.status, ran.err)
    assert.truthy(ran.out:find("11 tasks passed, 0 failed", 1, true), ran.out)
  end)

  it("is told in one line, with what to do", function()
    mounted()
    assert.is_true(free < 100000, free)
    assert.truthy(ran.err:find("the disk of '[^']+' is full: 1.0 MB must be free to start a task; free some space, it goes on by itself"), ran.err)
    assert.truthy(ran.err:find("there is room on the disks again", 1, true), ran.err)
    local _, lines = ran.err:gsub("level=warn", "")
    assert.is_true(lines <= 3, ran.err) -- a commit or a slice of control may have met it too
  end)

  it("leaves an attempt's products all or none, and nothing half written", function()
    mounted()
    assert.equal(0, world:value "SELECT count(*) FROM version v JOIN attempt a ON a.id = v.attempt WHERE a.ending <> 'ok'")
    assert.equal(0, world:value "SELECT count(*) FROM attempt WHERE ending NOT IN ('ok', 'disk')")
    local got = world:ask "fsck --verify"
    assert.same({ true, 11 }, { got.ok, got.versions })
    assert.equal("", shell(("find %s/data/store/tmp %s/data/scratch -type f"):format(disk, disk)).out)
    local a = world:sql "SELECT error FROM attempt_note n JOIN attempt a ON a.id = n.attempt WHERE a.ending = 'disk'"
    for _, row in ipairs(a) do assert.truthy(row[1]:lower():find("no space left on device", 1, true), row[1]) end
  end)

  it("before anything is there is an exit of 3, with what to do", function()
    mounted()
    fill(99 * MB)
    local got = world:eas({ "run", world:job({ { task = "f_small", outputs = { text = "t.txt" } } }, "late") }, { env = { EAS_DATA = disk .. "/other" } })
    os.remove(disk .. "/filler")
    assert.equal(3, got.status, got.err)
    assert.truthy(got.err:find("full", 1, true) or got.err:find("No space left", 1, true), got.err)
    assert.truthy(got.err:find("\n   free some space there, or choose another folder with --data\n", 1, true), got.err)
  end)
end)
