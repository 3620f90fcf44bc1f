-- Control and workers apart, over PostgreSQL and an object store, each with a cache of its own; and a store that does not answer.
local T = require "spec.support"
local B = require "spec.backends.backend"
local S3 = require "spec.s3.server"
local Roles = require "spec.cli.roles"
local World = require "spec.cli.world"

local server, roles, db, pack
setup(function()
  if select(2, S3.installed()) or not B.cluster() then return end
  server = S3.start(T.tmpdir())
  pack = World.pack {
    make = { task = [[task:exec { "sh", "-c", "echo bytes of $1 >made", "sh", tostring(task.description.number) }
      task:output("configuration", "made")]] },
    read = { task = [[local _, text = task:exec { "cat", task:input_path "configuration" }
      task:set { text = text }]] },
  }
end)
teardown(function()
  if server then server:stop() end
  B.stop()
end)
before_each(function()
  T.skip_unless(server, S3.why or "no PostgreSQL server here")
  server:faults {}
  server:seen()
  db = B.emptied "postgresql"
  roles = Roles.new { EAS_DATABASE = db.url, EAS_STORE = "s3://light/far", EAS_S3_ENDPOINT = server.endpoint, EAS_TASK_PATH = pack, EAS_SLOTS = "1",
    AWS_ACCESS_KEY_ID = S3.id, AWS_SECRET_ACCESS_KEY = S3.secret, EAS_LEASE = "3 s", EAS_LEASE_RENEW = "500 ms" }
end)
after_each(function()
  if roles then roles:stop() end
  if db then db:close() end
  roles, db = nil, nil
end)

local function start(words, name, more)
  local env = roles:host(name)
  env.EAS_STORE_CACHE = ("%s/%s/cache"):format(roles.dir, name)
  for k, v in pairs(more or {}) do env[k] = v end
  return roles:start(words, name, env)
end
local function cached(name) return tonumber(T.sh(("find %s/%s/cache -type f -path '*objects*' 2>/dev/null | wc -l"):format(roles.dir, name)).out) end
local function is_done(job) return db:value("SELECT count(*) FROM job WHERE done_at IS NOT NULL AND id = " .. job:sub(2)) == 1 end
local function chain(n)
  local list = {}
  for i = 1, n do
    local file = { configuration = ("%d.cfg"):format(i) }
    list[#list + 1] = { task = "execution_chain", task_list = {
      { task = "make", number = i, outputs = file }, { task = "read", name = "r" .. i, inputs = file } } }
  end
  return list
end

it("one worker makes what another reads, by way of the store alone", function()
  start("control", "c")
  local first = start("worker", "w1")
  local job = roles:submit(chain(2))
  roles:wait("both products", function() return db:value "SELECT count(*) FROM product WHERE passed IS NOT NULL" == 2 end)
  roles:signal(first, 15)
  roles:wait("the first worker's end", function() return not Roles.alive(first) end)
  roles:wait("the first half", function() return db:value "SELECT count(*) FROM attempt WHERE state = 'running'" == 0 end)
  start("worker", "w2")
  roles:wait("the end", function() return is_done(job) end)
  assert.equal(0, roles:eas("rerun " .. "t" .. db:value "SELECT id FROM task WHERE name = (SELECT id FROM word WHERE text = 'r1')").status)
  roles:wait("the reader once more", function() return cached "w2" >= 1 and is_done(job) end)
  assert.equal(2, cached "w1")
  assert.equal(2, db:value "SELECT count(*) FROM attempt a JOIN task t ON t.id = a.task JOIN word w ON w.id = t.name WHERE w.text = 'r1' AND a.verdict = 'pass'")
  assert.equal("bytes of 1", db:value "SELECT CAST(a.metadata AS json) ->> 'text' FROM task t JOIN attempt a ON a.id = t.accepted JOIN word w ON w.id = t.name WHERE w.text = 'r1'")
  assert.equal(0, roles:eas("fsck --verify").status)
end)

it("control goes on while the store does not answer its sweep, and ends when it is told to", function()
  server:faults { { match = "list-type", kind = "stall", ms = 600000, times = 1000 } }
  local control = start("control", "c", { EAS_GC_EVERY = "1 s", EAS_S3_STALL = "600 s" })
  roles:wait("the sweep", function() return (T.read(server.control .. "/seen") or ""):find("list-type", 1, true) end)
  local mine = db:value "SELECT max(id) FROM worker"
  roles:submit { { task = "execution_for_loop", parameter = "k", values = { 1, 2, 3 }, task_list = { { task = "null" } } } }
  roles:wait("the loop to be expanded", function() return db:value "SELECT count(*) FROM attempt WHERE state = 'queued'" == 3 end)
  local lease = db:value("SELECT lease_until FROM worker WHERE id = " .. mine)
  roles:wait("the lease to be renewed", function() return db:value("SELECT lease_until FROM worker WHERE id = " .. mine) > lease end)
  roles:signal(control, 15)
  roles:wait("its end", function() return not Roles.alive(control) end)
end)
