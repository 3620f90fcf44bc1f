-- `eas run` is killed at seeded moments of one job and started again until it is done: nothing is lost or done twice.
--   EAS_KILLS  how often (default 50)      EAS_KILL_SEED  where the moments start from (default 1)
local ffi = require "ffi"
local T = require "spec.support"
local World = require "spec.cli.world"

local KILLS = tonumber(os.getenv "EAS_KILLS" or 50)
local SEED = tonumber(os.getenv "EAS_KILL_SEED" or 1)

ffi.cdef [[
int kill(int pid, int signal);
int usleep(unsigned us);
]]

local function for_loop(parameter, values, body)
  return { task = "execution_for_loop", parameter = parameter, values = values, task_list = body }
end

local LC = "'lc_{star_index}_{noise_index}.fits'.format(**metadata)"
local tasks = {
  for_loop("star", { 1, 2, 3, 4, 5, 6 }, {
    for_loop("noise", { 1, 2 }, {
      { task = "synthesis_batman", outputs = { lightcurve = LC },
        specs = { duration = 4, orbital_period = 1.5, sampling_cadence = 1800, noise = "(0.0001 * metadata['noise'])", t0 = "(random.random())" } },
      { task = "verify", inputs = { lightcurve = LC } },
    }),
    { task = "null", duration = 0, name = "pause" },
    { task = "execution_conditional", requires_metadata_from = { "pause" }, criterion = "(metadata['star'] > 3)",
      task_list = { { task = "null", duration = 0 } }, else_task_list = { { task = "null", duration = 0 }, { task = "null", duration = 0 } } },
  }),
  { task = "synthesis_batman", name = "maker", outputs = { lightcurve = "one.fits" }, specs = { duration = 4, orbital_period = 1.5, sampling_cadence = 1800 } },
  { task = "execution_do_while_loop", iteration_name = "turn", requires_metadata_from_child = { "look" },
    repeat_criterion = "(metadata['turn_index'] < 4) and (requested_metadata['look']['n_points'] > 10)",
    task_list = { { task = "verify", name = "look", inputs = { lightcurve = "one.fits" } } } },
}
local LEAVES = 6 * (2 * 2 + 1) + 3 * 1 + 3 * 2 + 1 + 4

local function start(world, job)
  local env = { "EAS_DATA=" .. world:path "data" }
  local command = ("cd %s && { env %s setsid %s/bin/eas run %s --slots 2 --quiet --no-progress >out 2>err & echo $!; }")
    :format(T.quote(world.dir), T.quote(env[1]), T.quote(T.build), T.quote(job))
  local pipe = io.popen(command)
  local pid = tonumber(pipe:read "*l")
  pipe:close()
  return pid
end

local function alive(pid)
  local stat = T.read(("/proc/%d/stat"):format(pid))
  return stat ~= nil and not stat:find("%) [ZX] ")
end

-- What the database says, or nil while there is none.
local function number(world, text)
  local ok, value = pcall(world.value, world, text)
  return ok and value or nil
end

-- Zygotes and children whose supervisor is gone, of this run only: they have its data folder open, or work in it.
local function orphans(world)
  local found = T.sh(("for p in /proc/[0-9]*; do for f in $p/cwd $p/root; do readlink $f; done; done 2>/dev/null | grep -c %s"):format(T.quote(world.dir)))
  return tonumber(found.out) or 0
end

-- Starts and kills a job until it is done or `budget` kills are used up. Returns how many were.
local function torture(world, job, budget)
  local kills, last, longest = 0, 0, 0.4 -- seconds; grows on a busy machine, where nothing ends in that time
  while kills < budget do
    local pid = start(world, job)
    ffi.C.usleep(math.floor(1e6 * (0.01 + math.random() * longest)))
    if alive(pid) then kills = kills + 1 end
    ffi.C.kill(pid, 9)
    while alive(pid) do ffi.C.usleep(1000) end
    if number(world, "SELECT count(*) FROM job WHERE done_at IS NOT NULL") == 1 then return kills end
    local done = number(world, "SELECT count(*) FROM task WHERE done = 1") or 0
    longest = done > last and math.max(0.3, longest * 0.85) or math.min(2, longest * 1.15)
    world.moments[done], last = true, done
  end
  return kills
