-- The detection grid on four workers of two "hosts", PostgreSQL and RabbitMQ, while everything is killed at random: nothing is
-- lost, done twice or left over. Longer: spec/soak/run --minutes N --seed S.
--   EAS_CHAOS_SECONDS  of chaos (default 12; 8 under a sanitizer)   EAS_CHAOS_SEED  (default 1)   EAS_CHAOS_LOG  a file for each event
local T = require "spec.support"
local B = require "spec.backends.backend"
local new_world = require "spec.backends.world"
local Chaos = require "spec.soak.chaos"

local SECONDS = tonumber(os.getenv "EAS_CHAOS_SECONDS" or (T.asan and 8 or 12))
local SEED = tonumber(os.getenv "EAS_CHAOS_SEED" or 1)

describe("chaos", function()
  local c, why, db, file

  lazy_setup(function()
    local path = os.getenv "EAS_CHAOS_LOG"
    file = path and assert(io.open(path, "w"))
    c, why = Chaos.new { seed = SEED, log = file and function(text) file:write(text, "\n") file:flush() end }
    if not c then return end
    c:run(SECONDS, SECONDS < 60)
  end)
  lazy_teardown(function()
    if db then db:close() end
    if c then c:close() end
    if file then file:close() end
  end)

  local function logs()
    local all = {}
    for _, name in ipairs { "w1", "w2", "w3", "w4", "c1", "c2" } do all[#all + 1] = name .. ": " .. c.roles:log(name):sub(-1500) end
    return table.concat(all, "\n")
  end

  it("ends with every job done", function()
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
  end)

  it("has passed every task, by exactly one attempt that counts", function()
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

  it("counts what a count gives, and holds all else that must hold of the tables", function()
    T.skip_unless(db, "it did not get so far")
    new_world(db):check()
  end)

  it("leaves no message, no process, no worker and no scratch", function()
    T.skip_unless(db, "it did not get so far")
    for _ = 1, 100 do
      if c:depth() == 0 then break end
      T.sh "sleep 0.1"
    end
    assert.equal(0, c:depth())
    c:drain()
    assert.equal(0, c:orphans())
    assert.equal(0, db:value "SELECT count(*) FROM worker WHERE state = 'active'")
    assert.equal("", T.sh(("find %s/north/scratch %s/south/scratch -mindepth 1 2>/dev/null"):format(c.dir, c.dir)).out)
  end)

  it("has the bytes of every product, and after gc no others", function()
    T.skip_unless(db, "it did not get so far")
    local got = c.roles:eas "fsck --verify"
    assert.equal(0, got.status, got.out .. got.err)
    assert.equal(0, c.roles:eas("gc --grace 0 --yes").status)
    local store = c.roles.env.EAS_STORE
    local objects = tonumber(T.sh(("find %s/objects -type f | wc -l"):format(store)).out)
    assert.equal(db:value "SELECT count(*) FROM (SELECT digest FROM version UNION SELECT digest FROM attempt_log) d", objects)
    assert.equal("", T.sh(("find %s/tmp -type f"):format(store)).out)
    assert.equal(0, c.roles:eas("fsck --verify").status)
  end)
end)
