-- diag/: the small tools of a worker's container, on an embedded database.
local T = require "spec.support"
local World = require "spec.cli.world"

local world
setup(function()
  world = World.new(World.pack { good = { task = 'task:info "hello"' }, bad = { task = 'task:warn "near" error "it breaks"' } })
  assert.equal(1, world:run({ { task = "good" }, { task = "bad" } }).status)
end)

local function tool(words, stdin)
  local env = {}
  for name, value in pairs(world:environment()) do env[#env + 1] = T.quote(name .. "=" .. value) end
  return T.sh(("cd %s && env PATH=%s:$PATH %s timeout -k 2 60 %s/diag/%s"):format(T.quote(world.dir), T.quote(T.build .. "/bin"),
    table.concat(env, " "), T.quote(T.root), words), stdin)
end

local function has(text, ...)
  for _, part in ipairs { ... } do assert.truthy(text:find(part, 1, true), ("'%s' is not in:\n%s"):format(part, text)) end
end

describe("diag", function()
  it("doctor tells machine, queues and holders", function()
    local got = tool "doctor"
    assert.truthy(got.status <= 1, got.err)
    has(got.out, "services", "versions", "no attempt is held")
  end)

  it("db-shell reads, and cannot write", function()
    local got = tool("db-shell", "select count(*) from job;\ndelete from job;\nselect 40 + 2;\n")
    has(got.out, "1\n", "42\n")
    has(got.err, "readonly")
    assert.equal(1, world:value "SELECT count(*) FROM job")
    got = tool("queue-shell", "select count(*) from attempt where state = 'queued';\n")
    has(got.out, "0\n")
    has(got.err, "the queue is the table attempt")
    assert.equal(2, world:eas({ "db", "shell", "cat" }).status)
    got = world:eas({ "db", "shell", "--data", "none" })
    assert.equal(2, got.status)
    has(got.err, "there is no database here yet")
  end)

  it("queue-shell has the broker's address, and no argument shows its password", function()
    local got = world:eas({ "db", "shell", "queue" }, { stdin = "echo \"at $AMQP_URL\"\n",
      env = { EAS_QUEUE = "amqp://me@host/x", EAS_QUEUE_PASSWORD = "s3cret", SHELL = "/bin/sh" } })
    assert.equal(0, got.status, got.err)
    has(got.out, "at amqp://me:s3cret@host/x")
  end)

  it("psql is given the password by the environment alone", function()
    local bin = T.tmpdir()
    T.write(bin .. "/psql", '#!/bin/sh\necho "args $*"\necho "password $PGPASSWORD options $PGOPTIONS"\n')
    T.sh("chmod +x " .. bin .. "/psql")
    local got = world:eas({ "db", "shell", "--database", "postgresql://me@host:5433/eas" },
      { env = { EAS_DATABASE_PASSWORD = "p w%", PATH = bin .. ":" .. os.getenv "PATH" } })
    assert.equal(0, got.status, got.err)
    has(got.out, "args postgresql://me@host:5433/eas\n", "password p w% options -c default_transaction_read_only=on")
  end)

  it("last-errors, leases and follow tell what their names say", function()
    has(tool("last-errors").out, "it breaks", "logged as errors in the last 1h:", "error")
    has(tool("last-errors 10m --job j1").out, "in the last 10m")
    has(tool("leases").out, "no attempt is held")
    for _, t in ipairs(world:tasks()) do
      local got = tool("follow " .. t.task)
      assert.equal(0, got.status, got.err)
      has(got.out, t.type == "bad" and "near" or "hello")
    end
    assert.equal(2, tool("follow").status)
    assert.truthy(tool("follow t99").status > 0)
  end)

  it("is what its README lists", function()
    local text, n = T.read(T.root .. "/diag/README.md"), 0
    for name in T.sh("cd " .. T.quote(T.root) .. "/diag && find . -type f -perm -u+x").out:gmatch "%./(%S+)" do
      n = n + 1
      has(text, "`diag/" .. name)
    end
    assert.equal(6, n)
  end)
end)
