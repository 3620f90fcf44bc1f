-- control/control.h: the loop that expands, rescues, skips and sweeps.
local ffi = require "ffi"
local B = require "spec.backends.backend"
local W = require "spec.engine.job_world"
local T = require "spec.support"
T.cdef "engine/control/control.h"
T.cdef "engine/base/clock.h"
T.cdef "engine/base/log.h"
local C = ffi.C

B.each(function(kind)
  local db, loop, queue, conf, control, ready, callback

  local function open(options)
    options = options or {}
    local err = ffi.new "eas_err"
    local function ok(rc) assert(rc >= 0, ffi.string(err.text)) end
    local l, q, c = ffi.new "eas_loop *[1]", ffi.new "eas_queue *[1]", ffi.new "eas_control *[1]"
    ok(C.eas_loop_new(l, err))
    loop = l[0]
    conf = C.eas_conf_new()
    ok(C.eas_conf_finish(conf, err))
    ok(C.eas_queue_open(q, "sql:", db.c, err))
    queue = q[0]
    local o = ffi.new "eas_control_options"
    o.loop, o.db, o.queue, o.registry, o.conf = loop, db.c, queue, W.registry(), conf
    o.worker, o.embedded = options.worker or 0, options.embedded and 1 or 0
    ready = 0
    callback = ffi.cast("void (*)(void *, int)", function(_, n) ready = ready + n end)
    o.on_ready = callback
    ok(C.eas_control_open(c, o, err))
    control = c[0]
  end

  local function close()
    if control then
      C.eas_control_close(control)
      C.eas_queue_close(queue)
      C.eas_loop_free(loop)
      C.eas_conf_free(conf)
      callback:free()
    end
    control = nil
  end

  -- Turns the loop until control is idle; gives the number of turns and the longest one, in ms.
  local function turn()
    local n, longest = 0, 0
    C.eas_control_look(control)
    while C.eas_control_idle(control) == 0 do
      local started = C.eas_tick_us()
      assert.equal(0, C.eas_loop_turn(loop, 100000, nil))
      longest = math.max(longest, tonumber(C.eas_tick_us() - started) / 1000)
      n = n + 1
      assert(n < 20000, "control never rests")
    end
    return n, longest
  end

  before_each(function() db = B.emptied(kind) end)
  after_each(function()
    close()
    if db then
      W.world(db):check()
      db:close()
    end
    db = nil
  end)

  it("expands what is submitted and says what became ready", function()
    open()
    local job = assert(W.submit(db, [[{ "task_list": [ { "task": "execution_for_loop", "parameter": "i", "linear_range": [1, 50, 50],
      "task_list": [ { "task": "make", "outputs": { "a": "'x{i}'.format(**metadata)" } }, { "task": "use",
        "inputs": { "a": "'x{i}'.format(**metadata)" } } ] } ] }]]))
    turn()
    assert.equal(152, db:value("SELECT count(*) FROM task WHERE job = $1", job))
    assert.equal(50, ready)
    assert.equal(1, (turn())) -- nothing more to do: one look
    assert.equal(50, ready)
  end)

  it("works in slices, so that others are served in between", function()
    open()
    assert(W.submit(db, [[{ "task_list": [ { "task": "execution_for_loop", "parameter": "i", "linear_range": [1, 3000, 3000], "task_list": [
      { "task": "null" } ] } ] }]]))
    local turns = turn()
    assert.is_true(turns > 3, turns)
    assert.equal(3000, ready)
  end)

  it("records flow control under its worker's name", function()
    local worker = W.world(db):worker()
    open { worker = worker, embedded = true }
    assert(W.submit(db, '{ "task_list": [] }'))
    turn()
    assert.equal(worker, db:value "SELECT worker FROM attempt")
    close()
    assert.equal("active", db:value("SELECT state FROM worker WHERE id = $1", worker)) -- it is not ours to end
  end)

  it("registers itself when it has no worker, and signs off", function()
    open()
    assert(W.submit(db, '{ "task_list": [] }'))
    turn()
    local row = db:query("SELECT w.* FROM worker w JOIN attempt a ON a.worker = w.id")[1]
    assert.same({ "active", 0 }, { row.state, row.slots })
    close()
    assert.equal("ended", db:value "SELECT state FROM worker")
  end)

  it("gives up other workers at once when it is alone on its data", function()
    local w = W.world(db)
    local old = w:worker()
    assert(W.submit(db, '{ "task_list": [ { "task": "null" } ] }'))
    W.expand(db)
    assert.equal(1, #w:claim(old, 1))
    open { worker = w:worker(), embedded = true }
    turn()
    assert.same({ "lost", 1 }, { db:value("SELECT state FROM worker WHERE id = $1", old), ready })
    assert.equal("queued", db:value "SELECT state FROM attempt WHERE number = 2")
  end)

  it("leaves workers alone whose lease holds, and takes over when it is over", function()
    local w = W.world(db)
    local other = w:worker(60)
    assert(W.submit(db, '{ "task_list": [ { "task": "null" } ] }'))
    W.expand(db)
    assert.equal(1, #w:claim(other, 1))
    open()
    turn()
    assert.equal("active", db:value("SELECT state FROM worker WHERE id = $1", other))
    db:exec("UPDATE worker SET lease_until = eas_now() - 1 WHERE id = $1", other)
    assert.equal(0, C.eas_control_once(control, nil)) -- the look that is due at once was before: this one plans the next
    local until_us = C.eas_tick_us() + 5000000
    while ready == 0 and C.eas_tick_us() < until_us do C.eas_loop_turn(loop, 100000, nil) end
    assert.equal(1, ready)
    assert.equal("lost", db:value("SELECT state FROM worker WHERE id = $1", other))
  end)

  it("skips what waits in vain and sweeps cancelled jobs", function()
    local w = W.world(db)
    local worker = w:worker()
    local job = assert(W.submit(db, [[{ "task_list": [ { "task": "make", "outputs": { "a": "x" } }, { "task": "use", "name": "u", "inputs": { "a": "x" } },
      { "task": "null", "requires_metadata_from": ["u"] } ] }]]))
    local other = assert(W.submit(db, '{ "task_list": [ { "task": "verify" }, { "task": "verify" } ] }'))
    open { worker = worker }
    turn()
    local list = w:claim(worker, 1, { types = { "make" } })
    list[1].ending, list[1].verdict = "error", "fail"
    assert(w:commit(worker, list))
    assert.equal(0, C.eas_job_set_state(db.c, other, "cancelled", nil))
    turn()
    assert.is_true(W.done(db, job))
    assert.is_true(W.done(db, other))
    assert.equal(2, db:value("SELECT count(*) FROM task WHERE job = $1 AND state = 'skipped'", job))
    assert.equal(2, db:value("SELECT count(*) FROM task WHERE job = $1 AND state = 'cancelled'", other))
  end)

  it("does in one go what is there", function()
    open()
    local job = assert(W.submit(db, '{ "task_list": [ { "task": "execution_chain", "task_list": [] } ] }'))
    assert.equal(0, C.eas_control_once(control, nil))
    assert.is_true(W.done(db, job))
  end)
end)

C.eas_log_setup(C.EAS_LOG_HUMAN, C.EAS_ERROR + 1) -- what it says of losses and failures belongs to these tests

it("tries again when the database does not answer, and comes back", function()
  local db = B.fresh "sqlite"
  local err = ffi.new "eas_err"
  local l, q, c = ffi.new "eas_loop *[1]", ffi.new "eas_queue *[1]", ffi.new "eas_control *[1]"
  C.eas_loop_new(l, err)
  C.eas_queue_open(q, "sql:", db.c, err)
  local conf = C.eas_conf_new()
  C.eas_conf_finish(conf, err)
  local o = ffi.new "eas_control_options"
  o.loop, o.db, o.queue, o.registry, o.conf, o.worker = l[0], db.c, q[0], W.registry(), conf, W.world(db):worker()
  assert.equal(0, C.eas_control_open(c, o, err))
  local job = assert(W.submit(db, '{ "task_list": [] }'))
  local other = db:again()
  other:exec "ALTER TABLE job_type RENAME TO gone"
  C.eas_control_look(c[0])
  C.eas_loop_turn(l[0], 0, err)
  C.eas_loop_turn(l[0], 0, err)
  assert.is_false(W.done(db, job))
  assert.equal(1, C.eas_control_idle(c[0]))
  other:exec "ALTER TABLE gone RENAME TO job_type"
  local until_us = C.eas_tick_us() + 5000000
  while not W.done(db, job) and C.eas_tick_us() < until_us do C.eas_loop_turn(l[0], 50000, err) end
  assert.is_true(W.done(db, job))
  C.eas_control_close(c[0])
  C.eas_queue_close(q[0])
  C.eas_loop_free(l[0])
  C.eas_conf_free(conf)
  other:close()
  db:close()
end)
