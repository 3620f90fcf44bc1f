-- What runs a cluster sees of worker and control: metrics, health, which containers are needed, reload, logs, a rolling upgrade.
local cjson = require "cjson"
local T = require "spec.support"
local B = require "spec.backends.backend"
local Roles = require "spec.cli.roles"

local ONE = { { task = "null", duration = 0 } }
local THREE = { { task = "execution_for_loop", parameter = "k", values = { 1, 2, 3 }, task_list = { { task = "null", duration = 0 } } } }

-- Status, body, content type.
local function fetch(port, path, method)
  local got = T.sh(([[timeout 8 bash -c 'exec 3<>/dev/tcp/127.0.0.1/%d; printf "%s %s HTTP/1.0\r\n\r\n" >&3; cat <&3']]):format(port, method or "GET", path))
  assert(got.status == 0, got.err)
  local head, body = got.out:match "^(.-)\r\n\r\n(.*)$"
  return tonumber(head:match "^HTTP/%d%.%d (%d+)"), body, head:lower():match "\r\ncontent%-type: ([^\r]*)"
end

-- Prometheus text as a table "name{labels}" -> number; fails on what is none.
local function parse(text)
  local values, typed = {}, {}
  for line in text:gmatch "[^\n]+" do
    local name = line:match "^# TYPE ([%w_]+) %a+$"
    if name then typed[name] = true
    elseif not line:find "^# HELP eas_[%w_]+ .+" then
      local key, value = line:match "^([%w_]+{?.-}?) (-?[%d.e+-]+)$"
      assert(key, "no line of Prometheus text: " .. line)
      local base = key:match "^[%w_]+"
      assert(typed[base] or typed[base:gsub("_bucket$", "")] or typed[base:gsub("_sum$", "")] or typed[base:gsub("_count$", "")], "no type: " .. line)
      assert(not values[key], "twice: " .. key)
      values[key] = tonumber(value)
    end
  end
  return values
end

local function port_of(roles, name)
  return roles:wait("the port of " .. name, function() return tonumber(roles:log(name):match "metrics on port (%d+)") end)
end

local roles
after_each(function()
  if roles then roles:stop() end
  roles = nil
end)

local function world(env)
  roles = Roles.new(env)
  assert.equal(0, roles:eas("init").status)
  return roles
end

local function done(job) roles:wait("the end of " .. job, function() return roles:status(job).done_at ~= cjson.null end) end

describe("metrics and health", function()
  it("tell of a worker, and of the cluster by control", function()
    world { EAS_METRICS = "127.0.0.1:0" }
    roles:start "control"
    roles:start "worker --slots 2"
    done(roles:submit(THREE))
    local status, body, type = fetch(port_of(roles, "control"), "/metrics")
    assert.equal(200, status)
    assert.equal("text/plain; version=0.0.4; charset=utf-8", type)
    local m = parse(body)
    assert.equal(1, m.eas_database_up)
    assert.equal(3, m['eas_tasks{type="null",state="passed"}'])
    assert.equal(0, m['eas_tasks{type="null",state="queued"}'])
    assert.equal(3, m['eas_attempts_ended_total{type="null"}'])
    assert.equal(2, m.eas_slots)
    assert.equal(1, m.eas_workers)
    assert.truthy(m.eas_lease_seconds_left > 0 and m.eas_lease_seconds_left <= 60)
    assert.equal(2, m['eas_container_slots{container="eas_worker_base"}'])
    assert.is_nil(m.eas_worker_slots)

    local port = port_of(roles, "worker")
    status, body = fetch(port, "/metrics")
    assert.equal(200, status)
    m = parse(body)
    assert.equal(2, m.eas_worker_slots)
    assert.equal(0, m.eas_worker_children)
    assert.equal(3, m['eas_worker_attempts_ended_total{ending="ok"}'])
    assert.equal(0, m['eas_worker_attempts_ended_total{ending="crashed"}'])
    assert.equal(3, m.eas_worker_attempts_claimed_total)
    assert.equal(3, m.eas_worker_attempts_passed_total)
    assert.equal(1, m.eas_worker_zygotes_total)
    assert.equal(m['eas_worker_commit_seconds_bucket{le="+Inf"}'], m.eas_worker_commit_seconds_count)
    assert.truthy(m.eas_worker_commit_seconds_count >= 1 and m.eas_worker_commit_seconds_sum > 0)
    assert.truthy(m['eas_worker_claim_seconds_bucket{le="25"}'] >= m['eas_worker_claim_seconds_bucket{le="0.001"}'])
    assert.truthy(m.process_resident_memory_bytes > 1e6)
    assert.is_nil(m['eas_tasks{type="null",state="passed"}']) -- else sums over workers count it twice

    status, body = fetch(port, "/healthz?verbose")
    assert.equal(200, status)
    assert.truthy(body:find "^ok\nlease renewed")
    assert.equal(404, (fetch(port, "/etc/passwd")))
    assert.equal(405, (fetch(port, "/metrics", "POST")))
    assert.equal(200, (fetch(port, "/healthz", "HEAD")))
  end)

  it("say so when the lease is over", function()
    world { EAS_METRICS = "127.0.0.1:0", EAS_DATABASE = B.url "postgresql", EAS_LEASE = "900 ms", EAS_LEASE_RENEW = "300 ms" }
    roles:start "worker --slots 1"
    local port = port_of(roles, "worker")
    assert.equal(200, (fetch(port, "/healthz")))
    B.stop()
    roles:wait("the bad health", function()
      local status, body = fetch(port, "/healthz")
      return status == 503 and body:find "out of reach"
    end)
    assert.equal(200, (fetch(port, "/metrics")))
  end)

  it("need a place of their own", function()
    world()
    local got = roles:eas("worker --once", { EAS_METRICS = "9100" })
    assert.equal(2, got.status)
    assert.truthy(got.err:find("metrics: listen '9100': HOST:PORT is wanted", 1, true), got.err)
    roles.env.EAS_METRICS = "127.0.0.1:0"
    roles:start "control"
    got = roles:eas("worker --once", { EAS_METRICS = "127.0.0.1:" .. port_of(roles, "control") })
    assert.equal(3, got.status)
    assert.truthy(got.err:lower():find("address already in use", 1, true), got.err)
  end)
end)

