-- invariants.lua: what must hold after chaos, whatever it was.
local assert = require "luassert"
local busted = require "busted"
local T = require "spec.support"
local B = require "spec.backends.backend"
local new_world = require "spec.backends.world"
local Chaos = require "spec.soak.chaos"

-- Seconds of chaos, and then all this must hold. options: of Chaos.new; EAS_CHAOS_SEED, EAS_CHAOS_LOG: see chaos_spec.lua.
return function(name, SECONDS, options)
  local SEED = tonumber(os.getenv "EAS_CHAOS_SEED" or 1)
  busted.describe(name, function()
    local c, why, db, file

    busted.lazy_setup(function()
      c, why = nil, options.skip
      if why then return end
      local path = os.getenv "EAS_CHAOS_LOG"
      file = path and assert(io.open(path, "w"))
      c, why = Chaos.new { seed = SEED, hosts = options.hosts, lease = options.lease,
        log = file and function(text) file:write(text, "\n") file:flush() end }
      if not c then return end
      c:run(SECONDS, SECONDS < 60)
    end)
    busted.lazy_teardown(function()
      if db then db:close() end
      if c then c:close() end
      if file then file:close() end
    end)

    local function logs()
      local all = {}
      for _, role in ipairs { "w1", "w2", "w3", "w4", "c1", "c2" } do all[#all + 1] = role .. ": " .. c.roles:log(role):sub(-1500) end
      return table.concat(all, "\n")
    end

    busted.it("ends with every job done", function()
      T.skip_unless(c, why)
      for _, text in ipairs(c.skipped) do print("chaos: " .. text) end
      local done = c:calm(SECONDS < 60 and 120 or 400)
      db = assert(B.open(c.pg:url "postgres"))
      if not done then
        local open = {}
        for _, row in ipairs(db:query [[SELECT t.id, y.name, t.state, a.state AS attempt, a.not_before - eas_now() AS due, a.worker
          FROM task t JOIN task_type y ON y.id = t.type LEFT JOIN attempt a ON a.task = t.id AND a.ending IS NULL WHERE t.done = 0 LIMIT 20]]) do
          open[#open + 1] = ("t%d %s %s %s due %s w%s"):format(row.id, row.name, row.state, tostring(row.attempt), tostring(row.due), tostring(row.worker))
        end
        error(table.concat(open, "\n") .. "\n" .. logs())
      end
      print(("seed %d, %.0f s, %d jobs of the grid\n%s"):format(SEED, SECONDS, #c.jobs, c:report()))
      if c.hosts then print(("%d packets dropped"):format(c.hosts:dropped())) end
    end)

    busted.it("has passed every task, by exactly one attempt that counts", function()
      T.skip_unless(db, "it did not get so far")
      assert.equal(0, db:value "SELECT count(*) FROM task WHERE state <> 'passed'")
      assert.equal(0, db:value "SELECT count(*) FROM (SELECT task FROM attempt WHERE verdict = 'pass' GROUP BY task HAVING count(*) <> 1) x")
      assert.equal(0, db:value "SELECT count(*) FROM task t LEFT JOIN attempt a ON a.id = t.accepted AND a.task = t.id AND a.verdict = 'pass' WHERE a.id IS NULL")
      assert.equal(0, db:value "SELECT count(*) FROM attempt WHERE state <> 'ended'")
      assert.equal(0, db:value "SELECT count(*) FROM product WHERE passed IS NULL")
      assert.equal(0, db:value "SELECT count(*) FROM progress")
      local rows = db:query "SELECT ending, count(*) AS n FROM attempt GROUP BY ending ORDER BY n DESC"
      local words = {}
      for _, row in ipairs(rows) do words[#words + 1] = ("%d %s"):format(row.n, row.ending) end
      print("attempts: " .. table.concat(words, ", "))
    end)

    busted.it("counts what a count gives, and holds all else that must hold of the tables", function()
      T.skip_unless(db, "it did not get so far")
      new_world(db):check()
    end)

    busted.it("leaves no message, no process, no worker and no scratch", function()
      T.skip_unless(db, "it did not get so far")
      for _ = 1, 100 do
        if c:depth() == 0 then break end
        T.sh "sleep 0.1"
      end
      assert.equal(0, c:depth())
      c:drain()
      assert.equal(0, c:orphans())
      assert.equal(0, db:value "SELECT count(*) FROM worker WHERE state = 'active'")
      assert.equal("", T.sh(("find %s/*/scratch -mindepth 1 2>/dev/null"):format(c.dir)).out)
    end)

    busted.it("has the bytes of every product, and after gc no others", function()
      T.skip_unless(db, "it did not get so far")
      local got = c.roles:eas "fsck --verify"
      assert.equal(0, got.status, got.out .. got.err)
      assert.equal(0, c.roles:eas("gc --grace 0 --yes").status)
      assert.equal(db:value "SELECT count(*) FROM (SELECT digest FROM version UNION SELECT digest FROM attempt_log) d", c:objects())
      if not c.hosts then assert.equal("", T.sh(("find %s/tmp -type f"):format(c.roles.env.EAS_STORE)).out) end
      assert.equal(0, c.roles:eas("fsck --verify").status)
    end)
  end)
end
