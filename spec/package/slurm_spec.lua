-- eas deploy slurm: what it writes, always; and with EAS_LONG=1 on a real Slurm of the spec's own: workers come with the
-- queue and go with it, through a requeue and a cancelled job, and nothing is lost.
local T = require "spec.support"
local World = require "spec.cli.world"
local start_server = require "spec.backends.server"

local SLURM = T.root .. "/spec/package/slurm.sh"
local DATABASE = "postgresql://eas:secret_word@db.example.org:5433/eas?sslmode=require"

local function deploy(world, words, env)
  env = env or { EAS_DATABASE = DATABASE }
  return world:eas("deploy slurm --output slurm " .. (words or ""), { env = env })
end

describe("eas deploy slurm", function()
  it("writes a script per container that sbatch and sh read", function()
    local world = World.new()
    local got = deploy(world, "--partition long --max eas_worker_tls=4")
    assert.equal(0, got.status, got.err)
    local text = T.read(world:path "slurm/eas_worker_tls.sbatch")
    for _, line in ipairs { "--job-name=eas_worker_tls", "--nodes=1 --ntasks=1 --cpus-per-task=20", "--mem=16384M", "--partition=long", "--requeue",
      "--signal=B:TERM@43800", "--time=1-00:21:00" } do -- 12 h and a quality check; twice that, and a minute
      assert.truthy(text:find("\n#SBATCH " .. line .. "\n", 1, true), line .. "\n" .. text)
    end
    assert.truthy(text:find('EAS_SLOTS=20 EAS_DRAIN_GRACE="43800 s"', 1, true))
    assert.truthy(T.read(world:path "slurm/containers"):find("\neas_worker_tls 4 20 transit_search_tls\n", 1, true))
    local n = 0
    for file in T.sh("ls " .. world:path "slurm/*.sbatch" .. " " .. world:path "slurm/autoscale " .. world:path "slurm/environment").out:gmatch "[^\n]+" do
      assert.equal(0, T.sh("sh -n " .. file).status, file)
      n = n + 1
    end
    assert.truthy(n >= 11)
  end)

  it("writes no secret, and paths that hold from anywhere", function()
    local world = World.new()
    assert.equal(0, deploy(world, "", { EAS_DATABASE = DATABASE, EAS_DATA = "some where", EAS_QUEUE = "amqp://eas:other_word@mq/" }).status)
    assert.equal("", T.sh(("grep -rlE 'secret_word|other_word|[*]{3}' %s"):format(world:path "slurm")).out)
    local text = T.read(world:path "slurm/environment")
    assert.truthy(text:find("export EAS_DATA='" .. world.dir .. "/some where'", 1, true), text)
    assert.truthy(text:find("export EAS_DATABASE='postgresql://eas@db.example.org:5433/eas?sslmode=require'", 1, true), text)
  end)

  it("refuses what cannot be: a database of one machine, unknown containers, numbers that are none", function()
    local world = World.new()
    for _, case in ipairs { { "", {}, "all of them reach" }, { "--container eas_worker_tsl", nil, "no container 'eas_worker_tsl'" },
      { "--max eas_worker_tls=some", nil, "a whole number" }, { "--max nobody=2", nil, "no container 'nobody'" } } do
      local got = deploy(world, case[1], case[2])
      assert.equal(2, got.status, case[3])
      assert.truthy(got.err:find(case[3], 1, true), got.err)
    end
    assert.is_nil(T.read(world:path "slurm/containers"))
  end)
end)

