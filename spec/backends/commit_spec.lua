-- model/attempt.h: commits, and what both cost; after every test the counters equal a count and the state machine holds.
local ffi = require "ffi"
local B = require "spec.backends.backend"
local around = require "spec.backends.around"
local C = ffi.C

B.each(function(kind)
  local db, w, job, worker
  around(kind, function(fresh, world) db, w, job, worker = fresh, world, world:job(), world:worker() end)

  local function claim_one(options) return w:claim_one(worker, options) end

  describe("a commit", function()
    it("stores what belongs to an attempt", function()
      local task = w:task(job, { outputs = { "lightcurve", "extra" } })
      local c = claim_one()
      assert(w:commit(worker, { { attempt = c.attempt, token = c.token, verdict = "fail", reason = "no usable period",
        metadata = '{"sde": 3}', description = '{"task":"null"}', wall_us = 1234, log = { "one", "t\195\164wo" }, first_seq = 4,
        versions = { [task.products.lightcurve] = "pass", [task.products.extra] = "fail" } } }))
      local a = w:attempts(task)[1]
      assert.equal("ended", a.state)
      assert.equal("ok", a.ending)
      assert.equal("fail", a.verdict)
      assert.equal('{"sde":3}', a.metadata)
      assert.equal(1234, a.wall_us)
      local note = db:query("SELECT * FROM attempt_note WHERE attempt = $1", c.attempt)[1]
      assert.equal("no usable period", note.reason)
      assert.equal("no usable period", note.cause)
      assert.equal('{"task":"null"}', note.description)
      local lines = db:query("SELECT seq, text FROM log_line WHERE attempt = $1 ORDER BY seq", c.attempt)
      assert.equal(4, lines[1].seq)
      assert.equal("t\195\164wo", lines[2].text)
      local passed = db:query("SELECT p.passed, v.id, v.verdict, v.reason FROM product p JOIN version v ON v.product = p.id WHERE p.task = $1 ORDER BY p.id", task.id)
      assert.equal(passed[1].id, passed[1].passed)
      assert.is_nil(passed[2].passed)
      assert.equal("poor", passed[2].reason)
    end)

    it("leaves no note where there is nothing to tell", function()
      w:task(job)
      local c = claim_one()
      assert(w:commit(worker, { c }))
      assert.equal(0, db:value "SELECT count(*) FROM attempt_note")
    end)

    it("tells in which slot it ran, and since when", function()
      local tasks = { w:task(job), w:task(job) }
      local knows, not_so = claim_one(), claim_one()
      knows.ran_us, knows.slot = 2500000, 3
      local claimed = w:attempts(tasks[2])[1].started_at
      assert(w:commit(worker, { knows, not_so }))
      local a, b = w:attempts(tasks[1])[1], w:attempts(tasks[2])[1]
      assert.equal(3, a.slot)
      assert.truthy(math.abs(a.ended_at - a.started_at - 2500000) < 100000) -- the clock may be read twice
      assert.same({ claimed }, { b.started_at, b.slot })
    end)

    it("groups failures by their error without its numbers", function()
      w:task(job)
      local c = claim_one()
      c.ending, c.verdict, c.error = "error", "fail", "need 10 points, got 3.5e-2 in x1.fits"
      assert(w:commit(worker, { c }))
      assert.equal("need N points, got N in xN.fits", db:value "SELECT cause FROM attempt_note")
    end)

    it("keeps text whose bytes are no UTF-8 readable", function()
      w:task(job)
      local c = claim_one()
      c.log = { "a\255b\237\160\128c\192\128d" }
      assert(w:commit(worker, { c }))
      local r = "\239\191\189"
      assert.equal("a" .. r .. "b" .. r:rep(3) .. "c" .. r:rep(2) .. "d", db:value "SELECT text FROM log_line")
    end)

    it("counts tasks through to the job", function()
      for _ = 1, 3 do w:task(job) end
      assert.equal(3, w:run_all(worker))
      assert.equal("passed", w:state(job.root))
      assert.equal(1, w:row(job.root).done)
      assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
    end)

    it("counts up through chains of chains, at zero only", function()
      local a = w:task(job, { type = "execution_chain", passed = true })
      local b = w:task(job, { type = "execution_chain", passed = true, parent = a })
      local c = w:task(job, { type = "execution_chain", passed = true, parent = b })
      for _ = 1, 2 do w:task(job, { parent = c }) end
      w:task(job, { parent = a })
      local list = assert(w:claim(worker, 10))
      assert.equal(3, #list)
      list[2].verdict = "fail"
      assert(w:commit(worker, { list[1] }))
      assert.equal(1, w:row(c).open_children)
      assert.equal(0, w:row(a).done)
      assert(w:commit(worker, { list[3], list[2] })) -- both ways up at once
      assert.equal(1, w:row(a).done)
      assert.equal(1, w:row(a).failed_children)
      assert.equal(1, w:row(job.root).failed_children)
      assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
    end)

    it("does not end a loop that is half expanded", function()
      local loop = w:task(job, { type = "execution_for_loop" })
      w:task(job, { parent = loop })
      w:run_all(worker)
      assert.equal(0, w:row(loop).open_children)
      assert.equal(0, w:row(loop).done)
      assert.equal("ready", w:state(loop))
    end)

    it("makes a task ready when its last input is met", function()
      local a, b = w:task(job, { outputs = { "lightcurve" } }), w:task(job, { outputs = { "lightcurve" } })
      local user = w:task(job, { inputs = { one = a.products.lightcurve, two = b.products.lightcurve }, needs = { a = a } })
      assert.equal(3, w:row(user).pending)
      local first = claim_one()
      first.versions = { [first.outputs.lightcurve.product] = "pass" }
      assert.equal(0, (w:commit(worker, { first })))
      assert.equal("waiting", w:state(user))
      assert.equal(1, w:row(user).pending)
      local second = claim_one()
      second.versions = { [second.outputs.lightcurve.product] = "pass" }
      assert.equal(1, (w:commit(worker, { second })))
      assert.equal("ready", w:state(user))
      assert.equal(1, #w:attempts(user))
    end)

    it("meets inputs of products that passed even when the attempt did not", function()
      local maker = w:task(job, { outputs = { "lightcurve" } })
      local user, other = w:task(job, { inputs = { x = maker.products.lightcurve } }), w:task(job, { needs = { m = maker } })
      local c = claim_one()
      c.verdict, c.versions = "fail", { [maker.products.lightcurve] = "pass" }
      assert.equal(1, (w:commit(worker, { c })))
      assert.equal("ready", w:state(user))
      assert.equal("failed", w:state(maker))
      assert.equal("waiting", w:state(other))
      assert.equal(1, w:row(maker).spread)
    end)

    it("makes many dependants ready at once, whoever they wait for", function()
      local maker, users = w:task(job, { outputs = { "lightcurve" } }), {}
      for i = 1, 40 do users[i] = w:task(job, { inputs = { x = maker.products.lightcurve } }) end
      local c = claim_one()
      c.versions = { [maker.products.lightcurve] = "pass" }
      assert.equal(40, (w:commit(worker, { c })))
      assert.equal(40, w:run_all(worker))
    end)

    it("tries again, later, when the policy permits", function()
      local task = w:task(job)
      local c = claim_one()
      c.ending, c.verdict, c.again, c.delay_us = "error", "fail", true, 40e6
      assert.equal(1, (w:commit(worker, { c })))
      assert.equal("ready", w:state(task))
      local next_one = w:attempts(task)[2]
      assert.equal(2, next_one.number)
      assert.equal("queued", next_one.state)
      assert.is_true(math.abs(next_one.not_before - next_one.queued_at - 40e6) < 1e5)
      assert.equal(0, #w:claim(worker, 1))
      db:exec "UPDATE attempt SET not_before = 0"
      c = claim_one()
      assert.equal(2, c.number)
      c.ending, c.verdict = "crashed", "fail"
      assert(w:commit(worker, { c }))
      assert.equal("failed", w:state(task))
    end)

    it("drops stale results, and keeps the rest of the group", function()
      for _ = 1, 3 do w:task(job) end
      local list = w:claim(worker, 3)
      list[2].token = list[2].token - 1
      list[2].metadata, list[2].log = '{"lie": 1}', { "lie" }
      local n, stale = w:commit(worker, list)
      assert.equal(0, n)
      assert.same({ false, true, false }, stale)
      assert.equal("ready", w:state(list[2].task))
      assert.equal(0, db:value "SELECT count(*) FROM log_line")
    end)

    it("may be repeated after an unknown outcome", function()
      local maker = w:task(job, { outputs = { "lightcurve" } })
      w:task(job, { inputs = { x = maker.products.lightcurve } })
      local c = claim_one()
      c.versions, c.log = { [maker.products.lightcurve] = "pass" }, { "once" }
      assert.equal(1, (w:commit(worker, { c })))
      local n, stale = w:commit(worker, { c })
      assert.equal(0, n)
      assert.same({ true }, stale)
      assert.equal(1, db:value "SELECT count(*) FROM log_line")
      assert.equal(1, db:value "SELECT count(*) FROM version")
    end)

    it("takes an attempt that stands twice in it once", function()
      w:task(job)
      local c = claim_one()
      assert.same({ false, true }, select(2, w:commit(worker, { c, c })))
    end)

    it("refuses what contradicts itself, and stores nothing of the group", function()
      local task, other = w:task(job, { outputs = { "lightcurve" } }), w:task(job, { outputs = { "lightcurve" } })
      local list = w:claim(worker, 2)
      local function refused(change, words)
        local bad = { attempt = list[1].attempt, token = list[1].token }
        for k, v in pairs(change) do bad[k] = v end
        local n, why, code = w:commit(worker, { list[2], bad })
        assert.is_nil(n)
        assert.equal(C.EAS_EINVAL, code)
        assert.truthy(why:find(words, 1, true), why)
        assert.equal("ready", w:state(other))
      end
      refused({ ending = "error" }, "cannot pass, since it ended by error")
      refused({ ending = "tired", verdict = "fail" }, "'tired' is no ending")
      refused({ verdict = "maybe" }, "'maybe' is no verdict")
      refused({ ending = "crashed", verdict = "fail", versions = { [task.products.lightcurve] = "pass" } }, "cannot pass, since the attempt ended by crashed")
      refused({ versions = { [other.products.lightcurve] = "pass" } }, "is not its task's")
    end)

    it("counts what was reused apart", function()
      local done = w:job { name = "earlier" }
      local made = w:task(done, { outputs = { "lightcurve" } })
      local c = claim_one()
      c.key, c.metadata, c.versions = "same", '{"period": 2}', { [made.products.lightcurve] = "pass" }
      assert(w:commit(worker, { c }))

      local key, found = ffi.new "eas_digest", ffi.new "eas_reusable"
      C.eas_hash("same", 4, key)
      assert.equal(0, db:must(C.eas_attempt_reusable(db.c, done.id, key, found, db.err)))
      assert.equal(1, db:must(C.eas_attempt_reusable(db.c, job.id, key, found, db.err)))
      assert.equal(c.attempt, tonumber(found.attempt))
      assert.equal(1, found.n_versions)
      assert.equal("lightcurve", ffi.string(found.kinds[0]))
      assert.equal("pass", ffi.string(found.versions[0].verdict))
      assert.equal(5, tonumber(found.versions[0].size))
      C.eas_reusable_done(found)
      C.eas_hash("other", 5, key)
      assert.equal(0, db:must(C.eas_attempt_reusable(db.c, job.id, key, found, db.err)))

      local task = w:task(job, { outputs = { "lightcurve" } })
      c = claim_one()
      c.ending, c.reused, c.versions = "reused", made.attempt, { [task.products.lightcurve] = "pass" }
      assert(w:commit(worker, { c }))
      assert.equal(1, db:value("SELECT reused FROM job_type WHERE job = $1 AND type = $2", job.id, task.type))
    end)

    it("cancels a task whose attempt was stopped", function()
      local task = w:task(job)
      local user = w:task(job, { needs = { t = task } })
      local c = claim_one()
      c.ending, c.verdict = "cancelled", "fail"
      assert(w:commit(worker, { c }))
      assert.equal("cancelled", w:state(task))
      assert.equal("waiting", w:state(user))
      assert.equal(0, C.eas_skip_level(db.c, 100, db.err))
    end)
  end)

  describe("round trips", function()
    it("are at most four a group", function()
      local chain = w:task(job, { type = "execution_chain", passed = true })
      local maker = w:task(job, { outputs = { "lightcurve" }, parent = chain })
      for _ = 1, 20 do w:task(job, { parent = chain, inputs = { x = maker.products.lightcurve } }) end
      for _ = 1, 11 do w:task(job, { parent = chain }) end
      w:task(job, { type = "error" })
      local list
      local trips, commits = db:cost(function() list = w:claim(worker, 32) end)
      assert.equal(12, #list)
      assert.equal(1, commits)
      if kind == "postgresql" then assert.is_true(trips <= 4, "claim: " .. trips) end
      list[1].versions, list[2].again, list[2].verdict, list[2].ending = { [maker.products.lightcurve] = "pass" }, true, "fail", "error"
      local ready
      trips, commits = db:cost(function() ready = w:commit(worker, list) end)
      assert.equal(21, ready)
      assert.equal(1, commits)
      if kind == "postgresql" then assert.is_true(trips <= 4, "commit: " .. trips) end
    end)
  end)
end)
