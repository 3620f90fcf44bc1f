-- model/attempt.h: rerun and gathering, on every back end.
local ffi = require "ffi"
local B = require "spec.backends.backend"
local around = require "spec.backends.around"
local C = ffi.C

B.each(function(kind)
  local db, w, job, worker
  local n_ready = ffi.new "int[1]"
  around(kind, function(fresh, world) db, w, job, worker = fresh, world, world:job(), world:worker() end)

  local function rerun(task, downstream)
    local rc = C.eas_rerun(db.c, task.id, downstream and 1 or 0, n_ready, db.err)
    if rc < 0 then return nil, db:message(), rc end
    return rc, n_ready[0]
  end
  local function gather() return db:must(C.eas_gather_some(db.c, 0, n_ready, db.err)), n_ready[0] end
  local function skip() return db:must(C.eas_skip_level(db.c, 100, db.err)) end

  local function run(fate)
    local list = assert(w:claim(worker, 50))
    for _, c in ipairs(list) do
      c.versions = {}
      for _, out in pairs(c.outputs) do c.versions[out.product] = "pass" end
      for k, v in pairs(fate and fate(c) or {}) do c[k] = v end
    end
    local _, _, control = assert(w:commit(worker, list))
    return list, control
  end
  local function fail() return { ending = "error", verdict = "fail", versions = {} } end

  -- a -> b -> c by files, d needs the metadata of b, e hangs on nothing
  local function family()
    local a = w:task(job, { outputs = { "x" } })
    local b = w:task(job, { outputs = { "x" }, inputs = { x = a.products.x } })
    return a, b, w:task(job, { inputs = { x = b.products.x } }), w:task(job, { needs = { b = b } }), w:task(job)
  end

  describe("rerun", function()
    it("makes one task anew; its new version is the newest; what hangs on it is stale", function()
      local a, b, c, d, e = family()
      w:run_all(worker)
      local before = db:value("SELECT passed FROM product WHERE id = $1", a.products.x)
      assert.equal(1, (rerun(a)))
      assert.equal(1, n_ready[0])
      w:check()
      assert.is_nil(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
      for _, t in ipairs { b, c, d } do assert.equal(1, w:row(t).stale) end
      assert.equal(0, w:row(e).stale + w:row(a).stale)
      local list = run()
      assert.equal(1, #list)
      assert.equal(1, list[1].rerun)
      assert.is_true(db:value("SELECT passed FROM product WHERE id = $1", a.products.x) > before)
      assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
    end)

    it("downstream: everything below runs after what it hangs on, with the new versions", function()
      local a, b, c, d, e = family()
      w:run_all(worker)
      assert.equal(4, (rerun(a, true)))
      assert.equal(1, n_ready[0])
      assert.equal("waiting", w:state(b))
      w:check()
      assert.equal(a.id, run()[1].task)
      assert.equal(b.id, run()[1].task)
      assert.equal(2, #run())
      for _, t in ipairs { a, b, c, d } do
        assert.equal(2, #w:attempts(t))
        assert.equal(0, w:row(t).stale)
      end
      assert.equal(1, #w:attempts(e))
      local newest = db:value("SELECT passed FROM product WHERE id = $1", b.products.x)
      assert.equal(newest, db:value("SELECT i.version FROM attempt_input i JOIN attempt t ON t.id = i.attempt WHERE t.task = $1 AND t.number = 2", c.id))
      assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
    end)

    it("that fails skips what waits for it, though an old version is there", function()
      local a, b, c, d = family()
      w:run_all(worker)
      assert.equal(4, (rerun(a, true)))
      run(fail)
      while skip() > 0 do end
      assert.same({ "failed", "skipped", "skipped", "skipped" }, { w:state(a), w:state(b), w:state(c), w:state(d) })
      assert.equal(4, w:row(job.root).failed_children)
      db:must(C.eas_retry(db.c, job.id, 0, n_ready, db.err))
      w:run_all(worker)
      assert.same({ "passed", "passed", "passed", "passed" }, { w:state(a), w:state(b), w:state(c), w:state(d) })
    end)

    it("opens the chains above, whether they had failed or not", function()
      local outer = w:task(job, { type = "execution_chain", passed = true })
      local one = w:task(job, { parent = outer })
      local two = w:task(job, { parent = outer })
      run(function(c) return c.task == two.id and fail() or nil end)
      assert.equal(1, (rerun(one)))
      w:check()
      run()
      assert.equal(1, (rerun(two)))
      run()
      assert.equal(0, w:row(outer).failed_children)
      assert.equal(0, w:row(job.root).failed_children)
    end)

    it("is refused where it makes no sense", function()
      local a, b = family()
      assert.equal(C.EAS_EINVAL, select(3, rerun(b)))
      assert.equal(C.EAS_ENOENT, select(3, rerun { id = 4711 }))
      assert.equal(C.EAS_EINVAL, select(3, rerun { id = job.root }))
      run()
      assert.equal(C.EAS_EINVAL, select(3, rerun(a, true))) -- b is queued
      assert.equal(1, (rerun(a)))
      w:run_all(worker)
      db:exec("UPDATE job SET state = 'cancelled' WHERE id = $1", job.id)
      assert.equal(C.EAS_EINVAL, select(3, rerun(a)))
      db:exec("UPDATE job SET state = 'active' WHERE id = $1", job.id)
    end)
  end)

  describe("gathering", function()
    local loop, chains, waits
    -- A loop of n chains with a task each, and a task that waits for `least` of them.
    local function grid(n, least)
      loop = w:task(job, { type = "execution_for_loop", passed = true, name = "grid" })
      chains, waits = {}, w:task(job, { needs = { nobody = loop } })
      db:exec("UPDATE task_need SET met = 1 WHERE task = $1", waits.id) -- the world has no such edge: it is made by hand
      db:exec("INSERT INTO task_gather (task, name, needed, least, met) VALUES ($1, $2, $3, $4, 0)", waits.id, w:word "grid", loop.id, least)
      db:exec("UPDATE task SET gathered = 1, cursor = $2 WHERE id = $1", loop.id, n)
      for i = 1, n do
        local chain = w:task(job, { type = "execution_chain", passed = true, parent = loop, metadata = ('{"k": %d}'):format(i) })
        chains[i] = w:task(job, { parent = chain })
      end
    end
    local function run_but(...)
      local bad = {}
      for _, i in ipairs { ... } do bad[chains[i].id] = true end
      return run(function(c) return bad[c.task] and fail() or nil end)
    end

    it("waits until all is done, then looks how much has passed", function()
      grid(4, 750000)
      assert.equal(0, (gather()))
      local _, control = run_but(3)
      assert.is_true(control) -- nobody else would tell it before its next look
      assert.equal("waiting", w:state(waits))
      assert.same({ 1, 1 }, { gather() })
      assert.equal("ready", w:state(waits))
      local c = assert(w:claim(worker, 5))[1]
      assert.equal('{"grid":{"children":4,"missing":[{"index":2,"k":3}],"passed":3},"nobody":{}}', c.requested)
      skip()
      assert.is_false(select(3, assert(w:commit(worker, { c }))))
      assert.equal(0, (gather()))
    end)

    it("skips who gets too little; a retry makes it wait again", function()
      grid(4, 1000000)
      local below = w:task(job, { needs = { waits = waits } })
      run_but(1, 2)
      assert.same({ 1, 0 }, { gather() })
      assert.equal("skipped", w:state(waits))
      assert.equal(1, skip())
      assert.equal("skipped", w:state(below))
      assert.equal(4, (db:must(C.eas_retry(db.c, job.id, 0, n_ready, db.err))))
      assert.equal("waiting", w:state(waits))
      w:check()
      run_but(1)
      assert.same({ 1, 0 }, { gather() })
      db:must(C.eas_retry(db.c, job.id, chains[1].id, n_ready, db.err))
      run()
      assert.same({ 1, 1 }, { gather() })
      run()
      run()
      assert.equal("passed", w:state(below))
      assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
    end)

    it("of nothing is enough; of a cancelled job waits", function()
      grid(0, 950000)
      db:exec("UPDATE task SET done = 1, cursor = 0 WHERE id = $1", loop.id)
      db:exec("UPDATE task SET open_children = open_children - 1 WHERE id = $1", job.root)
      db:exec("UPDATE job SET state = 'cancelled' WHERE id = $1", job.id)
      assert.equal(0, (gather()))
      db:exec("UPDATE job SET state = 'active' WHERE id = $1", job.id)
      assert.same({ 1, 1 }, { gather() })
      run()
    end)
  end)
end)
