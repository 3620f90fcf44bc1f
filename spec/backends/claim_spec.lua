-- model/attempt.h: claims; after every test the counters equal a count and the state machine holds.
local ffi = require "ffi"
local B = require "spec.backends.backend"
local around = require "spec.backends.around"
local C = ffi.C

B.each(function(kind)
  local db, w, job, worker
  around(kind, function(fresh, world) db, w, job, worker = fresh, world, world:job(), world:worker() end)

  local function claim_one(options) return w:claim_one(worker, options) end

  describe("a claim", function()
    it("hands over everything a task needs", function()
      local task = w:task(job, { name = "search", label = "other", place = 3, metadata = '{"b": 2}', outputs = { "lightcurve" } })
      local c = claim_one()
      assert.equal(task.attempt, c.attempt)
      assert.equal(task.id, c.task)
      assert.equal(1, c.number)
      assert.is_true(c.token > 0)
      assert.equal("null", c.type)
      assert.equal("search", c.task_name)
      assert.equal("other", c.job_name)
      assert.equal("out", c.directory)
      assert.equal('{"place":3,"task":"null"}', c.entry)
      assert.equal(7000 + task.id, c.seed)
      assert.same({ lightcurve = { filename = ("lightcurve_%d.fits"):format(task.id), product = task.products.lightcurve } }, c.outputs)
      local a = w:attempts(task)[1]
      assert.equal("running", a.state)
      assert.equal(worker, a.worker)
      assert.truthy(a.started_at)
      assert.is_true(c.queued_us >= 0 and c.queued_us < 60e6)
    end)

    it("takes the job's name when the task has none of its own", function()
      w:task(job)
      local c = claim_one()
      assert.equal("stars", c.job_name)
      assert.equal("", c.task_name)
    end)

    it("merges metadata from the root down, the nearest last", function()
      local chain = w:task(job, { type = "execution_chain", passed = true, metadata = '{"a": 1, "b": 1, "c": 1}' })
      local inner = w:task(job, { type = "execution_chain", passed = true, parent = chain, metadata = '{"b": 2, "c": 2}' })
      w:task(job, { parent = inner, metadata = '{"c": 3}' })
      w:task(job, { parent = inner })
      w:task(job, { parent = chain })
      local list = assert(w:claim(worker, 10))
      assert.equal('{"a":1,"b":2,"c":3}', list[1].metadata)
      assert.equal('{"a":1,"b":2,"c":2}', list[2].metadata)
      assert.equal('{"a":1,"b":1,"c":1}', list[3].metadata)
    end)

    it("binds the newest passed versions, and records them", function()
      local maker = w:task(job, { outputs = { "lightcurve" }, name = "maker" })
      local user = w:task(job, { inputs = { lightcurve = maker.products.lightcurve }, needs = { before = maker } })
      local c = claim_one()
      local n_ready = assert(w:commit(worker, { { attempt = c.attempt, token = c.token, metadata = '{"period": 3.5}',
        versions = { [maker.products.lightcurve] = "pass" } } }))
      assert.equal(1, n_ready)
      local u = claim_one()
      assert.equal(user.id, u.task)
      local input = u.inputs.lightcurve
      assert.equal(maker.products.lightcurve, input.product)
      assert.equal(5, input.size)
      assert.equal('{"points":3}', input.metadata)
      assert.equal("out", input.directory)
      local digest = ffi.new "eas_digest"
      local bytes = "bytes" .. maker.products.lightcurve .. c.attempt
      C.eas_hash(bytes, #bytes, digest)
      assert.equal(ffi.string(digest.b, 32), input.digest)
      assert.equal('{"before":{"period":3.5}}', u.requested)
      assert.equal(input.version, db:value("SELECT version FROM attempt_input WHERE attempt = $1", u.attempt))
    end)

    it("gives nothing when nothing is there, and takes no more than asked", function()
      assert.same({}, (w:claim(worker, 5)))
      for _ = 1, 5 do w:task(job) end
      assert.equal(3, #w:claim(worker, 3))
      assert.equal(2, #w:claim(worker, 3))
      assert.equal(0, #w:claim(worker, 3))
    end)

    it("takes only the types named", function()
      w:task(job, { type = "error" })
      assert.equal(0, #w:claim(worker, 3))
      assert.equal(0, #w:claim(worker, 3, { types = { "no_such_type" } }))
      assert.equal(1, #w:claim(worker, 3, { types = { "null", "error" } }))
    end)

    it("leaves paused and cancelled jobs alone", function()
      w:task(w:job { state = "paused" })
      w:task(w:job { state = "cancelled" })
      local task = w:task(job)
      local list = w:claim(worker, 5)
      assert.equal(1, #list)
      assert.equal(task.id, list[1].task)
    end)

    it("takes the oldest of several types", function()
      local ids = {}
      for i = 1, 6 do ids[i] = w:task(job, { type = i % 2 == 0 and "null" or "error" }).attempt end
      local got = {}
      for _, c in ipairs(w:claim(worker, 4, { types = { "null", "error" } })) do got[#got + 1] = c.attempt end
      assert.same({ ids[1], ids[2], ids[3], ids[4] }, got)
    end)

    it("goes by priority, then by fewest running", function()
      local urgent, other = w:job { name = "urgent", priority = 5 }, w:job { name = "other" }
      for _ = 1, 4 do w:task(job) w:task(other) end
      for _ = 1, 2 do w:task(urgent) end
      local got = {}
      for _, c in ipairs(w:claim(worker, 4)) do got[c.job] = (got[c.job] or 0) + 1 end
      assert.same({ [urgent.id] = 2, [job.id] = 1, [other.id] = 1 }, got)
      db:exec("UPDATE job_type SET running = running + 3 WHERE job = $1 AND running = 1", job.id) -- as if three more ran there
      got = {}
      for _, c in ipairs(w:claim(worker, 3)) do got[c.job] = (got[c.job] or 0) + 1 end
      assert.same({ [other.id] = 3 }, got)
      db:exec("UPDATE job_type SET running = running - 3 WHERE job = $1 AND running = 4", job.id)
    end)

    it("waits for not_before, and says when it falls due", function()
      local now = db:value "SELECT eas_now()"
      w:task(job, { not_before = now + 60e6 })
      local list, due = w:claim(worker, 5)
      assert.equal(0, #list)
      local later = db:value "SELECT eas_now()"
      assert.is_true(due <= 60e6 and due >= now + 60e6 - later)
      w:task(job, { not_before = now + 30e6 })
      local ready = w:task(job)
      list, due = w:claim(worker, 5)
      assert.equal(1, #list)
      assert.equal(ready.id, list[1].task)
      assert.is_true(due <= 30e6 and due > 29e6)
      db:exec("UPDATE attempt SET not_before = $1 WHERE state = 'queued'", now - 1)
      assert.equal(2, #w:claim(worker, 5))
    end)

    it("is refused to a worker that is not alive", function()
      w:task(job)
      local late = w:worker(-1)
      local list, why, code = w:claim(late, 1)
      assert.is_nil(list)
      assert.equal(C.EAS_ESTALE, code)
      assert.equal(("worker %d: its lease is over"):format(late), why)
      assert.equal(C.EAS_ESTALE, select(3, w:claim(99, 1)))
      assert.equal(1, #w:claim(worker, 1))
    end)

    it("never gives one attempt to two", function()
      for _ = 1, 60 do w:task(job) end
      local other, second = db:again(), w:worker()
      local seen, n = {}, 0
      for _ = 1, 10 do
        for _, list in ipairs { (w:claim(worker, 4)), (w:claim(second, 4, { db = other })) } do
          for _, c in ipairs(list) do
            assert.is_nil(seen[c.attempt])
            seen[c.attempt], n = true, n + 1
          end
        end
      end
      other:close()
      assert.equal(60, n)
    end)

    -- What a crash of the server leaves of claims that were not flushed.
    local function vanish(list)
      for _, c in ipairs(list) do
        db:exec("UPDATE attempt SET state = 'queued', token = 0, worker = NULL, started_at = NULL WHERE id = $1", c.attempt)
        db:exec("DELETE FROM attempt_input WHERE attempt = $1", c.attempt)
        db:exec("UPDATE job_type SET queued = queued + 1, running = running - 1 WHERE job = $1 AND type = (SELECT type FROM task WHERE id = $2)",
          c.job, c.task)
      end
    end

    it("that vanished leaves nothing behind, and its attempt runs again", function()
      local maker = w:task(job, { outputs = { "lightcurve" } })
      local user = w:task(job, { inputs = { lightcurve = maker.products.lightcurve } })
      local made = claim_one()
      made.versions = { [maker.products.lightcurve] = "pass" }
      assert(w:commit(worker, { made }))
      local second = w:worker()
      local first = claim_one()
      for _, by in ipairs { worker, second } do
        vanish { first }
        first.log, first.metadata = { "of nobody" }, '{"lie": 1}'
        assert.same({ true }, select(2, w:commit(worker, { first })))
        local live, line = ffi.new "eas_live[1]", ffi.new "eas_log_entry[1]"
        line[0].level, line[0].text = 20, "of nobody"
        live[0].attempt, live[0].token, live[0].n_log, live[0].log, live[0].total = first.attempt, first.token, 1, line, 3
        db:must(C.eas_attempt_live(db.c, live, 1, db.err))
        local held, stop = w:held { first }, ffi.new "int[1]"
        db:must(C.eas_attempt_hand_back(db.c, worker, held, 1, db.err))
        db:must(C.eas_attempt_wanted(db.c, held, 1, stop, db.err))
        assert.equal(1, stop[0])
        assert.equal("queued", w:attempts(user)[1].state)
        w:check()
        local again = assert(w:claim(by, 1))[1]
        assert.equal(first.attempt, again.attempt)
        assert.not_equal(first.token, again.token)
        assert.same({ true }, select(2, w:commit(worker, { first }))) -- also beside the new one, by whomever that is
        db:must(C.eas_attempt_live(db.c, live, 1, db.err))
        assert.equal(0, db:value "SELECT (SELECT count(*) FROM log_line) + (SELECT count(*) FROM progress) AS n")
        first = again
      end
      assert.same({ true }, select(2, w:commit(worker, { first }))) -- its token, but another's claim
      assert.same({ false }, select(2, w:commit(second, { first })))
      assert.equal(1, db:value("SELECT count(*) FROM attempt WHERE task = $1", user.id))
      assert.equal("passed", w:state(user))
    end)

    if kind == "postgresql" then
      it("passes by what another claim holds at this moment, and says to look again", function()
        w:task(job)
        local other = db:again()
        other:begin()
        other:query "SELECT id FROM attempt WHERE state = 'queued' FOR UPDATE"
        local list, due = w:claim(worker, 1)
        assert.equal(0, #list)
        assert.is_true(due > 0 and due < 1e6)
        other:rollback()
        other:close()
        assert.equal(1, #w:claim(worker, 1))
      end)
    end
  end)
end)
