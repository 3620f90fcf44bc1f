-- A real server: TLS and passwords, roles with the least rights, connections that are cut, and a server that is killed.
local ffi = require "ffi"
local T = require "spec.support"
local B = require "spec.backends.backend"
local new_world = require "spec.backends.world"
local World = require "spec.cli.world"
local start_server = require "spec.backends.server"
pcall(ffi.cdef, "int kill(int pid, int signal); int usleep(unsigned us);")
T.cdef "engine/base/clock.h"
local C = ffi.C

describe("a server", function()
  local server, why
  local n = 0
  lazy_setup(function() server, why = start_server() end)
  lazy_teardown(function() if server then server:stop() end end)
  before_each(function() T.skip_unless(server, why) end)

  local function database()
    n = n + 1
    local name = "eas_" .. n
    assert(server:psql("postgres", "CREATE DATABASE " .. name).status == 0)
    return name, server:url(name)
  end

  describe("over TLS", function()
    local tcp
    before_each(function()
      if not tcp then assert.equal(0, server:psql("postgres", "CREATE ROLE eas_tls LOGIN PASSWORD 'open & sesame'").status) end
      tcp = function(user, options) return ("postgresql://%s@localhost:%d/postgres?hostaddr=127.0.0.1&%s"):format(user, server.port, options) end
    end)
    local function refused(url)
      local db, message, code = B.open(url)
      assert.is_nil(db)
      assert.equal(C.EAS_ECONNECT, code)
      assert.is_nil(message:find("sesame", 1, true))
      return message
    end

    it("is known by its certificate", function()
      local db = assert(B.open(tcp("eas_tls:open%20%26%20sesame", "sslmode=verify-full&sslrootcert=" .. server.certificate)))
      assert.equal(1, db:value "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
      assert.equal("eas", db:value "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
      db:close()
      T.sh(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=other -keyout %s/other.key -out %s/other.crt")
        :format(server.dir, server.dir))
      assert.truthy(refused(tcp("eas_tls:open%20%26%20sesame", "sslmode=verify-ca&sslrootcert=" .. server.dir .. "/other.crt")):find("certificate", 1, true))
    end)

    it("is not talked to in the open", function()
      assert.truthy(refused(tcp("eas_tls:open%20%26%20sesame", "sslmode=disable")):find("no encryption", 1, true))
    end)

    it("takes the password from the address, a passfile, or the configuration's file", function()
      assert.truthy(refused(tcp("eas_tls:wrong", "sslmode=require")):find("password authentication failed", 1, true))
      local passfile = T.write(server.dir .. "/pass", ("localhost:%d:*:eas_tls:open & sesame\n"):format(server.port))
      T.sh("chmod 600 " .. passfile)
      local db = assert(B.open(tcp("eas_tls", "sslmode=require&application_name=mine&passfile=" .. passfile)))
      assert.equal("mine", db:value "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
      db:close()
      local secret = T.write(server.dir .. "/secret", "open & sesame\n")
      T.sh("chmod 600 " .. secret)
      local got = T.eas({ "db", "migrate" }, { env = { EAS_DATABASE = tcp("eas_tls", "sslmode=require"), EAS_DATABASE_PASSWORD_FILE = secret, EAS_DATA = server.dir } })
      assert.truthy(got.err:find("it has no schema yet", 1, true), got.err)
    end)
  end)

  describe("with a role for each", function()
    local name, world
    local function as(role) return ("postgresql://%s@/%s?host=%s&port=%d"):format(role, name, server.dir, server.port) end
    local function roles_sql() assert.equal(0, T.sh(("%s -f %s/config/postgresql_roles.sql"):format(server:psql_words(name), T.root)).status) end
    local function eas(role, words) return world:eas(words, { env = { EAS_DATABASE = as(role) } }) end
    local function can(role, words)
      local got = eas(role, words)
      assert.equal(0, got.status, role .. " " .. words .. ": " .. got.err .. got.out)
      return got.out
    end

    before_each(function()
      name = database()
      world = World.new(World.pack { maker = { task = 'task:spawn { { task = "leaf" } }' }, leaf = { task = "task:set { a = 1 }", max_running = "3" },
        bad = { task = 'error "no"' } })
      roles_sql()
      can("eas_owner", "init")
      roles_sql()
    end)

    it("each does its work", function()
      can("eas_control", "submit " .. world:job({ { task = "maker" }, { task = "leaf" }, { task = "bad" } }))
      for _ = 1, 3 do
        can("eas_control", "control --once")
        can("eas_worker", "worker --once --slots 2")
      end
      assert.truthy(can("eas_web", "status j1"):find("j1", 1, true))
      can("eas_control", "gc")
      local db = assert(B.open(as "eas_owner"))
      assert.equal(3, db:value "SELECT count(*) FROM attempt a JOIN task_type t ON t.id = a.type WHERE t.name IN ('maker', 'leaf') AND a.verdict = 'pass'")
      assert.equal(1, db:value "SELECT count(*) FROM task t JOIN task_type y ON y.id = t.type WHERE y.name = 'bad' AND t.state = 'failed'")
      new_world(db):check()
      can("eas_owner", "db save " .. world:path "saved")
      db:close()
    end)

    it("and nothing else", function()
      local denied = {
        eas_web = { "INSERT INTO word (text) VALUES ('x')", "UPDATE job SET priority = 9", "CREATE TABLE mine (i INT)" },
        eas_worker = { "DROP TABLE task", "ALTER TABLE task DROP COLUMN seed", "CREATE TABLE mine (i INT)", "UPDATE job SET priority = 9",
          "UPDATE job SET state = 'cancelled'", "DELETE FROM job", "DELETE FROM attempt", "DELETE FROM version", "UPDATE document SET body = '{}'",
          "UPDATE word SET text = 'x'", "UPDATE eas_schema SET version = 0", "INSERT INTO job SELECT * FROM job" },
        eas_control = { "DROP TABLE task", "CREATE TABLE mine (i INT)", "UPDATE eas_schema SET version = 0", "DELETE FROM eas_schema", "TRUNCATE task CASCADE" }
      }
      for role, list in pairs(denied) do
        local db = assert(B.open(as(role)))
        for _, sql in ipairs(list) do
          local rc, message = db:try(sql)
          assert.is_nil(rc, role .. " may " .. sql)
          assert.truthy(message:find "permission denied" or message:find "must be owner" or message:find "read%-only", message)
        end
        db:close()
      end
    end)
  end)

  describe("whose connection is cut in the middle of a commit", function()
    local db, w, worker
    -- The commit stands on the disk and waits for a copy that never comes; then the connection is ended.
    local function cut(fn)
      local pid = db:value "SELECT pg_backend_pid() AS p"
      assert.equal(0, server:psql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'").status)
      server:psql("postgres", "SELECT pg_reload_conf()")
      for i = 1, 100 do -- the server takes it over by and by: when one commit waits, all do
        os.execute(("%s -c 'CREATE TABLE probe%d ()' >/dev/null 2>&1 &"):format(server:psql_words "postgres", n * 1000 + i))
        if server:psql("postgres", "SELECT pg_sleep(0.05); SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").out:find "[1-9]" then break end
      end
      local ended = ("for i in $(seq 200); do sleep 0.02; %s -c \"SET synchronous_commit = local; "
        .. "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %d AND wait_event = 'SyncRep'\" | grep -q t && break; done")
        :format(server:psql_words "postgres", pid)
      os.execute("(" .. ended .. ") >/dev/null 2>&1 &")
      local value, message, code = fn()
      server:psql("postgres", "ALTER SYSTEM RESET synchronous_standby_names")
      server:psql("postgres", "SELECT pg_reload_conf()")
      assert.is_nil(value)
      assert.equal(C.EAS_ECONNECT, code, message)
    end

    before_each(function()
      local _, url = database()
      db = assert(B.open(url))
      assert(db:migrate())
      w = new_world(db)
      local job = w:job()
      for _ = 1, 4 do w:task(job) end
      worker = w:worker()
    end)
    after_each(function() db:close() end)

    it("gets the group again, which does no harm", function()
      local list = assert(w:claim(worker, 3))
      cut(function() return w:commit(worker, list) end)
      local n_ready, stale = w:commit(worker, list)
      assert.equal(0, n_ready)
      assert.same({ true, true, true }, stale) -- it had been stored
      assert.equal(3, db:value "SELECT count(*) FROM attempt a JOIN task t ON t.accepted = a.id WHERE a.ending = 'ok' AND t.depth = 1")
      w:check()
    end)

    it("hands back what was claimed and is not known", function()
      assert(w:claim(worker, 3)) -- not flushed, so that no commit waits: the answer is lost here instead
      server:psql("postgres", ("SELECT pg_terminate_backend(%d)"):format(db:value "SELECT pg_backend_pid() AS p"))
      assert.equal(C.EAS_ECONNECT, select(3, db:try "SELECT 1"))
      assert.equal(3, db:value "SELECT count(*) FROM attempt WHERE state = 'running'")
      db:must(C.eas_attempt_hand_back_unknown(db.c, worker, nil, 0, db.err))
      assert.equal(0, db:value "SELECT count(*) FROM attempt WHERE state = 'running'")
      assert.equal(4, w:run_all(worker))
      w:check()
    end)
  end)

  describe("that is killed before it flushed a claim", function()
    it("takes the claim back, and none of its results", function()
      local _, url = database()
      local db = assert(B.open(url))
      assert(db:migrate())
      local w = new_world(db)
      local job, tasks = w:job(), {}
      for i = 1, 5 do tasks[i] = w:task(job) end
      local worker, other = w:worker(), w:worker()
      local flushed = assert(w:claim(worker, 2))
      assert(w:commit(worker, { flushed[1] })) -- takes the claim before it along
      -- nobody flushes by the way what is not committed yet
      for _, row in ipairs(db:query "SELECT pid FROM pg_stat_activity WHERE backend_type IN ('walwriter', 'background writer', 'autovacuum launcher')") do
        C.kill(row.pid, 19)
      end
      local lost = assert(w:claim(worker, 2))
      assert.equal(3, db:value "SELECT count(*) FROM attempt WHERE state = 'running'")
      server:kill()
      assert(server:start())
      db:try "SELECT 1"
      for _, c in ipairs(lost) do assert.equal("queued", w:attempts(c.task)[1].state) end
      assert.equal("running", w:attempts(flushed[2].task)[1].state)
      local again = { assert(w:claim(worker, 1))[1], assert(w:claim(other, 1))[1] }
      for i, c in ipairs(again) do
        assert.equal(lost[i].attempt, c.attempt)
        assert.not_equal(lost[i].token, c.token)
      end
      assert.same({ false, true, true }, select(2, w:commit(worker, { flushed[2], lost[1], lost[2] })))
      assert.same({ false }, select(2, w:commit(other, { again[2] })))
      assert.same({ false }, select(2, w:commit(worker, { again[1] })))
      assert.equal(1, w:run_all(worker))
      assert.equal(5, db:value "SELECT count(*) FROM attempt a JOIN task t ON t.accepted = a.id WHERE a.ending = 'ok' AND t.depth = 1")
      assert.equal(5, db:value "SELECT count(*) FROM attempt WHERE task IN (SELECT id FROM task WHERE depth = 1)")
      w:check()
      db:close()
    end)
  end)

  describe("that is killed and started again", function()
    local roles = {}
    after_each(function() for _, pid in ipairs(roles) do C.kill(pid, 9) end roles = {} end)

    local function role(world, words)
      local line = { "cd " .. T.quote(world.dir) .. " && { exec env" }
      for key, value in pairs(world:environment()) do line[#line + 1] = T.quote(key .. "=" .. value) end
      line[#line + 1] = T.quote(T.build .. "/bin/eas") .. " " .. words .. " >>roles 2>&1; } & echo $!"
      local pipe = io.popen(table.concat(line, " "))
      roles[#roles + 1] = pipe:read "*n"
      pipe:close()
    end

    it("finds workers and control at work again", function()
      local _, url = database()
      local world = World.new(nil, { EAS_DATABASE = url, EAS_LEASE = "20 s", EAS_LEASE_RENEW = "1 s" })
      assert.equal(0, world:eas("init").status)
      local n_tasks = os.getenv "EAS_LONG" and 400 or 40
      local loop = { task = "execution_for_loop", parameter = "i", linear_range = { 1, n_tasks, n_tasks }, task_list = { { task = "null", duration = 0.05 } } }
      role(world, "control")
      role(world, "worker --slots 2")
      assert.equal(0, world:eas("submit " .. world:job { loop }).status)
      for _ = 1, os.getenv "EAS_LONG" and 10 or 2 do
        C.usleep(600000)
        server:kill()
        C.usleep(300000)
        assert(server:start())
      end
      local db, done
      for _ = 1, 600 do
        db = B.open(url)
        done = db and db:value "SELECT count(*) FROM job WHERE done_at IS NOT NULL" == 1
        if db and not done then db:close() end
        if done then break end
        C.usleep(100000)
      end
      assert.is_true(done, T.read(world:path "roles"))
      assert.equal(n_tasks, db:value "SELECT count(*) FROM task t JOIN task_type y ON y.id = t.type JOIN attempt a ON a.id = t.accepted WHERE y.name = 'null' AND a.verdict = 'pass'")
      new_world(db):check()
      db:close()
    end)

    it("is asked again later and later, and not waited for", function()
      local _, url = database()
      local db = assert(B.open(url))
      server:kill()
      local begun = C.eas_tick_us()
      for _ = 1, 50 do
        assert.equal(C.EAS_ECONNECT, select(3, db:try "SELECT 1"))
        C.usleep(20000)
      end
      local took = tonumber(C.eas_tick_us() - begun) / 1e6
      T.soon(took, 5) -- as many waits for a server would be minutes
      assert(server:start())
      local answered
      for _ = 1, 350 do
        answered = db:try "SELECT 1"
        if answered then break end
        C.usleep(20000)
      end
      assert.equal(0, answered)
      db:close()
    end)
  end)
end)