end

local function check_rows(world)
  assert.same({}, world:sql "SELECT task, count(*) FROM attempt WHERE verdict = 'pass' GROUP BY task HAVING count(*) <> 1")
  assert.equal(0, world:value [[SELECT count(*) FROM task t LEFT JOIN attempt a ON a.id = t.accepted AND a.task = t.id AND a.verdict = 'pass'
    WHERE t.state <> 'passed' OR a.id IS NULL]])
  assert.equal(0, world:value "SELECT count(*) FROM attempt WHERE state <> 'ended'")
  assert.equal(0, world:value "SELECT count(*) FROM attempt WHERE ending NOT IN ('ok', 'lost')")
  assert.equal(0, world:value "SELECT count(*) FROM (SELECT parent, ordinal FROM task GROUP BY parent, ordinal HAVING count(*) > 1)")
  assert.equal(0, world:value "SELECT count(*) FROM product WHERE passed IS NULL")
  assert.equal("ok", world:value "PRAGMA integrity_check")
end

local function check_store(world)
  local got = world:eas "fsck --verify"
  assert.equal(0, got.status, got.out .. got.err)
  for _, file in ipairs(world:ask "files j1") do
    assert.equal("pass", file.verdict)
    assert.truthy(T.read(world:path("data/store/products/" .. file.filename)), file.filename)
  end
  assert.equal(0, orphans(world))
  assert.equal("", T.sh(("find %s -type f 2>/dev/null"):format(T.quote(world:path "data/scratch"))).out)
  assert.equal(0, world:eas("gc --grace 0 --yes").status)
  assert.equal(0, world:ask("gc --grace 0").objects)
  assert.equal(0, world:eas("fsck --verify").status)
end

local function sums(world)
  local list = {}
  for _, file in ipairs(world:ask "files j1") do list[file.filename] = file.sha256 end
  return list
end

describe("eas run, killed at any moment", function()
  local worlds, kills = {}, 0

  lazy_setup(function()
    math.randomseed(SEED)
    while kills < KILLS do
      local world = World.new()
      worlds[#worlds + 1], world.moments = world, {}
      world.job_file = world:job(tasks, "killed")
      kills = kills + torture(world, world.job_file, KILLS - kills)
    end
  end)

  it("is done by the last start, with all that it should have", function()
    local n = 0
    for _, world in ipairs(worlds) do
      local got = world:eas({ "run", world.job_file, "--slots", "2", "--no-progress" }, { timeout = 60 })
      assert.equal(0, got.status, got.err)
      local counts = world:ask "status j1"
      assert.equal(LEAVES, counts.tasks)
      assert.equal(LEAVES, counts.ended)
      assert.equal(1, world:value "SELECT count(*) FROM job")
      for _ in pairs(world.moments) do n = n + 1 end
    end
    print(("%d kills in %d jobs, at %d different counts of ended tasks"):format(kills, #worlds, n))
  end)

  it("has accepted one attempt of each task", function()
    for _, world in ipairs(worlds) do check_rows(world) end
  end)

  it("agrees with its store; leaves no process, no scratch, and no object that nobody knows after gc", function()
    for _, world in ipairs(worlds) do check_store(world) end
  end)

  it("gives the same bytes as a run that nobody killed", function()
    local other = World.new()
    assert.equal(0, other:eas({ "run", other:job(tasks, "killed"), "--slots", "2", "--no-progress" }, { timeout = 60 }).status)
    local expected = sums(other)
    for _, world in ipairs(worlds) do assert.same(expected, sums(world)) end
  end)
end)
