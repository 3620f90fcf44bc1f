-- What is tried again, how often, and what is given up; types that may run only so many times at once; whose turn it is.
local ffi = require "ffi"
local T = require "spec.support"
local B = require "spec.backends.backend"
local around = require "spec.backends.around"
T.cdef "engine/registry/registry.h"
T.cdef "engine/model/policy.h"
local C = ffi.C

local function registry(tasks)
  local dir = T.tmpdir()
  T.sh(("mkdir -p %s/registry"):format(dir))
  T.write(dir .. "/registry/r.xml", "<task_type_registry><tasks>" .. tasks .. "</tasks></task_type_registry>")
  local packs, out, err = ffi.new "const char *[2]", ffi.new "eas_registry *[1]", ffi.new "eas_err"
  packs[0] = dir
  assert(C.eas_registry_open(out, packs, err) == 0, ffi.string(err.text))
  return ffi.gc(out[0], C.eas_registry_close)
end

local function type_xml(name, more) return ("<task><name>%s</name><container>all</container>%s</task>"):format(name, more or "") end

B.each(function(kind)
  local db, w, worker
  around(kind, function(fresh, world) db, w, worker = fresh, world, world:worker() end)

  local n_ready = ffi.new "int[1]"
  local function rescue(reg, all_but) return db:must(C.eas_rescue(db.c, reg, all_but or 0, n_ready, db.err)), n_ready[0] end
  local function lose(reg)
    local list = assert(w:claim(worker, 50, { registry = reg }))
    db:exec("UPDATE worker SET lease_until = 1 WHERE id = $1", worker)
    worker = w:worker()
    assert.equal(#list, (rescue(reg)))
    return list
  end
  local function delay_of(task)
    local rows = w:attempts(task)
    local last = rows[#rows]
    return last.not_before == 0 and 0 or last.not_before - last.queued_at
  end

  it("a job's rules go over its type's, and those over the defaults", function()
    local reg = registry(type_xml("null", "<retry>crashed error</retry><max_attempts>7</max_attempts><retry_delay>3 s</retry_delay>"))
    local plain, own = w:job { name = "plain" }, w:job { name = "own",
      fields = '"retry": {"max_attempts": 2, "endings": ["memory", "lost", "qc"], "delay": "250 ms", "max_losses": 9}' }
    w:task(plain)
    w:task(own)
    local by_job = {}
    for _, c in ipairs(assert(w:claim(worker, 2, { registry = reg }))) do by_job[c.job] = c end
    assert.same({ max_attempts = 7, max_losses = 5, kinds = C.EAS_RETRY_CRASHED + C.EAS_RETRY_ERROR, delay_us = 3e6 }, by_job[plain.id].policy)
    assert.same({ max_attempts = 2, max_losses = 9, kinds = C.EAS_RETRY_MEMORY + C.EAS_RETRY_LOST + C.EAS_RETRY_QC, delay_us = 250e3 },
      by_job[own.id].policy)
  end)

  it("a claim tells how its task fared before", function()
    local job = w:job()
    local task = w:task(job)
    local c = assert(w:claim(worker, 1))[1]
    assert.same({ 0, 0, 0 }, { c.n_lost, c.n_memory, c.rerun })
    c.ending, c.verdict, c.again = "memory", "fail", true
    assert(w:commit(worker, { c }))
    lose()
    c = assert(w:claim(worker, 1))[1]
    assert.same({ task.id, 3, 1, 1, 0 }, { c.task, c.number, c.n_lost, c.n_memory, c.rerun })
  end)

  it("what takes its workers along is quarantined, and says so", function()
    local job = w:job { fields = '"retry": {"max_losses": 3, "delay": "0.1 s"}' }
    local poison = w:task(job)
    lose()
    assert.equal(0, delay_of(poison)) -- once can happen to anybody
    lose()
    local delay = delay_of(poison)
    assert.is_true(delay >= 100e3 and delay <= 150e3, "the second loss backs off: " .. delay)
    db:exec "UPDATE attempt SET not_before = 0"
    local last = lose()[1]
    assert.equal("failed", w:state(poison))
    local note = db:query("SELECT reason, cause FROM attempt_note WHERE attempt = $1", last.attempt)[1]
    assert.truthy(note.reason:find "^quarantined: 3 workers were lost with it; its worker was lost: w%d+ on here$", note.reason)
    assert.equal("quarantined: N workers were lost with it", note.cause)
    db:must(C.eas_retry(db.c, job.id, poison.id, n_ready, db.err)) -- a user who mended it gives it one more
    assert.equal("ready", w:state(poison))
    w:run_all(worker)
    assert.equal("passed", w:state(poison))
  end)

  it("eas run, stopped by its user, does not quarantine so soon", function()
    local task = w:task(w:job { fields = '"retry": {"max_losses": 2}' })
    for _ = 1, 6 do
      assert.equal(1, #w:claim(worker, 1))
      worker = w:worker()
      assert.equal(1, (rescue(nil, worker)))
      assert.equal(0, delay_of(task))
    end
    assert.equal("ready", w:state(task))
  end)

  it("a loss is final where the type says so", function()
    local reg = registry(type_xml("null", "<retry>none</retry>"))
    local task = w:task(w:job())
    local c = lose(reg)[1]
    assert.equal("failed", w:state(task))
    assert.truthy(db:value("SELECT reason FROM attempt_note WHERE attempt = $1", c.attempt):find "^its worker was lost")
  end)

  describe("a type that may run twice at once", function()
    local reg, job
    before_each(function()
      reg = registry(type_xml("null", "<max_running>2</max_running>") .. type_xml "free")
      job = w:job()
    end)

    it("is claimed twice, whoever claims and for whatever jobs", function()
      local other = w:job()
      for _ = 1, 3 do
        w:task(job)
        w:task(other)
        w:task(other, { type = "free" })
      end
      local second = w:worker()
      local types = { "null", "free" }
      local first = assert(w:claim(worker, 2, { registry = reg, types = { "null" } }))
      assert.equal(2, #first)
      local list, due = w:claim(second, 50, { registry = reg, types = types })
      assert.equal(3, #list)
      for _, c in ipairs(list) do assert.equal("free", c.type) end
      assert.equal(1e6, due) -- no bell may be lost for good
      assert(w:commit(worker, { first[1] }, nil, reg))
      assert.equal(1, #w:claim(second, 50, { registry = reg, types = types }))
      assert.equal(0, #w:claim(second, 50, { registry = reg, types = types }))
      assert.equal(3, #w:claim(second, 50)) -- the limit is the registry's: without it there is none
    end)

    it("rings when one of them ends", function()
      for _ = 1, 3 do w:task(job) end
      local list = assert(w:claim(worker, 2, { registry = reg }))
      local ear = db:again()
      local fd = C.eas_db_bell_fd(ear.c, ear.err)
      assert.is_true(fd >= 0)
      ffi.cdef "struct eas_spec_pollfd { int fd; short events, revents; }; int poll(struct eas_spec_pollfd *, unsigned long, int);"
      local function heard(ms)
        local p = ffi.new("struct eas_spec_pollfd[1]", { { fd, 1, 0 } })
        local yes = C.poll(p, 1, ms) == 1
        C.eas_db_bell_clear(ear.c)
        return yes
      end
      heard(50)
      assert(w:commit(worker, { list[1] }, nil, reg))
      assert.is_true(heard(2000))
      assert(w:commit(worker, { list[2] })) -- of a type without a limit nobody waits for that
      assert.is_false(heard(100))
      ear:close()
    end)

    if kind == "postgresql" then
      it("is not claimed too often by two at the same moment", function()
        for _ = 1, 8 do w:task(job) end
        local other = db:again()
        local second = w:worker()
        other:begin() -- a claim under way, as far as its lock
        other:query "SELECT id FROM task_type WHERE name = 'null' FOR NO KEY UPDATE"
        db:exec "SET lock_timeout = '200ms'"
        local list, why = w:claim(second, 5, { registry = reg })
        assert.is_nil(list)
        assert.truthy(why)
        other:rollback()
        other:close()
        db:exec "SET lock_timeout = 0"
        assert.equal(2, #w:claim(second, 5, { registry = reg }))
      end)
    end
  end)

  it("the back-off doubles, with some chance in it, and ends at ten minutes", function()
    local p = ffi.new "eas_policy"
    p.delay_us = 1e6
    for n, least in ipairs { 1e6, 2e6, 4e6, 8e6 } do
      local seen = {}
      for i = 1, 40 do
        local d = tonumber(C.eas_policy_delay(p, n))
        assert.is_true(d >= least and d <= 1.5 * least)
        seen[d] = true
        if i == 40 then assert.is_true(next(seen, (next(seen))) ~= nil, "no jitter") end
      end
    end
    assert.is_true(tonumber(C.eas_policy_delay(p, 100)) <= 900e6)
  end)
end)
