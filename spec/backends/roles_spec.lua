-- submit, control and worker as processes of their own, on {SQLite, PostgreSQL} x {sql, amqp}; what the queue may do to them.
local ffi = require "ffi"
local cjson = require "cjson"
local T = require "spec.support"
local B = require "spec.backends.backend"
local Broker = require "spec.backends.broker"
local Roles = require "spec.cli.roles"
T.cdef "engine/queue/queue.h"
ffi.cdef "int usleep(unsigned us);"
local C = ffi.C

teardown(Broker.stop)

local TASKS = {
  { task = "execution_for_loop", parameter = "k", values = { 1, 2, 3, 4, 5, 6, 7, 8 }, task_list = {
    { task = "null", duration = 0, name = "a" }, { task = "null", duration = 0, requires_metadata_from = { "a" } },
  } },
}

local LONG = '{"job_name": "long", "task_list": [{"task": "null", "duration": 60}, {"task": "null", "duration": 61}]}'

-- Messages of a type that are left with the broker, and how often a queue object of ours publishes one.
local function with_queue(url, fn)
  local err, out = ffi.new "eas_err", ffi.new "eas_queue *[1]"
  assert(C.eas_queue_open(out, url, nil, err) == 0, ffi.string(err.text))
  local got = fn(out[0], err)
  C.eas_queue_close(out[0])
  return got
end

local function depth(url, type)
  return with_queue(url, function(q, err)
    local n = ffi.new "int64_t[1]"
    assert(C.eas_queue_depth(q, type or "null", n, err) == 0, ffi.string(err.text))
    return tonumber(n[0])
  end)
end

