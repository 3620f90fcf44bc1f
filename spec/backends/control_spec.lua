-- model/attempt.h, the rest: leases, rescue, skipping, retry, cancelling, handing back, live lines.
local ffi = require "ffi"
local B = require "spec.backends.backend"
local around = require "spec.backends.around"
local C = ffi.C

B.each(function(kind)
  local db, w, job, worker
  around(kind, function(fresh, world) db, w, job, worker = fresh, world, world:job(), world:worker() end)

  local n_ready = ffi.new "int[1]"
  local function rescue(all_but) return db:must(C.eas_rescue(db.c, nil, all_but or 0, n_ready, db.err)), n_ready[0] end
  local function skip_level(limit) return db:must(C.eas_skip_level(db.c, limit or 100, db.err)) end
  local function retry(task)
    local rc = C.eas_retry(db.c, job.id, task and task.id or 0, n_ready, db.err)
    if rc < 0 then return nil, db:message(), rc end
    return rc, n_ready[0]
  end
  local function sweep(limit) return db:must(C.eas_cancel_sweep(db.c, limit or 100, db.err)) end

  -- Claims everything and ends it: fate(claim) gives the result.
  local function run(fate)
    local list = assert(w:claim(worker, 50))
    for _, c in ipairs(list) do for k, v in pairs(fate(c) or {}) do c[k] = v end end
    assert(w:commit(worker, list))
    return #list
  end
  local function fail() return { ending = "error", verdict = "fail", error = "bad luck" } end
  local function pass(c)
    c.versions = {}
    for _, out in pairs(c.outputs) do c.versions[out.product] = "pass" end
  end

  describe("a lease", function()
    it("is renewed, until it is over", function()
      local before = db:value("SELECT lease_until FROM worker WHERE id = $1", worker)
      db:must(C.eas_worker_renew(db.c, worker, 120e6, db.err))
      assert.is_true(db:value("SELECT lease_until FROM worker WHERE id = $1", worker) > before)
      db:exec("UPDATE worker SET lease_until = 1 WHERE id = $1", worker)
      assert.equal(C.EAS_ESTALE, C.eas_worker_renew(db.c, worker, 60e6, db.err))
      assert.equal(C.EAS_ESTALE, C.eas_worker_renew(db.c, 4711, 60e6, db.err))
    end)

    it("ends with its worker", function()
      db:must(C.eas_worker_end(db.c, worker, db.err))
      assert.equal("ended", db:value("SELECT state FROM worker WHERE id = $1", worker))
      assert.equal(C.EAS_ESTALE, C.eas_worker_renew(db.c, worker, 60e6, db.err))
      assert.equal(0, (rescue()))
    end)

    it("ends so that what the worker forgot is rescued at once", function()
      w:task(job)
      assert(w:claim(worker, 1))
      db:must(C.eas_worker_end(db.c, worker, db.err))
      assert.equal(1, (rescue()))
    end)
  end)

  describe("rescue", function()
    it("gives the attempts of lost workers another try", function()
      local tasks = {}
      for i = 1, 5 do tasks[i] = w:task(job) end
      local list = assert(w:claim(worker, 3))
      local alive = w:worker()
      assert(w:claim(alive, 1))
      assert.equal(0, (rescue()))
      db:exec("UPDATE worker SET lease_until = 1 WHERE id = $1", worker)
      local n, ready = rescue()
      assert.equal(3, n)
      assert.equal(3, ready)
      assert.equal("lost", db:value("SELECT state FROM worker WHERE id = $1", worker))
      local attempts = w:attempts(list[1].task)
      assert.equal("lost", attempts[1].ending)
      assert.equal(list[1].token + 1, attempts[1].token)
      assert.equal("queued", attempts[2].state)
      assert.equal(("its worker was lost: w%d on here"):format(worker), db:value("SELECT reason FROM attempt_note WHERE attempt = $1", list[1].attempt))
      assert.equal(0, (rescue()))
      assert.same({ true, true, true }, select(2, w:commit(worker, list))) -- it comes back: nothing of it is taken
      assert.equal(C.EAS_ESTALE, C.eas_worker_renew(db.c, worker, 60e6, db.err))
      assert.equal(C.EAS_ESTALE, select(3, w:claim(worker, 1)))
    end)

    it("takes all other workers' at once in the embedded mode", function()
      w:task(job)
      assert(w:claim(worker, 1))
      local me = w:worker()
      assert.equal(1, (rescue(me)))
      assert.equal("active", db:value("SELECT state FROM worker WHERE id = $1", me))
    end)

    it("gives a task up that was lost 20 times", function()
      local task = w:task(job)
      for i = 1, 20 do
        assert.equal("ready", w:state(task))
        assert.equal(1, #w:claim(worker, 1))
        local me = w:worker()
        assert.equal(1, (rescue(me)))
        worker = me
        assert.equal(i, db:value("SELECT count(*) FROM attempt WHERE task = $1 AND ending = 'lost'", task.id))
      end
      assert.equal("failed", w:state(task))
    end)

    it("does not try again in a cancelled job", function()
      local task = w:task(job)
      assert(w:claim(worker, 1))
      db:exec("UPDATE job SET state = 'cancelled' WHERE id = $1", job.id)
      db:exec("UPDATE worker SET lease_until = 1 WHERE id = $1", worker)
      assert.equal(1, (rescue()))
      assert.equal("cancelled", w:state(task))
    end)

    it("takes more than one transaction's worth", function()
      for _ = 1, 40 do w:task(job) end
      for _ = 1, 40 do
        worker = w:worker()
        assert.equal(1, #w:claim(worker, 1))
      end
      db:exec "UPDATE worker SET lease_until = 1"
      assert.equal(40, (rescue()))
    end)
  end)

  describe("skipping", function()
    it("spreads level by level from a failed task", function()
      local a = w:task(job, { outputs = { "x" } })
      local b = w:task(job, { outputs = { "x" }, inputs = { x = a.products.x } })
      local c1, c2 = w:task(job, { inputs = { x = b.products.x } }), w:task(job, { needs = { b = b } })
      local free = w:task(job)
      run(function(c) return c.task == a.id and fail() or nil end)
      assert.equal("waiting", w:state(b))
      assert.equal(1, skip_level())
      assert.equal("skipped", w:state(b))
      assert.equal("waiting", w:state(c1))
      assert.equal(2, skip_level())
      assert.equal("skipped", w:state(c1))
      assert.equal("skipped", w:state(c2))
      assert.equal(0, skip_level())
      assert.equal("passed", w:state(free))
      assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
      assert.equal(4, w:row(job.root).failed_children)
      assert.equal(0, db:value "SELECT count(*) FROM task WHERE spread = 1")
    end)

    it("reaches those who wait for a product that a passed task did not make", function()
      local a = w:task(job, { outputs = { "x", "y" } })
      local on_x, on_y, on_task = w:task(job, { inputs = { i = a.products.x } }), w:task(job, { inputs = { i = a.products.y } }), w:task(job, { needs = { a = a } })
      local c = assert(w:claim(worker, 1))[1]
      c.versions = { [a.products.x] = "pass", [a.products.y] = "fail" }
      assert.equal(2, (w:commit(worker, { c })))
      assert.equal(1, skip_level())
      assert.equal("ready", w:state(on_x))
      assert.equal("skipped", w:state(on_y))
      assert.equal("ready", w:state(on_task))
    end)

    it("leaves no mark on a task whose missing products nobody waits for", function()
      local a = w:task(job, { outputs = { "x" } })
      run(function() end)
      assert.equal("passed", w:state(a))
      assert.equal(0, w:row(a).spread)
    end)

    it("goes in slices", function()
      local a = w:task(job, { outputs = { "x" } })
      for _ = 1, 25 do w:task(job, { inputs = { x = a.products.x } }) end
      run(fail)
      assert.equal(10, skip_level(10))
      assert.equal(10, skip_level(10))
      assert.equal(5, skip_level(10))
      assert.equal(0, skip_level(10))
    end)

    it("counts a task once that waits for two failed ones", function()
      local a, b = w:task(job, { outputs = { "x" } }), w:task(job, { outputs = { "x" } })
      w:task(job, { inputs = { one = a.products.x, two = b.products.x }, needs = { a = a } })
      run(fail)
      assert.equal(1, skip_level())
      assert.equal(0, skip_level())
    end)
  end)

  describe("retry", function()
    it("tries failed tasks again, and what was skipped waits again", function()
      local a = w:task(job, { outputs = { "x" } })
      local b = w:task(job, { outputs = { "x" }, inputs = { x = a.products.x } })
      local c = w:task(job, { needs = { b = b } })
      run(fail)
      while skip_level() > 0 do end
      assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
      local n, ready = retry()
      assert.equal(3, n)
      assert.equal(1, ready)
      assert.equal("ready", w:state(a))
      assert.equal("waiting", w:state(b))
      assert.equal("waiting", w:state(c))
      assert.equal(2, w:attempts(a)[2].number)
      assert.is_nil(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
      w:check()
      for _ = 1, 3 do assert.equal(1, run(pass)) end
      assert.equal("passed", w:state(c))
      assert.equal(0, w:row(job.root).failed_children)
      assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
      assert.equal(0, (retry()))
    end)

    it("opens the chains above again", function()
      local outer = w:task(job, { type = "execution_chain", passed = true })
      local inner = w:task(job, { type = "execution_chain", passed = true, parent = outer })
      local bad = w:task(job, { parent = inner })
      w:task(job, { parent = inner })
      run(function(c) return c.task == bad.id and fail() or nil end)
      assert.equal(1, w:row(outer).done)
      assert.equal(1, (retry(bad)))
      assert.equal(0, w:row(outer).done)
      assert.equal(1, w:row(inner).open_children)
      assert.equal(0, w:row(inner).failed_children)
      w:check()
      run(fail)
      assert.equal(1, w:row(outer).failed_children)
      assert.equal(1, w:row(outer).done)
    end)

    it("of one task leaves what hangs on another failed one to be skipped again", function()
      local a, b = w:task(job, { outputs = { "x" } }), w:task(job, { outputs = { "x" } })
      local both, one = w:task(job, { inputs = { one = a.products.x, two = b.products.x } }), w:task(job, { inputs = { x = a.products.x } })
      run(fail)
      while skip_level() > 0 do end
      assert.equal(3, (retry(a)))
      assert.equal(1, skip_level())
      assert.equal("skipped", w:state(both))
      assert.equal("waiting", w:state(one))
      assert.equal(0, skip_level())
      run(pass)
      assert.equal("ready", w:state(one))
      assert.equal(2, (retry(b))) -- now the other one: `both` waits for it alone
      assert.equal(1, w:row(both).pending)
      run(pass)
      assert.equal("ready", w:state(both))
    end)

    it("of what has not failed is refused", function()
      local a = w:task(job, { outputs = { "x" } })
      local b = w:task(job, { inputs = { x = a.products.x } })
      local n, why, code = retry(a)
      assert.is_nil(n)
      assert.equal(C.EAS_EINVAL, code)
      assert.equal(("task t%d: it is ready, only failed and cancelled tasks are tried again"):format(a.id), why)
      assert.equal(C.EAS_ENOENT, select(3, retry { id = 123456 }))
      run(fail)
      skip_level()
      assert.equal(C.EAS_EINVAL, select(3, retry(b)))
      assert.truthy(ffi.string(db.err.hint):find("eas why t" .. b.id, 1, true))
      assert.equal(C.EAS_ENOENT, C.eas_retry(db.c, 987, 0, n_ready, db.err))
    end)
  end)

  describe("cancelling", function()
    it("ends queued attempts, a slice at a time, and tells running ones", function()
      for _ = 1, 7 do w:task(job) end
      local other = w:task(w:job { priority = -1 })
      local list = assert(w:claim(worker, 2))
      local held, n = w:held(list)
      local stop = ffi.new("int[?]", n)
      db:must(C.eas_attempt_wanted(db.c, held, n, stop, db.err))
      assert.equal(0, stop[0] + stop[1])
      db:exec("UPDATE job SET state = 'cancelled' WHERE id = $1", job.id)
      assert.equal(3, sweep(3))
      assert.equal(2, sweep(3))
      assert.equal(0, sweep(3))
      assert.equal("ready", w:state(other))
      db:must(C.eas_attempt_wanted(db.c, held, n, stop, db.err))
      assert.equal(2, stop[0] + stop[1])
      for _, c in ipairs(list) do c.ending, c.verdict = "cancelled", "fail" end
      assert(w:commit(worker, list))
      assert.equal(7, db:value("SELECT cancelled FROM job_type WHERE job = $1 AND cancelled > 0", job.id))
    end)

    it("is taken back by retry of the job, not of a task", function()
      local a = w:task(job, { outputs = { "x" } })
      local b = w:task(job, { inputs = { x = a.products.x } })
      db:exec("UPDATE job SET state = 'cancelled' WHERE id = $1", job.id)
      assert.equal(1, sweep())
      assert.equal("cancelled", w:state(a))
      assert.equal("waiting", w:state(b))
      assert.equal(C.EAS_EINVAL, select(3, retry(a)))
      assert.equal(1, (retry()))
      assert.equal("active", db:value("SELECT state FROM job WHERE id = $1", job.id))
      run(pass)
      run(pass)
      assert.equal("passed", w:state(b))
    end)

    it("stops what another worker has got meanwhile", function()
      w:task(job)
      local c = assert(w:claim(worker, 1))[1]
      local held, n = w:held { c, { attempt = 999, token = 1 } }
      local stop = ffi.new("int[?]", n)
      db:exec("UPDATE attempt SET token = token + 1 WHERE id = $1", c.attempt)
      db:must(C.eas_attempt_wanted(db.c, held, n, stop, db.err))
      assert.equal(1, stop[0])
      assert.equal(1, stop[1])
    end)
  end)

  describe("handing back", function()
    it("queues attempts again, for a new token", function()
      for _ = 1, 3 do w:task(job) end
      local list = assert(w:claim(worker, 3))
      local held = w:held { list[1], { attempt = list[2].attempt, token = 99 } }
      db:must(C.eas_attempt_hand_back(db.c, worker, held, 2, db.err))
      assert.equal("queued", w:attempts(list[1].task)[1].state)
      assert.equal("running", w:attempts(list[2].task)[1].state)
      assert.is_nil(w:attempts(list[1].task)[1].worker)
      local again = assert(w:claim(worker, 3))
      assert.equal(1, #again)
      assert.equal(list[1].attempt, again[1].attempt)
      assert.equal(1, again[1].number)
      assert.is_true(again[1].token > list[1].token)
      assert.same({ true }, select(2, w:commit(worker, { list[1] })))
    end)

    it("binds its inputs anew", function()
      local maker = w:task(job, { outputs = { "x" } })
      w:task(job, { inputs = { x = maker.products.x } })
      run(pass)
      local c = assert(w:claim(worker, 1))[1]
      db:must(C.eas_attempt_hand_back(db.c, worker, w:held { c }, 1, db.err))
      c = assert(w:claim(worker, 1))[1]
      assert.equal(maker.products.x, c.inputs.x.product)
    end)

    it("after an unknown claim takes what the worker does not know", function()
      for _ = 1, 4 do w:task(job) end
      local list = assert(w:claim(worker, 4))
      db:must(C.eas_attempt_hand_back_unknown(db.c, worker, w:held { list[2], list[4] }, 2, db.err))
      assert.equal("queued", w:attempts(list[1].task)[1].state)
      assert.equal("running", w:attempts(list[2].task)[1].state)
      assert.equal("queued", w:attempts(list[3].task)[1].state)
      db:must(C.eas_attempt_hand_back_unknown(db.c, worker, nil, 0, db.err))
      assert.equal(4, db:value "SELECT sum(queued) FROM job_type")
    end)
  end)

  describe("live lines", function()
    local function live(c, first, lines, done)
      local l, log = ffi.new "eas_live[1]", ffi.new("eas_log_entry[?]", #lines + 1)
      for i, text in ipairs(lines) do log[i - 1].level, log[i - 1].text = 20, text end
      l[0].attempt, l[0].token, l[0].first_seq, l[0].log, l[0].n_log = c.attempt, c.token, first, log, #lines
      l[0].done, l[0].total = done or 0, done and 10 or 0
      db:must(C.eas_attempt_live(db.c, l, 1, db.err))
    end

    it("stand before the commit's, once", function()
      w:task(job)
      local c = assert(w:claim(worker, 1))[1]
      live(c, 0, { "a", "b" }, 3)
      live(c, 0, { "a", "b" }, 4) -- repeated
      assert.equal(4, db:value "SELECT done FROM progress")
      c.log, c.first_seq = { "c" }, 2
      assert(w:commit(worker, { c }))
      local text = {}
      for _, row in ipairs(db:query "SELECT text FROM log_line ORDER BY seq") do text[#text + 1] = row.text end
      assert.equal("a b c", table.concat(text, " "))
      assert.equal(0, db:value "SELECT count(*) FROM progress")
    end)

    it("of a stale attempt drop out", function()
      w:task(job)
      local c = assert(w:claim(worker, 1))[1]
      live({ attempt = c.attempt, token = c.token + 1 }, 0, { "lie" }, 1)
      assert.equal(0, db:value "SELECT count(*) FROM log_line")
      assert.equal(0, db:value "SELECT count(*) FROM progress")
    end)

    it("leave the next commit as durable as before", function()
      w:task(job)
      local c = assert(w:claim(worker, 1))[1]
      live(c, 0, { "a" })
      db:begin()
      assert.equal(kind == "sqlite" and 2 or "on", db:value(kind == "sqlite" and "PRAGMA synchronous" or "SHOW synchronous_commit"))
      db:rollback()
    end)
  end)
end)
