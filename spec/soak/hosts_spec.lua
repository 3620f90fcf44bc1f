-- The detection grid on hosts of their own (network namespaces): four workers, two controls, PostgreSQL, RabbitMQ and an object
-- store, while the links between them are cut, slow and lossy. With EAS_LONG=1; longer: spec/soak/run --hosts --minutes N --seed S.
-- What it reads of the environment: see chaos_spec.lua.
local T = require "spec.support"
local B = require "spec.backends.backend"
local Roles = require "spec.cli.roles"
local Chaos = require "spec.soak.chaos"
local holds = require "spec.soak.invariants"

local wanted = os.getenv "EAS_LONG" == "1" or os.getenv "EAS_CHAOS_HOSTS"
holds("chaos between hosts", tonumber(os.getenv "EAS_CHAOS_SECONDS" or 15),
  { hosts = true, lease = 4, skip = not wanted and "links between hosts are cut with EAS_LONG=1" or nil })

describe("a link that is cut", function()
  local c, why, db
  lazy_setup(function()
    if not wanted then why = "links between hosts are cut with EAS_LONG=1" return end
    c, why = Chaos.new { seed = 1, hosts = true, lease = 3 }
    db = c and B.open(c.pg:url "postgres")
  end)
  lazy_teardown(function()
    if db then db:close() end
    if c then c:close() end
  end)

  local function names() return db:query "SELECT id FROM worker WHERE state = 'active' AND lease_until > eas_now() ORDER BY id" end
  local function ids(rows)
    local list = {}
    for i, row in ipairs(rows) do list[i] = tonumber(row.id) end
    return table.concat(list, " ")
  end

  it("to store and broker costs nobody the lease", function()
    T.skip_unless(c, why)
    c.roles:wait("all to be up", function() return #names() == 6 end)
    local all = ids(names())
    c.now = c:elapsed()
    c:submit(true) -- they have something to fetch and to bring away
    for _, name in ipairs { "w1", "w2", "w3", "w4", "c1", "c2" } do
      c.hosts:cut(name, "store", true)
      c.hosts:cut(name, "broker", true)
    end
    for _ = 1, 24 do
      T.sh "sleep 0.5"
      assert.equal(all, ids(names()))
    end
    c.hosts:mend()
    assert.is_true(c:calm(60))
    assert.equal(all, ids(names()))
    assert.equal(0, db:value "SELECT count(*) FROM attempt WHERE ending = 'lost'")
  end)

  it("to the database costs the lease and no more: the same process is back as soon as it is mended", function()
    T.skip_unless(c, why)
    local before = db:value "SELECT max(id) FROM worker"
    for _, name in ipairs { "w1", "c1" } do c.hosts:cut(name, "db", true) end
    c.roles:wait("two leases to end", function() return #names() == 4 end)
    c.hosts:mend()
    c.roles:wait("both to register anew", function()
      return #names() == 6 and db:value("SELECT count(*) FROM worker WHERE state = 'active' AND id > " .. before) == 2
    end)
    for _, name in ipairs { "w1", "c1" } do assert.is_true(Roles.alive(c.pid[name])) end
  end)
end)