describe("the autoscaler", function()
  -- queued_by_type, slots, busy, workers of a container of two slots; its jobs; what is to be submitted, at most 5 in all
  it("submits what is missing, less what is on its way, up to the limit", function()
    local cases = { { { null = 10, tls = 90 }, 0, 0, 0, 0, 5 }, { { null = 3 }, 0, 0, 0, 0, 2 }, { { null = 3 }, 0, 0, 0, 1, 1 }, { { null = 3 }, 2, 0, 1, 1, 1 },
      { { null = 2 }, 2, 0, 1, 1, 0 }, { { null = 2 }, 2, 2, 1, 1, 1 }, { { null = 99 }, 8, 8, 4, 4, 1 }, { { null = 99 }, 10, 10, 5, 5, 0 }, { {}, 2, 2, 1, 1, 0 },
      { { tls = 50 }, 0, 0, 0, 0, 0 } }
    local world = World.new()
    local lines = { 'local a = require "eas.deploy.autoscale"', 'local c = { name = "x", max = 5, slots = 2, types = { "null", "verify" } }' }
    for _, c in ipairs(cases) do
      local by = {}
      for name, n in pairs(c[1]) do by[#by + 1] = ("%s = %d"):format(name, n) end
      lines[#lines + 1] = ("print(a.wanted(c, { queued_by_type = { %s }, slots = %d, busy = %d, workers = %d }, %d))"):format(table.concat(by, ", "), c[2],
        c[3], c[4], c[5])
    end
    T.write(world:path "try.lua", table.concat(lines, "\n"))
    local got, k = world:eas { "lua", world:path "try.lua" }, 0
    assert.equal(0, got.status, got.err)
    for line in got.out:gmatch "[^\n]+" do
      k = k + 1
      assert.equal(cases[k][6], tonumber(line), "case " .. k)
    end
    assert.equal(#cases, k)
  end)

  it("is run by control, again and again, and what fails is said", function()
    local world = World.new()
    T.write(world:path "scale", "#!/bin/sh\necho once >>" .. world:path "ran" .. "\nexit 3\n")
    T.sh("chmod +x " .. world:path "scale")
    local got = T.sh(("env EAS_DATA=%s EAS_SCALE_COMMAND=%s EAS_SCALE_EVERY='100 ms' timeout -s TERM 2 %s/bin/eas control"):format(world:path "data", world:path "scale",
      T.build))
    local _, n = T.read(world:path "ran"):gsub("once", "")
    assert.truthy(n >= 3, n)
    assert.truthy(got.err:find("scale_command .*: exit 3"), got.err)
  end)
end)

describe("a worker with --idle", function()
  it("does what there is, waits so long for more, and ends", function()
    local world = World.new()
    assert.equal(0, world:eas({ "submit", world:job({ { task = "null", duration = 0 } }, "one") }).status)
    assert.equal(0, world:eas("control --once").status)
    local got = T.sh(("env EAS_DATA=%s bash -c 'time timeout 20 %s/bin/eas worker --idle 700ms --json'"):format(world:path "data", T.build))
    assert.equal(0, got.status, got.err)
    assert.truthy(got.out:find('"ended":1', 1, true), got.out)
    assert.truthy(tonumber(got.err:match "real%s+0m([%d.]+)s") >= 0.7, got.err)
    got = world:eas "worker --idle soon"
    assert.equal(2, got.status)
    assert.truthy(got.err:find("--idle takes a time, not 'soon'", 1, true), got.err)
  end)
end)

-- --- the real thing ---

local long = os.getenv "EAS_LONG"

local function wait(seconds, why, fn)
  local first = os.time()
  repeat
    local value = fn()
    if value then return value end
    T.sh "sleep 0.3"
  until os.time() - first > seconds
  error("waited in vain: " .. why, 2)
end

describe("on a real Slurm", function()
  local dir, pg, started

  lazy_setup(function()
    if not long then return end
    dir = T.tmpdir()
    started = T.sh(("%s start %s 8"):format(SLURM, dir))
    if started.status == 0 then pg = assert(start_server()) end
  end)
  lazy_teardown(function()
    if started and started.status == 0 then T.sh(("%s stop %s"):format(SLURM, dir)) end
    if pg then pg:stop() end
  end)

  local function slurm(command)
    local got = T.sh(("SLURM_CONF=%s/slurm.conf %s"):format(dir, command))
    assert.equal(0, got.status, command .. ": " .. got.err .. got.out)
    return got.out
  end

  -- Ids of jobs that run.
  local function running()
    local list = {}
    for id in slurm("squeue -h -t RUNNING -o %i"):gmatch "%d+" do list[#list + 1] = id end
    return list
  end

  -- A world whose control scales workers: submits tasks, lets fn do what it does meanwhile, waits for the end of all. Returns world, counts.
  local function with_workers(name, n_tasks, fn)
    T.skip_unless(long, "EAS_LONG=1 runs workers on a Slurm of its own (a minute and a half; root, slurmctld, slurmd, munge)")
    T.skip_unless(started.status ~= 4, started.err)
    assert.equal(0, started.status, started.err)
    local world = World.new(nil, { EAS_DATABASE = pg:url "postgres", EAS_LEASE = "6 s", EAS_LEASE_RENEW = "1 s", SLURM_CONF = dir .. "/slurm.conf" })
    assert.equal(0, world:eas("init").status)
    local got = world:eas "deploy slurm --output slurm --container eas_worker_base --max 3 --idle 3s"
    assert.equal(0, got.status, got.err)
    local tasks = { { task = "execution_for_loop", parameter = "k", linear_range = { 1, n_tasks, n_tasks }, task_list = { { task = "null", duration = 0.7 } } } }
    local file = world:job(tasks, name)
    assert.equal(0, #running())
    assert.equal(0, world:eas({ "submit", file }).status)
    local env = {}
    for key, value in pairs(world:environment { EAS_SCALE_COMMAND = world:path "slurm/autoscale", EAS_SCALE_EVERY = "1 s" }) do env[#env + 1] = T.quote(key .. "=" .. value) end
    T.sh(("env %s %s/bin/eas control >%s 2>&1 & echo $! >%s"):format(table.concat(env, " "), T.build, world:path "control.log", world:path "control.pid"))
    local ok, why = pcall(function()
      wait(60, "three workers", function() return #running() == 3 end)
      wait(60, "some work done", function() return world:ask("status " .. name).ended >= 8 end)
      fn(world)
      wait(120, "the job's end", function() return world:ask("status " .. name).done_at ~= world.json.null end)
      wait(60, "no worker", function() return slurm "squeue -h -o %i" == "" end)
    end)
    T.sh("kill $(cat " .. world:path "control.pid" .. ")")
    assert(ok, tostring(why) .. "\n" .. slurm "squeue" .. (T.read(world:path "control.log") or "") .. T.sh("tail -n 5 " .. world:path "slurm/log/*").out)
    local counts, passed = world:ask("status " .. name), 0
    for _, t in ipairs(counts.types) do
      if t.type == "null" then passed = t.passed end
    end
    assert.equal(n_tasks, passed, world.json.encode(counts))
    assert.equal(0, counts.failed + counts.skipped)
    assert.equal(0, world:eas("fsck --verify").status)
    return world
  end

  it("workers come with the queue and go with it, and nothing is lost", function()
    local world = with_workers("many", 45, function()
      local first = running()
      slurm("scontrol requeue " .. first[1])
      slurm("scancel " .. first[2])
    end)
    local jobs, requeued = 0, 0
    for line in slurm("scontrol -o show jobs"):gmatch "[^\n]+" do
      if line:match "JobName=eas_worker_base" then jobs = jobs + 1 end
      if line:match "Restarts=1" then requeued = requeued + 1 end
    end
    assert.truthy(jobs >= 4, jobs) -- three, and one for the one that was cancelled
    assert.equal(1, requeued)
    print(("   Slurm: %d worker jobs, 1 requeued, 1 cancelled; %s"):format(jobs, T.read(world:path "control.log"):match "[^\n]*submitted[^\n]*" or ""))
  end)

  local function restarts()
    local n = 0
    for count in slurm("scontrol -o show jobs"):gmatch "Restarts=(%d+)" do n = n + tonumber(count) end
    return n
  end

  it("workers that a more urgent partition preempts are requeued, and nothing is lost", function()
    local before, preempted
    with_workers("preempted", 60, function(world)
      before = restarts()
      local id = slurm("sbatch --parsable -p urgent --job-name=urgent -n 1 -c 8 -o /dev/null --wrap 'sleep 4'"):match "%d+"
      wait(60, "the urgent job", function() return slurm("squeue -h -t RUNNING -o %i"):match("%f[%d]" .. id .. "%f[%D]") end)
      assert.equal(1, #running()) -- it has the whole machine
      assert.truthy(world:ask("status preempted").ended < 60)
      wait(60, "workers to be back", function() return #running() > 1 or restarts() > before end)
      preempted = true
    end)
    assert.truthy(preempted and restarts() - before >= 3, restarts() - before)
    print(("   Slurm: %d workers preempted and requeued"):format(restarts() - before))
  end)

  it("a node that fails takes its workers along, and nothing is lost", function()
    local before, node
    with_workers("failed", 60, function()
      before, node = restarts(), slurm("sinfo -h -o %n"):match "%S+"
      slurm(("scontrol update nodename=%s state=down reason=test"):format(node))
      wait(30, "no worker on a node that is down", function() return #running() == 0 end)
      wait(60, "the node to be back", function() -- it may come by itself
        T.sh(("SLURM_CONF=%s/slurm.conf scontrol update nodename=%s state=resume"):format(dir, node))
        return not slurm("sinfo -h -o %t"):find "down"
      end)
    end)
    assert.truthy(restarts() - before >= 3, restarts() - before)
    print(("   Slurm: the node was down, %d workers requeued"):format(restarts() - before))
  end)
end)
