-- The state machine (docs/state_machine.md) as the schema holds it; statements that stay fast when tables grow;
-- several processes at once.
local ffi = require "ffi"
local B = require "spec.backends.backend"
local new_world = require "spec.backends.world"
ffi.cdef [[ int fork(void); int waitpid(int, int *, int); void _exit(int); int usleep(unsigned); ]]
local C = ffi.C

-- Runs fn(i) in n children; each must end well.
local function in_children(n, fn)
  local pids = {}
  for i = 1, n do
    local pid = C.fork()
    if pid == 0 then
      local ok, why = pcall(fn, i)
      if not ok then io.stderr:write("child ", i, ": ", tostring(why), "\n") end
      C._exit(ok and 0 or 1)
    end
    pids[i] = pid
  end
  local status = ffi.new "int[1]"
  for i = 1, n do
    assert(C.waitpid(pids[i], status, 0) == pids[i])
    assert.equal(0, status[0], "child " .. i)
  end
end

B.each(function(kind)
  local db, w, job
  before_each(function()
    db = B.fresh(kind)
    w = new_world(db)
    job = w:job()
  end)
  after_each(function() if db then db:close() end db = nil end)

  describe("the schema refuses", function()
    local function refused(sql, ...)
      local rc, why, code = db:try(sql, ...)
      assert.is_nil(rc, sql)
      assert.equal(C.EAS_EDB, code)
      return why
    end
    local function task(change, ...) return refused("UPDATE task SET " .. change .. " WHERE id = $1", ...) end
    local function attempt(change, ...) return refused("UPDATE attempt SET " .. change .. " WHERE id = $1", ...) end

    it("states that are none", function()
      local t = w:task(job)
      task("state = 'sleeping'", t.id)
      attempt("state = 'paused'", t.attempt)
      refused("UPDATE job SET state = 'done' WHERE id = $1", job.id)
      refused("UPDATE worker SET state = 'gone' WHERE id = $1", w:worker() and 1)
    end)

    it("tasks that wait for nothing, are ready too early, or passed by nothing", function()
      local a = w:task(job, { outputs = { "x" } })
      local b = w:task(job, { inputs = { x = a.products.x } })
      task("state = 'waiting'", a.id)
      task("state = 'ready'", b.id)
      task("state = 'passed'", a.id)
      task("pending = -1", a.id)
      task("open_children = -1", job.root)
      task("failed_children = -1", job.root)
      task("done = 1", job.root) -- a child is open
      task("done = 2", a.id)
    end)

    it("attempts that end without an ending or verdict, or run for nobody", function()
      local t, worker = w:task(job), w:worker()
      attempt("state = 'ended'", t.attempt)
      attempt("state = 'ended', ending = 'ok'", t.attempt)
      attempt("ending = 'ok'", t.attempt)
      attempt("state = 'running'", t.attempt)
      attempt("state = 'running', worker = $2", t.attempt, worker)
      attempt("state = 'ended', ending = 'tired', verdict = 'fail'", t.attempt)
      attempt("state = 'ended', ending = 'ok', verdict = 'maybe'", t.attempt)
    end)

    it("a pass of an attempt that did not end well", function()
      local t = w:task(job)
      for _, ending in ipairs { "error", "crashed", "timeout", "cpu", "memory", "disk", "processes", "lost", "cancelled" } do
        attempt("state = 'ended', verdict = 'pass', ending = $2", t.attempt, ending)
      end
      for _, ending in ipairs { "ok", "reused" } do
        db:begin()
        db:exec("UPDATE attempt SET state = 'ended', verdict = 'pass', ending = $2 WHERE id = $1", t.attempt, ending)
        db:rollback()
      end
    end)

    it("a second open attempt of a task, and a second of its number", function()
      local t = w:task(job)
      refused("INSERT INTO attempt (id, task, job, type, number, state, queued_at) VALUES (900, $1, $2, $3, 2, 'queued', 0)", t.id, job.id, t.type)
      db:exec("UPDATE attempt SET state = 'ended', ending = 'error', verdict = 'fail' WHERE id = $1", t.attempt)
      refused("INSERT INTO attempt (id, task, job, type, number, state, queued_at) VALUES (900, $1, $2, $3, 1, 'queued', 0)", t.id, job.id, t.type)
    end)

    it("a second child of an ordinal, a second product of a name or kind", function()
      local a = w:task(job, { outputs = { "x" } })
      refused("UPDATE task SET ordinal = 0, parent = $2 WHERE id = $1", w:task(job).id, job.root)
      local p = db:query("SELECT * FROM product WHERE id = $1", a.products.x)[1]
      refused("INSERT INTO product (id, job, task, kind, directory, filename) VALUES (900, $1, $2, $3, $4, $5)", job.id, a.id, w:word "y", p.directory, p.filename)
      refused("INSERT INTO product (id, job, task, kind, directory, filename) VALUES (900, $1, $2, $3, $4, 'other')", job.id, a.id, p.kind, p.directory)
    end)

    it("rows that hang on nothing", function()
      local a = w:task(job, { outputs = { "x" } })
      refused("INSERT INTO attempt (id, task, job, type, number, state, queued_at) VALUES (900, 901, 1, 1, 1, 'queued', 0)")
      refused("INSERT INTO task_input (task, kind, product, met) VALUES ($1, $2, 901, 0)", a.id, w:word "x")
      refused("INSERT INTO task_need (task, name, needed, met) VALUES ($1, $2, 901, 0)", a.id, w:word "x")
      refused("INSERT INTO log_line (attempt, seq, at, level, text) VALUES (901, 0, 0, 20, '')")
    end)
  end)

  it("deletes a job with all that is its own", function()
    local worker = w:worker()
    local a = w:task(job, { outputs = { "x" } })
    w:task(job, { inputs = { x = a.products.x }, needs = { a = a } })
    local other = w:task(w:job())
    local c = assert(w:claim(worker, 1))[1]
    c.log, c.description, c.versions = { "line" }, "{}", { [a.products.x] = "pass" }
    assert(w:commit(worker, { c }))
    assert(w:claim(worker, 1))
    db:exec("UPDATE job SET root = NULL WHERE id = $1", job.id)
    db:exec("DELETE FROM job WHERE id = $1", job.id)
    for _, name in ipairs { "product", "version", "task_input", "task_need", "log_line", "attempt_input", "attempt_note" } do
      assert.equal(0, db:value("SELECT count(*) FROM " .. name), name)
    end
    assert.equal("ready", w:state(other))
  end)

  -- Everything the engine says, said once by a connection of its own.
  local function workload(engine)
    local e = new_world(engine)
    local worker, n_ready = e:worker(), ffi.new "int[1]"
    local chain = w:task(job, { type = "execution_chain", passed = true })
    local a = w:task(job, { outputs = { "x", "y" }, parent = chain })
    w:task(job, { inputs = { x = a.products.x }, needs = { a = a }, outputs = { "z" } })
    w:task(job, { inputs = { y = a.products.y } })
    w:task(job, { not_before = 9e15 })
    local b = w:task(job, { parent = chain })
    local list = assert(e:claim(worker, 5))
    local held = e:held(list)
    engine:must(C.eas_attempt_hand_back(engine.c, worker, held, 2, engine.err))
    list = assert(e:claim(worker, 5))
    engine:must(C.eas_attempt_wanted(engine.c, held, 2, ffi.new "int[2]", engine.err))
    local live = ffi.new "eas_live[1]"
    local log = ffi.new "eas_log_entry[1]"
    log[0].text = "line"
    live[0].attempt, live[0].token, live[0].n_log, live[0].log, live[0].total = list[1].attempt, list[1].token, 1, log, 3
    engine:must(C.eas_attempt_live(engine.c, live, 1, engine.err))
    for _, c in ipairs(list) do
      if c.task == a.id then c.versions, c.log, c.first_seq, c.description = { [a.products.x] = "pass", [a.products.y] = "fail" }, { "x" }, 1, "{}" end
      if c.task == b.id then c.ending, c.verdict = "error", "fail" end
    end
    assert(e:commit(worker, list))
    while engine:must(C.eas_skip_level(engine.c, 100, engine.err)) > 0 do end
    engine:must(C.eas_retry(engine.c, job.id, 0, n_ready, engine.err))
    assert(e:claim(worker, 5))
    engine:must(C.eas_attempt_hand_back_unknown(engine.c, worker, nil, 0, engine.err))
    list = assert(e:claim(worker, 1))
    list[1].ending, list[1].verdict, list[1].again = "error", "fail", true
    assert(e:commit(worker, list))
    assert(e:claim(worker, 5))
    engine:must(C.eas_worker_renew(engine.c, worker, 1, engine.err))
    engine:must(C.eas_rescue(engine.c, nil, e:worker(), n_ready, engine.err))
    db:exec "UPDATE job SET state = 'cancelled'"
    engine:must(C.eas_cancel_sweep(engine.c, 100, engine.err))
    engine:must(C.eas_retry(engine.c, job.id, 0, n_ready, engine.err))
    engine:must(C.eas_worker_end(engine.c, worker, engine.err))
    local key = ffi.new "eas_digest"
    engine:must(C.eas_attempt_reusable(engine.c, job.id, key, ffi.new "eas_reusable", engine.err))
    w:check()
  end

  it("is never searched whole", function()
    local engine = db:again()
    workload(engine)
    -- Small by nature: active workers, jobs not done, cancelled jobs, tasks that control has to spread.
    local fine = { "worker", "worker_lease", "job_cancelled", "job_open", "task_spread", "json_each", "eas_ids", "s", "up", "d", "f", "b", "subquery", "constant row" }
    local seen, nulls = 0, {}
    for i = 1, 20 do nulls[i] = B.NULL end
    local i = 0
    while C.eas_db_statement(engine.c, i) ~= nil do
      local sql = ffi.string(C.eas_db_statement(engine.c, i))
      i = i + 1
      if sql:find "^[SUDIW]" and sql:find "[ (]FROM [a-z]" or sql:find "^UPDATE" then
        seen = seen + 1
        local lines = {}
        if kind == "sqlite" then
          for _, row in ipairs(db:query("EXPLAIN QUERY PLAN " .. sql, unpack(nulls))) do
            -- children are only searched for a new parent while a foreign key is broken, which it never is
            local scanned = row.detail:match "^SCAN ([%w_]+)"
            if scanned and not (sql:find "^INSERT" and not sql:find("%f[%w_]" .. scanned .. "%f[^%w_]")) then lines[#lines + 1] = row.detail end
          end
        else
          local n = 0
          for number in sql:gmatch "%$(%d+)" do n = math.max(n, tonumber(number)) end
          local function quoted(text) return "'" .. text:gsub("'", "''") .. "'" end
          db:exec("DO " .. quoted("BEGIN EXECUTE " .. quoted(("PREPARE p%d AS %s"):format(i, sql)) .. "; END"))
          local args = n > 0 and "(" .. ("NULL, "):rep(n - 1) .. "NULL)" or ""
          local above
          for _, row in ipairs(db:query(("EXPLAIN EXECUTE p%d%s"):format(i, args))) do
            -- an index that is only followed for its order is read whole
            if above and row["QUERY PLAN"]:find "Filter:" then lines[#lines + 1] = above .. row["QUERY PLAN"] end
            above = row["QUERY PLAN"]:find "Index Scan using %w+_pkey" and row["QUERY PLAN"]
            -- a list of ids as a filter: something else than the key was searched
            -- a bitmap has no order: the oldest few of a queue would be all of it, sorted
            local step = row["QUERY PLAN"]
            if step:find "Seq Scan" or step:find "Bitmap" or (step:find "Filter:.*[( ]id = ANY" and not sql:find "^UPDATE job") then
              lines[#lines + 1] = step
            end
          end
        end
        for _, line in ipairs(lines) do
          local ok = false
          for _, name in ipairs(fine) do ok = ok or line:lower():find("%f[%w_]" .. name .. "%f[^%w_]") end
          assert.truthy(ok, line .. "\nin " .. sql)
        end
      end
    end
    engine:close()
    assert.is_true(seen > 40, "only " .. seen .. " statements seen")
  end)

  it("holds while several workers, rescue and skipping go on at once", function()
    local n_tasks = 0
    for i = 1, 12 do
      local chain = w:task(job, { type = "execution_chain", passed = true })
      local previous
      for k = 1, 6 do
        local inputs = previous and { x = previous.products.x } or nil
        previous = w:task(job, { parent = chain, outputs = { "x" }, inputs = inputs, place = k })
        n_tasks = n_tasks + 1
        for _ = 1, 2 do
          w:task(job, { parent = chain, needs = { p = previous } })
          n_tasks = n_tasks + 1
        end
      end
    end
    local url = db.url
    db:close()
    in_children(4, function(i)
      local mine = assert(B.open(url, 0))
      local e = new_world(mine)
      local worker, idle, n_ready = e:worker(), 0, ffi.new "int[1]"
      math.randomseed(i)
      while idle < 40 do
        local list, why, code = e:claim(worker, 3)
        if code == C.EAS_EBUSY then list = {} end -- one of two that waited for each other: say it again
        assert(list, why)
        idle = #list == 0 and idle + 1 or 0
        for _, c in ipairs(list) do
          c.versions = {}
          for _, out in pairs(c.outputs) do c.versions[out.product] = "pass" end
          local dice = math.random(20)
          if dice == 1 then c.ending, c.verdict, c.versions = "error", "fail", nil
          elseif dice < 4 then c.ending, c.verdict, c.versions, c.again = "error", "fail", nil, true end
        end
        while #list > 0 do
          local n, why2, code2 = e:commit(worker, list)
          if n then break end
          assert(code2 == C.EAS_EBUSY, why2)
        end
        if i == 1 then
          local rc = C.eas_skip_level(mine.c, 7, mine.err)
          assert(rc >= 0 or rc == C.EAS_EBUSY, mine:message())
          rc = C.eas_rescue(mine.c, nil, 0, n_ready, mine.err)
          assert(rc >= 0 or rc == C.EAS_EBUSY, mine:message())
        end
        if #list == 0 then C.usleep(5000) end
      end
      while C.eas_skip_level(mine.c, 100, mine.err) > 0 do end
      mine:close()
    end)
    db = assert(B.open(url, 0))
    w.db = db
    while db:must(C.eas_skip_level(db.c, 100, db.err)) > 0 do end
    w:check()
    assert.equal(0, db:value "SELECT count(*) FROM task WHERE state IN ('waiting', 'ready')")
    assert.equal(n_tasks, db:value "SELECT sum(passed + failed + skipped) FROM job_type WHERE type = (SELECT id FROM task_type WHERE name = 'null')")
    assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
  end)
end)
