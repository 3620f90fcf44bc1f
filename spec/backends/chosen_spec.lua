-- model/attempt.h: tasks that somebody chose from a list are cancelled without their job, or tried again.
local ffi = require "ffi"
local B = require "spec.backends.backend"
local around = require "spec.backends.around"
local C = ffi.C

B.each(function(kind)
  local db, w, job, worker
  around(kind, function(fresh, world) db, w, job, worker = fresh, world, world:job(), world:worker() end)

  local function skip_level(limit) return db:must(C.eas_skip_level(db.c, limit or 100, db.err)) end
  local function pass(c)
    c.versions = {}
    for _, out in pairs(c.outputs) do c.versions[out.product] = "pass" end
  end
  local function run()
    local list = assert(w:claim(worker, 50))
    for _, c in ipairs(list) do pass(c) end
    assert(w:commit(worker, list))
    return #list
  end

  describe("chosen tasks", function()
    local function ids(list)
      local out = ffi.new("int64_t[?]", #list)
      for i, t in ipairs(list) do out[i - 1] = t.id end
      return out, #list
    end
    local function cancel(list)
      local p, n = ids(list)
      return db:must(C.eas_cancel_chosen(db.c, job.id, p, n, db.err))
    end
    local function again(list)
      local p, n = ids(list)
      return db:must(C.eas_retry_chosen(db.c, job.id, p, n, db.err))
    end

    it("are cancelled while they wait, are queued or run; what hangs on them is skipped, the rest goes on", function()
      local runs = w:task(job, { outputs = { "x" } })
      local claims = assert(w:claim(worker, 1))
      local queued, other = w:task(job, { outputs = { "x" } }), w:task(job)
      local waits = w:task(job, { inputs = { x = queued.products.x }, outputs = { "y" } })
      local after = w:task(job, { inputs = { x = runs.products.x, y = waits.products.y } })
      assert.equal(3, cancel { runs, queued, waits })
      for _, t in ipairs { runs, queued, waits } do assert.equal("cancelled", w:state(t)) end
      assert.equal("ready", w:state(other))
      w:check()
      local held, stop = ffi.new("eas_held[1]", { { claims[1].attempt, claims[1].token } }), ffi.new "int[1]"
      db:must(C.eas_attempt_wanted(db.c, held, 1, stop, db.err))
      assert.equal(1, stop[0])
      while skip_level() > 0 do end
      assert.equal("skipped", w:state(after))
      assert.equal(1, run())
      assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
      assert.equal(0, cancel { runs, other, after }) -- they are over
      w:check()
      -- one of two that it hangs on: it waits, and is skipped again
      assert.equal(1, again { runs, other })
      assert.equal("waiting", w:state(after))
      w:check()
      while skip_level() > 0 do end
      assert.equal("skipped", w:state(after))
      assert.equal(2, again { queued, waits })
      assert.equal("waiting", w:state(waits))
      for _ = 1, 3 do run() end
      assert.equal("passed", w:state(after))
      assert.equal(0, w:row(job.root).failed_children)
      assert.truthy(db:value("SELECT done_at FROM job WHERE id = $1", job.id))
      w:check()
    end)

    it("are those of the job only, never flow control, and none of a job that is cancelled", function()
      local flow, task, else_where = w:task(job, { type = "execution_chain" }), w:task(job), w:task(w:job())
      assert.equal(1, cancel { flow, task, else_where, { id = 123456 } })
      assert.equal("cancelled", w:state(task))
      assert.equal("ready", w:state(flow))
      assert.equal("ready", w:state(else_where))
      db:exec("UPDATE job SET state = 'cancelled' WHERE id = $1", job.id)
      local p, n = ids { task }
      assert.equal(C.EAS_EINVAL, C.eas_retry_chosen(db.c, job.id, p, n, db.err))
      assert.equal(C.EAS_EINVAL, C.eas_cancel_chosen(db.c, job.id, p, n, db.err))
      assert.equal(C.EAS_ENOENT, C.eas_cancel_chosen(db.c, 987, p, n, db.err))
    end)
  end)
end)