describe("status --needed", function()
  it("names the containers that could work, and the slots they miss", function()
    world()
    local function needed() return cjson.decode(roles:eas("status --needed --json").out) end
    assert.truthy(roles:eas("status --needed").out:find "nothing waits")
    roles:submit { { task = "null", duration = 0, name = "a" }, { task = "null", duration = 0, requires_metadata_from = { "a" } } }
    roles:eas "control --once"
    for _, c in ipairs(needed()) do
      assert.equal(0, c.slots)
      assert.equal(c.queued, c.missing)
      assert.equal(1, c.queued, c.container) -- null runs everywhere; what waits for another is not there yet
      assert.same({ "null" }, c.types)
    end
    assert.truthy(roles:eas("status --needed").out:find "eas_worker_tls +1 +0 +0 +0 +1 +null")
    assert.equal(0, roles:eas("worker --once").status)
    for _, c in ipairs(needed()) do assert.equal(0, c.missing) end
  end)
end)

describe("a running role", function()
  it("takes over on SIGHUP what may change, and says what may not", function()
    local config = T.write(T.tmpdir() .. "/eas.conf", "log_level: warn\n")
    world()
    roles.env.EAS_LOG_LEVEL = nil
    local pid = roles:start("control --config " .. config)
    roles:wait("its start", function()
      return roles:eas("status --all").status == 0 and #T.sh(("cat /proc/%d/cmdline"):format(pid)).out > 0
        and T.sh(("grep -E 'SigBlk:.*[1-9a-f]' /proc/%d/status"):format(pid)).status == 0
    end)
    T.write(config, "log_level: info\ndrain_grace: 7 s\nlease: 90 s\n")
    roles:signal(pid, 1)
    roles:wait("the reload", function() return roles:log "control":find "lease has changed to '90 s': that counts after a restart" end)
    T.write(config, "log_level: info\ndrain_grace: 8 s\n")
    roles:signal(pid, 1)
    roles:wait("the second reload", function() return roles:log "control":find "drain_grace is now '8 s'" end)
    T.write(config, "log_lvel: info\n")
    roles:signal(pid, 1)
    roles:wait("the refusal", function() return roles:log "control":find "unknown key 'log_lvel'; the configuration stays as it was" end)
    assert.is_true(Roles.alive(pid))
  end)

  it("logs lines that programs read", function()
    world { EAS_LOG_FORMAT = "json" }
    roles:start "worker --slots 1"
    local line = roles:wait("the line", function() return roles:log "worker":match "[^\n]*is up[^\n]*\n" end)
    local entry = cjson.decode(line)
    assert.equal("info", entry.level)
    assert.truthy(entry.time:find "^%d%d%d%d%-%d%d%-%d%dT[%d:.]+Z$")
    roles:stop()
    world { EAS_LOG_FORMAT = "logfmt" }
    roles:start "worker --slots 1"
    assert.truthy(roles:wait("the line", function() return roles:log "worker":match 'time=%S+Z level=info host=%S+ msg="worker w%d+ is up"' end))
  end)
end)

describe("a rolling upgrade", function()
  it("old workers go on over the next schema; the one after it is refused", function()
    local url = B.url "postgresql"
    local db = assert(B.open(url))
    world { EAS_DATABASE = url }
    local function next_schema(n)
      db:exec("INSERT INTO eas_schema (version, name, at) SELECT max(version) + 1, 'next', 0 FROM eas_schema")
      db:exec(("ALTER TABLE attempt ADD COLUMN extra%d BIGINT NOT NULL DEFAULT 7"):format(n))
      db:exec(("CREATE TABLE later%d (id BIGINT PRIMARY KEY, attempt BIGINT REFERENCES attempt ON DELETE CASCADE)"):format(n))
    end
    roles:start "worker --slots 1"
    roles:start "control"
    done(roles:submit(ONE, "before"))
    next_schema(1) -- under those that run
    done(roles:submit(THREE, "over"))
    roles:start("worker --slots 1", "late") -- one that starts anew in between
    roles:wait("its word", function() return roles:log "late":find "it works with the next one, and no later" end)
    roles:wait("its start", function() return roles:log "late":find "is up" end)
    done(roles:submit(ONE, "after"))
    next_schema(2)
    local got = roles:eas "worker --once"
    assert.truthy(got.status ~= 0)
    assert.truthy(got.err:find "use a newer eas", got.err)
    db:close()
    B.stop()
  end)
end)