B.each(function(kind)
  for _, queue in ipairs { "sql", "amqp" } do
    describe(queue, function()
      local roles, db, url

      before_each(function()
        url = queue == "sql" and "sql:" or Broker.url "&heartbeat=2"
        db = B.emptied(kind)
        roles = Roles.new { EAS_DATABASE = db.url, EAS_QUEUE = url, EAS_LEASE = "3 s", EAS_LEASE_RENEW = "1 s", EAS_DRAIN_GRACE = "200 ms" }
      end)

      after_each(function()
        if roles then roles:stop() end
        if db then db:close() end
        roles, db = nil, nil
      end)

      local function done(job)
        return roles:wait("the end of " .. job, function()
          return db:value("SELECT count(*) FROM job WHERE done_at IS NOT NULL AND id = " .. job:sub(2)) == 1
        end)
      end
      local function passed() return db:value "SELECT count(*) FROM task t JOIN task_type y ON y.id = t.type WHERE y.name = 'null' AND t.state = 'passed'" end

      it("a job is done by two workers, each task once, and no message is left", function()
        roles:start "control"
        roles:start "worker --slots 2"
        roles:start "worker --slots 1"
        done(roles:submit(TASKS))
        assert.equal(16, passed())
        assert.equal(16, db:value "SELECT count(*) FROM attempt a JOIN task_type y ON y.id = a.type WHERE y.name = 'null'")
        if queue == "amqp" then roles:wait("the messages to be gone", function() return depth(url) == 0 end) end
      end)

      if queue == "sql" and kind == "postgresql" then
        it("eas run takes part on a server, and declares nobody lost", function()
          roles:start "worker --slots 1"
          local function other() return db:query("SELECT id, state FROM worker ORDER BY id LIMIT 1")[1] end
          local id = roles:wait("the worker", other).id
          local file = T.write(roles.dir .. "/run.json", cjson.encode { task_list = TASKS })
          local got = roles:eas("run " .. file .. " --slots 1 --quiet --no-progress --data " .. roles.dir .. "/own")
          assert.equal(0, got.status, got.err)
          assert.same({ id = id, state = "active" }, other())
          assert.equal(0, db:value "SELECT count(*) FROM attempt WHERE ending = 'lost'")
          assert.equal(16, passed())
        end)
      end

      it("a worker that is told to end hands over what is not finished in time, and another takes it at once; cancel ends it there", function()
        local first = roles:start("worker --slots 2", "worker", roles:host "north")
        assert.equal(0, roles:eas("submit " .. T.write(roles.dir .. "/long.json", LONG)).status)
        assert.equal(0, roles:eas("control --once").status)
        local function running(host)
          return db:value("SELECT count(*) FROM attempt a JOIN worker w ON w.id = a.worker JOIN word h ON h.id = w.host WHERE a.state = 'running' AND h.text = '"
            .. host .. "' AND w.slots > 0")
        end
        roles:wait("both to run", function() return running "north" == 2 end)
        local second = roles:start("worker --slots 2", "second", roles:host "south")
        roles:wait("the second worker", function() return roles:log "second":find "is up" end)
        C.usleep(50000) -- its first look is over: only a bell makes it look again
        local begun = db:value "SELECT eas_now()"
        roles:signal(first, 15)
        roles:wait("both to run elsewhere", function() return running "south" == 2 end)
        local took = db:value "SELECT max(started_at) FROM attempt WHERE state = 'running'" - begun
        T.soon(tonumber(took) / 1e6, 1.2) -- with 0.2 s of grace
        roles:wait("the end of the first", function() return not Roles.alive(first) end)
        assert.equal(2, db:value "SELECT count(*) FROM attempt WHERE state = 'running' AND number = 1")
        begun = db:value "SELECT eas_now()"
        assert.equal(0, roles:eas("cancel --yes j1").status)
        roles:wait("the end", function() return db:value "SELECT count(*) FROM attempt WHERE ending = 'cancelled'" == 2 end)
        took = db:value "SELECT max(ended_at) FROM attempt WHERE ending = 'cancelled'" - begun
        T.soon(tonumber(took) / 1e6, 2)
        assert.falsy(T.sh(("cat /proc/%d/task/%d/children"):format(second, second)).out:find "%d+ %d+")
      end)

      if queue == "sql" then return end

      it("messages that come twice, and of attempts that nobody knows, do no harm", function()
        roles:start "control"
        roles:start "worker --slots 2"
        local job = roles:submit(TASKS)
        with_queue(url, function(q, err)
          for i = 1, 40 do C.eas_queue_publish(q, "null", i % 25 + 1, err) end
          C.eas_queue_publish(q, "null", 999999999, err)
          return C.eas_queue_wait(q, 5000000, err)
        end)
        done(job)
        assert.equal(16, db:value "SELECT count(*) FROM attempt a JOIN task_type y ON y.id = a.type WHERE y.name = 'null'")
        roles:wait("the messages to be gone", function() return depth(url) == 0 end)
      end)

      it("a retry rings, though no control is there", function()
        if kind == "postgresql" then return end -- the same code
        roles:submit { { task = "error" } }
        for _ = 1, 2 do
          assert.equal(0, roles:eas("control --once").status)
          assert.equal(0, roles:eas("worker --once").status)
        end
        roles:wait("the failure", function() return db:value "SELECT count(*) FROM task WHERE state = 'failed'" == 1 end)
        local before = depth(url, "error")
        local got = roles:eas "retry j1"
        assert.equal(0, got.status, got.err)
        assert.equal(before + 1, depth(url, "error"))
      end)

      it("a purge of the broker while messages wait delays nothing by more than 10 s", function()
        if kind == "sqlite" then return end -- it takes its time
        roles:start "control"
        roles:submit(TASKS)
        roles:wait("the messages", function() return depth(url) == 8 end)
        db:exec "UPDATE job SET state = 'paused'" -- so that the worker's first look finds nothing
        assert.equal(8, Broker.purge(url, "null"))
        assert.equal(0, depth(url))
        roles:start "worker --slots 1"
        roles:wait("the worker", function() return roles:log "worker":find "is up" end)
        C.usleep(300000)
        local begun = db:value "SELECT eas_now()"
        -- what has waited for 5 s is rung for again: as if these had waited for 4 s when the job goes on
        db:exec "UPDATE attempt SET queued_at = eas_now() - 4000000"
        db:exec "UPDATE job SET state = 'active'"
        done "j1"
        assert.equal(16, passed())
        assert.equal(16, db:value "SELECT count(*) FROM attempt a JOIN task_type y ON y.id = a.type WHERE y.name = 'null'")
        local last = db:value "SELECT max(started_at) FROM attempt WHERE state = 'ended'" - begun
        assert.truthy(last < 6e6, ("the last began %.1f s after"):format(last / 1e6))
        roles:wait("the messages to be gone", function() return depth(url) == 0 end)
      end)

      it("a broker that is away stops nobody: the worker looks by itself, and hears again when it is back", function()
        if kind == "sqlite" then return end -- the database plays no part
        local way, through = Broker.way "&heartbeat=2"
        finally(function() way:cut() end)
        roles.env.EAS_QUEUE = through
        roles:start "control"
        roles:start "worker --slots 2"
        roles:wait("the worker", function() return roles:log "worker":find "is up" end)
        way:cut()
        roles:wait("the loss", function() return roles:log "worker":find "looking for it" end)
        done(roles:submit(TASKS, "without"))
        way:open()
        roles:wait("the worker's return", function() return roles:log "worker":find "connected again" end)
        roles:wait("control's return", function() return roles:log "control":find "connected again" end)
        done(roles:submit(TASKS, "with"))
        roles:wait("the messages to be gone", function() return depth(through) == 0 end)
        roles:stop()
      end)

      it("a wrong password, or no broker, is one line and exit 3", function()
        if kind == "sqlite" then return end -- the database plays no part
        local wrong = url:gsub("guest:guest@", "guest@")
        local got = roles:eas("worker", { EAS_QUEUE = wrong, EAS_QUEUE_PASSWORD_FILE = T.write(roles.dir .. "/secret", "hunter2\n") })
        assert.equal(3, got.status)
        assert.truthy(got.err:find "^eas: queue amqp://[^\n]*: user 'guest' is refused[^\n]*\n$", got.err)
        assert.falsy(got.err:find "hunter2")
        got = roles:eas("control --once", { EAS_QUEUE = "amqp://guest:x@127.0.0.1:1" })
        assert.equal(3, got.status)
        assert.equal("eas: queue amqp://127.0.0.1:1/: nobody listens there\n", got.err)
        got = roles:eas("doctor", { EAS_QUEUE = "amqp://guest:x@127.0.0.1:1" })
        assert.equal(1, got.status)
        assert.truthy((got.out .. got.err):find("nobody listens there", 1, true), got.out)
        assert.falsy((got.out .. got.err):find("guest:x", 1, true))
        got = roles:eas("run --no-progress " .. T.write(roles.dir .. "/alone.json", '{"job_name": "alone", "task_list": [{"task": "null", "duration": 0}]}'),
          { EAS_QUEUE = "amqp://guest:x@127.0.0.1:1", EAS_DATABASE = "sqlite:alone.db", EAS_DATA = roles.dir .. "/alone" })
        assert.equal(0, got.status, got.err) -- alone on its folder it needs no broker
        got = roles:eas("control --once", { EAS_QUEUE = wrong, EAS_QUEUE_PASSWORD_FILE = T.write(roles.dir .. "/secret", "guest\n") })
        assert.equal(0, got.status, got.err)
      end)
    end)
  end
end)
