-- Over one version of the schema: what an earlier program left goes on under this one, and the earlier program itself beside
-- this one (EAS_LONG=1: it is built from the history, which takes minutes).
local T = require "spec.support"
local B = require "spec.backends.backend"
local new_world = require "spec.backends.world"
local Roles = require "spec.cli.roles"

local function sh(command)
  local got = T.sh(command)
  assert(got.status == 0, command .. ": " .. got.err .. got.out)
  return (got.out:gsub("%s+$", ""))
end

local function passed(db, job)
  return db:value("SELECT count(*) FROM task t JOIN task_type y ON y.id = t.type WHERE y.name = 'null' AND t.state = 'passed' AND t.job = $1", job)
end

describe("a database of schema 6, with a job half done, saved by the program of then", function()
  -- the job: loop of 6 with two null tasks each, 5 of the 12 ended, one failed task and what hangs on it
  local saved = T.root .. "/spec/backends/schema_6.sql"

  local function file()
    local path = T.tmpdir() .. "/eas.db"
    sh(("sqlite3 %s <%s"):format(path, saved))
    return path
  end

  local function finish(roles, db)
    local before = passed(db, 1)
    assert.is_true(before > 0 and before < 12, before .. " were done")
    for _ = 1, 4 do
      assert.equal(0, roles:eas("control --once").status)
      if db:value "SELECT count(*) FROM job WHERE done_at IS NOT NULL" == 1 then break end
      assert.equal(0, roles:eas("worker --once --slots 2").status)
    end
    assert.equal(12, passed(db, 1))
    assert.equal(1, db:value "SELECT count(*) FROM job WHERE done_at IS NOT NULL")
    assert.equal(1, db:value "SELECT count(*) FROM task WHERE state = 'failed'")
    assert.equal(12, db:value "SELECT count(*) FROM attempt a JOIN task t ON t.accepted = a.id JOIN task_type y ON y.id = t.type WHERE y.name = 'null'")
    new_world(db):check()
  end

  it("is brought up to date in its place, and goes on", function()
    local path = file()
    local roles = Roles.new { EAS_DATABASE = "sqlite:" .. path }
    local got = roles:eas "db migrate"
    assert.equal(0, got.status, got.err)
    assert.truthy(got.out:find("migrated from 6", 1, true), got.out)
    local db = assert(B.open("sqlite:" .. path))
    finish(roles, db)
    db:close()
  end)

  it("is restored on a server, and goes on there", function()
    local url = B.url "postgresql"
    local roles = Roles.new { EAS_DATABASE = url }
    assert.equal(0, roles:eas("db restore " .. file()).status)
    local db = assert(B.open(url))
    finish(roles, db)
    db:close()
    B.stop()
  end)
end)

describe("a program of the schema before", function()
  -- The last commit whose newest migration is the one before ours, built in the build folder. nil and why not.
  local function old_program()
    if not os.getenv "EAS_LONG" then return nil, "EAS_LONG=1 builds it" end
    local list = T.sh(("git -C %s log --format=%%H -60"):format(T.root))
    if list.status ~= 0 then return nil, "no history here" end
    local function migrations(commit)
      return tonumber(sh(("git -C %s ls-tree --name-only %s engine/db/migrations/ | wc -l"):format(T.root, commit)))
    end
    local ours = tonumber(sh(("ls %s/engine/db/migrations/*.sql | wc -l"):format(T.root)))
    for commit in list.out:gmatch "%x+" do
      if migrations(commit) == ours - 1 then
        local dir = ("%s/old-%s"):format(T.build, commit:sub(1, 12))
        if not T.read(dir .. "/build/bin/eas") then
          sh(("mkdir -p %s && git -C %s archive %s | tar x -C %s"):format(dir, T.root, commit, dir))
          sh(("cd %s && cmake -S . -B build -G Ninja -DEAS_SPECS=OFF >log 2>&1 && cmake --build build >>log 2>&1"):format(dir))
        end
        return dir .. "/build/bin/eas", nil, ours
      end
    end
    return nil, "no commit of the schema before within reach"
  end

  it("works on beside this one while the schema, control and workers are replaced one after the other", function()
    local old, why, schema = old_program()
    T.skip_unless(old, why)
    local url = B.url("postgresql", true)
    local roles = Roles.new { EAS_DATABASE = url, EAS_LEASE = "5 s", EAS_LEASE_RENEW = "1 s" }
    local db = assert(B.open(url))
    finally(function()
      roles:stop()
      db:close()
      B.stop()
    end)
    local function was(words) return sh(("cd %s && EAS_DATABASE=%s EAS_DATA=%s/data timeout 60 %s %s"):format(roles.dir, T.quote(url), roles.dir, old, words)) end
    local function grid(name, n)
      return T.write(("%s/%s.json"):format(roles.dir, name), ([[{"job_name": "%s", "task_list": [{"task": "execution_for_loop", "parameter": "k",
        "linear_range": [1, %d, %d], "task_list": [{"task": "null", "duration": 0.05, "name": "a"},
        {"task": "null", "duration": 0, "requires_metadata_from": ["a"]}]}]}]]):format(name, n, n))
    end
    local function ended() return tonumber(db:value "SELECT count(*) FROM attempt WHERE state = 'ended'") end
    local function goes_on(what)
      local before = ended()
      roles:wait(what, function() return ended() > before + 4 end)
    end

    was "init"
    assert.equal(schema - 1, db:value "SELECT max(version) FROM eas_schema")
    local control = roles:start("control", "old_control", nil, old)
    local workers = { roles:start("worker --slots 2", "old_worker", nil, old), roles:start("worker --slots 1", "old_worker2", nil, old) }
    was("submit " .. grid("before", 400))
    goes_on "old work"
    local got = roles:eas "worker --once" -- a new one on the old schema refuses, and says what to do
    assert.truthy(got.status ~= 0 and got.err:find("eas db migrate", 1, true), got.err)
    assert.equal(0, roles:eas("db save " .. roles.dir .. "/x").status == 0 and 1 or 0)
    got = roles:eas "db migrate"
    assert.equal(0, got.status, got.err)
    assert.equal(schema, db:value "SELECT max(version) FROM eas_schema")
    goes_on "old control and workers on the new schema"
    roles:signal(control, 15)
    roles:start("control", "new_control")
    assert.equal(0, roles:eas("submit " .. grid("over", 200)).status)
    roles:wait("the end of old control", function() return not Roles.alive(control) end)
    goes_on "old workers under the new control"
    roles:start("worker --slots 2", "new_worker")
    roles:wait("the new worker at work", function()
      return db:value "SELECT count(*) FROM attempt WHERE state = 'ended' AND worker = (SELECT max(id) FROM worker WHERE slots = 2)" > 4
        and db:value "SELECT count(*) FROM worker WHERE slots = 2" == 2
    end)
    for _, pid in ipairs(workers) do roles:signal(pid, 15) end
    roles:wait("both jobs", function() return db:value "SELECT count(*) FROM job WHERE done_at IS NOT NULL" == 2 end, 120)
    assert.equal(1200, passed(db, 1) + passed(db, 2))
    assert.equal(0, db:value "SELECT count(*) FROM attempt WHERE ending <> 'ok'")
    new_world(db):check()
    assert.equal(0, roles:eas("fsck --verify").status)
    print(("schema %d to %d: %s"):format(schema - 1, schema, roles:log("old_worker"):match "[^\n]*works with the next[^\n]*" or "the old worker was up before"))
  end)
end)
