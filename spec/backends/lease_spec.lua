-- Leases, cancelling and turns with real processes: a worker that sleeps past its lease, one that is cancelled, a small job
-- behind a large one.
local T = require "spec.support"
local B = require "spec.backends.backend"
local Roles = require "spec.cli.roles"
local ffi = require "ffi"

-- EAS_LONG=1: behind a job of a million tasks, on SQLite too.
local LONG = os.getenv "EAS_LONG"
local KILL, STOP, CONT = 9, 19, 18
local RUNS = "SELECT count(*) FROM attempt a JOIN task_type y ON y.id = a.type WHERE a.state = 'running' AND y.name = 'null'"
local PASSED = "SELECT count(*) FROM task t JOIN task_type y ON y.id = t.type WHERE y.name = 'null' AND t.state = 'passed' AND t.job = $1"

local function number(job) return tonumber((job:gsub("^j", ""))) end

B.each(function(kind)
  local roles, db

  before_each(function()
    db = B.emptied(kind)
    roles = Roles.new { EAS_DATABASE = db.url, EAS_QUEUE = "sql:", EAS_LEASE = "1 s", EAS_LEASE_RENEW = "200 ms", EAS_DRAIN_GRACE = "200 ms" }
  end)
  after_each(function()
    if roles then
      for _, pid in ipairs(roles.pids) do ffi.C.kill(pid, CONT) end
      roles:stop()
    end
    if db then db:close() end
    roles, db = nil, nil
  end)

  local function value(sql, ...)
    for _ = 1, 200 do -- a busy SQLite
      local ok, v = pcall(db.value, db, sql, ...)
      if ok then return v end
      ffi.C.usleep(5000)
    end
    error(sql)
  end
  local function wait(what, sql, expected, ...)
    local args = { ... }
    return roles:wait(what, function() return value(sql, unpack(args)) == expected end)
  end
  local function children(pid) return T.sh(("cat /proc/%d/task/%d/children"):format(pid, pid)).out end

  it("a worker that wakes past its lease kills its children, drops their results and registers anew", function()
    roles:start "control"
    local first = roles:start("worker --slots 2", "first")
    local job = roles:submit { { task = "null", duration = 1.5 }, { task = "null", duration = 60 } }
    wait("both to run", RUNS, 2)
    local pids = roles:wait("zygote and two children", function() return children(first):match "%d+ %d+ %d+" end)
    roles:signal(first, STOP)
    wait("the loss", "SELECT count(*) FROM attempt WHERE ending = 'lost'", 2)
    assert.equal(1, value "SELECT count(*) FROM worker WHERE state = 'lost'")
    db:exec("UPDATE job SET state = 'paused'") -- nobody takes them again, so that what is left is the old worker's
    roles:wait("the end of the short one, well", function()
      for pid in pids:gmatch "%d+" do
        if not Roles.alive(tonumber(pid)) then return true end
      end
    end)
    roles:signal(first, CONT)
    wait("its new name", "SELECT count(*) FROM worker WHERE state = 'active' AND slots = 2", 1)
    roles:wait("the end of its children", function() return not children(first):find "%d+ %d+" end, 5)
    assert.truthy(roles:log "first":find("its lease is over", 1, true))
    ffi.C.usleep(200000)
    assert.equal(0, value(PASSED, number(job))) -- the result came too late: its token had moved on
    assert.equal(2, value "SELECT count(*) FROM attempt WHERE ending = 'lost'")
    assert.equal(0, value "SELECT count(*) FROM attempt WHERE verdict = 'pass' AND type = (SELECT id FROM task_type WHERE name = 'null')")
    db:exec "UPDATE job SET state = 'active'"
    assert.equal(0, roles:eas("cancel --yes " .. job).status)
  end)

  it("cancelling a job stops its children within two seconds, on whatever host, and only its", function()
    roles:start "control"
    local here, there = roles:start("worker --slots 1", "here", roles:host "north"), roles:start("worker --slots 2", "there", roles:host "south")
    local job = roles:submit({ { task = "null", duration = 60 }, { task = "null", duration = 61 } }, "long")
    wait("both to run", RUNS, 2)
    local other = roles:submit({ { task = "null", duration = 1 } }, "other")
    wait("the other to run", RUNS, 3)
    for _, pid in ipairs { here, there } do assert.truthy(children(pid):find "%d+ %d+", "both hosts have children") end
    local begun = value "SELECT eas_now()"
    assert.equal(0, roles:eas("cancel --yes " .. job).status)
    wait("the end", "SELECT count(*) FROM attempt WHERE ending = 'cancelled'", 2)
    local took = value "SELECT max(ended_at) FROM attempt WHERE ending = 'cancelled'" - begun
    T.soon(tonumber(took) / 1e6, 2)
    wait("the other job", PASSED, 1, number(other))
    assert.falsy(children(here):find "%d+ %d+" or children(there):find "%d+ %d+")
    assert.equal(1, value("SELECT count(*) FROM job WHERE done_at IS NOT NULL AND id = $1", number(job)))
  end)

  it("what control has to tell others is told at once: a failure, the last of a loop that others wait for", function()
    roles:start "control"
    roles:start "worker --slots 2"
    roles:submit {
      { task = "execution_for_loop", name = "grid", parameter = "k", values = { 1, 2, 3 }, task_list = { { task = "null", duration = 0.3 } } },
      { task = "null", duration = 0, name = "tell", requires_done = { "grid" } },
      { task = "error", name = "bad" },
      { task = "null", duration = 0, requires_metadata_from = { "bad" } },
    }
    wait("the end", "SELECT count(*) FROM job WHERE done_at IS NOT NULL", 1)
    assert.equal(1, value "SELECT count(*) FROM task WHERE state = 'skipped'")
    assert.equal(4, value "SELECT count(*) FROM task t JOIN task_type y ON y.id = t.type WHERE y.name = 'null' AND t.state = 'passed'")
  end)

  if kind == "sqlite" and not LONG then return end -- the rest is the same code, and takes its time

  -- Seconds until the first of ten tasks of a new job has started.
  local function small_job(name)
    local tasks = {}
    for i = 1, 10 do tasks[i] = { task = "null", duration = 0 } end
    local begun = value "SELECT eas_now()"
    local small = roles:submit(tasks, name)
    wait("the small one", PASSED, 10, number(small))
    local first = value("SELECT min(a.started_at) FROM attempt a JOIN task_type y ON y.id = a.type WHERE y.name = 'null' AND a.job = $1", number(small))
    return tonumber(first - begun) / 1e6
  end

  it("a job of ten tasks starts within a second behind a large one, and pausing holds", function()
    local n = LONG and 1000000 or 3000
    roles:start "control"
    roles:start "worker --slots 2"
    local grid = { { task = "execution_for_loop", parameter = "k", linear_range = { 1, n, n }, task_list = { { task = "null", duration = 0.02 } } } }
    local large = roles:submit(grid, "large")
    wait("the large one to be under way", "SELECT count(*) FROM attempt WHERE state = 'running' AND started_at < eas_now()", 2)
    local took = small_job "small"
    if LONG then
      roles:wait("as many as are let wait", function() return value "SELECT max(queued) FROM job_type" >= 99000 end, 300)
      local later = small_job "later"
      print(("%s, behind a job of %d tasks: %.3f s while it expands, %.3f s behind %d that wait"):format(kind, n, took, later,
        value "SELECT max(queued) FROM job_type"))
      took = math.max(took, later)
    end
    T.soon(took, 1)
    assert.is_true(value(PASSED, number(large)) < n - 100)
    assert.equal(0, roles:eas("pause " .. large).status)
    wait("the pause", RUNS, 0)
    local then_passed = value(PASSED, number(large))
    ffi.C.usleep(300000)
    assert.equal(then_passed, value(PASSED, number(large)))
    assert.equal(0, roles:eas("cancel --yes " .. large).status)
  end)

  if kind == "sqlite" then return end

  it("several controls at once make each task once", function()
    for i = 1, 3 do roles:start("control", "control" .. i) end
    roles:start "worker --slots 2"
    local inner = { { task = "null", duration = 0, name = "a" }, { task = "null", duration = 0, requires_metadata_from = { "a" } } }
    local job = roles:submit { { task = "execution_for_loop", parameter = "i", linear_range = { 1, 12, 12 }, task_list = {
      { task = "execution_for_loop", parameter = "k", linear_range = { 1, 3, 3 }, task_list = inner } } } }
    roles:signal(roles.pids[1], KILL)
    wait("the job", "SELECT count(*) FROM job WHERE done_at IS NOT NULL", 1)
    assert.equal(72, value(PASSED, number(job)))
    assert.equal(0, value "SELECT count(*) FROM (SELECT parent, ordinal FROM task GROUP BY parent, ordinal HAVING count(*) > 1) x")
    assert.equal(0, roles:eas("fsck --verify").status)
  end)
end)
