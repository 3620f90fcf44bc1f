-- chaos.lua: workers on two "hosts", controls, PostgreSQL and RabbitMQ, while one thing after another is killed, stopped, cut, filled.
-- All chance comes from the seed; what it meets depends on the machine's pace.
local ffi = require "ffi"
local cjson = require "cjson"
local T = require "spec.support"
local B = require "spec.backends.backend"
local S3 = require "spec.s3.server"
local Broker = require "spec.backends.broker"
local Roles = require "spec.cli.roles"
local Hosts = require "spec.soak.hosts"
local Servers = require "spec.soak.servers"
T.cdef "engine/queue/queue.h"
ffi.cdef "int usleep(unsigned us);"
local C = ffi.C

local Chaos = {}
Chaos.__index = Chaos

local KILL, TERM, STOP, CONT = 9, 15, 19, 18
local WORKERS = { { name = "w1", host = "north" }, { name = "w2", host = "north" }, { name = "w3", host = "south" }, { name = "w4", host = "south" } }
local CONTROLS = { { name = "c1", host = "north" }, { name = "c2", host = "south" } }

local function sleep(seconds) if seconds > 0 then C.usleep(math.floor(seconds * 1e6)) end end

-- One machine: servers, a small disk for the store, a clock that jumps. What they are, for the environment of roles.
function Chaos:one_machine()
  local why
  self.pg, why = B.server()
  if not self.pg then return nil, why end
  if Broker.dir() then self.queue = Broker.url "&heartbeat=2" else self.skipped[#self.skipped + 1] = "no broker: " .. select(2, Broker.dir()) end
  self.disk, why = Servers.disk(96)
  if not self.disk then self.skipped[#self.skipped + 1] = why end
  if not T.asan then self.clock = Servers.clock(self.dir) else self.skipped[#self.skipped + 1] = "no jumps of the clock under a sanitizer" end
  return { EAS_DATABASE = self.pg:url "postgres", EAS_STORE = (self.disk and self.disk.dir or self.dir) .. "/store" }
end

-- Many: each role and server on a host of its own, the store an object store.
function Chaos:many_hosts()
  local why, env, amqp
  S3.installed() -- by the network outside
  self.hosts, why = Hosts.new()
  if not self.hosts then return nil, why end
  self.weights, self.workers, self.controls = Hosts.weights, Hosts.workers, Hosts.controls
  self.hosts:at("desk", function() end)
  env, why = self.hosts:store()
  if env then self.pg, why = self.hosts:database() end
  if not self.pg then
    self.hosts:close()
    return nil, why
  end
  amqp, why = self.hosts:broker_url()
  if amqp then self.queue = amqp else self.skipped[#self.skipped + 1] = "no broker: " .. why end
  env.EAS_DATABASE = self.hosts:database_url()
  return env
end

-- What fn starts is on that host.
function Chaos:at(name, fn, ...)
  if self.hosts then return self.hosts:at(name, fn, ...) end
  return fn(...)
end

-- seed; hosts: a network between them (hosts.lua); log(text) is told what happens.
function Chaos.new(options)
  local c = setmetatable({ seed = options.seed, log = options.log or function() end, did = {}, skipped = {}, later = {}, jobs = {},
    queue = "sql:", workers = WORKERS, controls = CONTROLS, lease = options.lease or 2, dir = T.tmpdir() }, Chaos)
  math.randomseed(c.seed)
  local env, why
  if options.hosts then env, why = c:many_hosts() else env, why = c:one_machine() end
  if not env then return nil, why end
  local common = { EAS_QUEUE = c.queue, EAS_LEASE = c.lease .. " s", EAS_LEASE_RENEW = ("%d ms"):format(c.lease * 250),
    EAS_DRAIN_GRACE = "5 s", EAS_GC_EVERY = "2 s", EAS_LOG_LEVEL = "warn" }
  for k, v in pairs(common) do env[k] = v end
  c.roles = Roles.new(env)
  local got = c.roles:eas "init"
  if got.status ~= 0 then -- what was started so far ends with us
    c.pid = {}
    c:close()
    error(got.err)
  end
  c.pid = {}
  for _, list in ipairs { c.workers, c.controls } do for _, r in ipairs(list) do c:start(r) end end
  return c
end

function Chaos:host_env(host, jumping)
  local env = { EAS_HOST = host, EAS_DATA = ("%s/%s"):format(self.dir, host), EAS_SCRATCH = ("%s/%s/scratch"):format(self.dir, host) }
  if jumping and self.clock then for k, v in pairs(self.clock:env()) do env[k] = v end end
  return env
end

function Chaos:start(role)
  local words = role.name:sub(1, 1) == "w" and "worker --slots 2" or "control"
  self.pid[role.name] = self:at(role.name, self.roles.start, self.roles, words, role.name, self:host_env(role.host, role.host == "south"))
end

-- Children of a worker by kind: the zygote is started anew from the program, task children are its clones.
local function children(pid)
  local zygote, tasks = nil, {}
  for id in (T.read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""):gmatch "%d+" do
    local line = T.read(("/proc/%s/cmdline"):format(id)) or ""
    if not zygote and line:find "zygote" then zygote = tonumber(id) else tasks[#tasks + 1] = tonumber(id) end
  end
  return zygote, tasks
end

-- --- what may happen: returns what it did, or nil when there was nothing to do it to ---

local function pick(list) return list[math.random(#list)] end

function Chaos:in_a_while(seconds, what, fn) self.later[#self.later + 1] = { at = self.now + seconds, what = what, fn = fn } end

function Chaos:signal_role(role, signal)
  local pid = self.pid[role.name]
  if not pid or not Roles.alive(pid) then return false end
  C.kill(pid, signal)
  return true
end

local actions = {}

function actions.kill_worker(c)
  local w = pick(c.workers)
  if w.stopped or not c:signal_role(w, KILL) then return end
  c.pid[w.name] = nil
  c:in_a_while(math.random() * 1.5, "start " .. w.name, function() c:start(w) end)
  return "worker killed"
end

function actions.kill_control(c)
  local k = pick(c.controls)
  if not c:signal_role(k, KILL) then return end
  c.pid[k.name] = nil
  c:in_a_while(math.random() * 2, "start " .. k.name, function() c:start(k) end)
  return "control killed"
end

function actions.kill_zygote(c)
  local pid = c.pid[pick(c.workers).name]
  local zygote = pid and children(pid)
  if not zygote then return end
  C.kill(zygote, KILL)
  return "zygote killed"
end

function actions.kill_child(c)
  local pid = c.pid[pick(c.workers).name]
  local _, tasks = children(pid or 0)
  if #tasks == 0 then return end
  C.kill(pick(tasks), KILL)
  return "child killed"
end

function actions.stop_worker(c)
  local w = pick(c.workers)
  if w.stopped or not c:signal_role(w, STOP) then return end
  w.stopped = true
  c:in_a_while(c.lease * (1.2 + math.random()), "continue " .. w.name, function()
    w.stopped = nil
    c:signal_role(w, CONT)
  end)
  return "worker stopped past its lease"
end

function actions.drain_worker(c)
  local w = pick(c.workers)
  if w.stopped or not c:signal_role(w, TERM) then return end
  c.pid[w.name] = nil
  c:in_a_while(0.5, "start " .. w.name, function() c:start(w) end)
  return "worker told to end"
end

function actions.kill_postgres(c)
  c.pg:kill()
  sleep(math.random() * 0.8)
  assert(c:at("db", c.pg.start, c.pg))
  return "PostgreSQL killed"
end

function actions.cut_connections(c)
  local db = B.open(c.pg:url "postgres")
  if not db then return end
  local n = db:value("SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    .. " AND backend_type = 'client backend' AND (state <> 'idle' OR random() < 0.4)) x")
  db:close()
  if n == 0 then return end
  return "connections cut", n
end

-- What is stored and not answered: commits wait for a copy that never comes, and are cut there. Nobody knows how they ended.
function actions.cut_commit(c)
  local db, n = B.open(c.pg:url "postgres"), 0
  if not db then return end
  db:exec "SET synchronous_commit = local"
  db:exec "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
  db:query "SELECT pg_reload_conf()"
  for _ = 1, 40 do
    n = db:value "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep') x"
    if n > 0 then break end
    sleep(0.025)
  end
  db:exec "ALTER SYSTEM RESET synchronous_standby_names"
  db:query "SELECT pg_reload_conf()"
  db:close()
  if n == 0 then return end
  return "connections cut in the middle of a commit", n
end

function actions.kill_broker(c)
  if c.queue == "sql:" or c.broker_down then return end
  Broker.kill()
  c.broker_down = true
  c:in_a_while(0.5, "start the broker", function() -- it takes seconds, in which other things may happen
    c:broker_comes(0)
  end)
  return "RabbitMQ killed"
end

-- Begun again when it did not come up within 40 s, on a machine that has too much to do.
function Chaos:broker_comes(at)
  if self.now > at then
    self:at("broker", os.execute,
      ("cd %s && %s/spec/backends/broker.sh start %s %d >/dev/null 2>&1 &"):format(Broker.dir(), T.root, Broker.dir(), ffi.C.getpid()))
    at = self.now + 40
  end
  self:in_a_while(0.5, nil, function()
    if T.sh(("bash -c 'exec 3<>/dev/tcp/%s/%d'"):format(Broker.address(), Broker.port())).status == 0 then self.broker_down = nil else self:broker_comes(at) end
  end)
end

-- As whatever starts services does: a role that ended (a server was away when it began) is started again.
function Chaos:supervise()
  for _, list in ipairs { self.workers, self.controls } do
    for _, r in ipairs(list) do
      if self.pid[r.name] and not Roles.alive(self.pid[r.name]) then
        self.log(("%6.1f  %s had ended, started again"):format(self.now, r.name))
        self:start(r)
      end
    end
  end
end

-- The types whose messages are lost or doubled.
local TYPES = { "synthesis_batman", "verify", "transit_search_bls_reference" }

local function with_queue(c, fn)
  local err, out = ffi.new "eas_err", ffi.new "eas_queue *[1]"
  if c.queue == "sql:" or c.broker_down or C.eas_queue_open(out, c.queue, nil, err) ~= 0 then return end
  local n = fn(out[0], err)
  C.eas_queue_close(out[0])
  return n
end

function actions.lose_messages(c)
  local n = with_queue(c, function(q, err)
    local names, m, taken = ffi.new("const char *[?]", #TYPES + 1), ffi.new "eas_message", 0
    for i, name in ipairs(TYPES) do names[i - 1] = name end
    if C.eas_queue_subscribe(q, names, 1000, err) ~= 0 then return 0 end
    for _ = 1, 20 do
      while C.eas_queue_take(q, m, err) == 1 do
        taken = taken + 1
        C.eas_queue_ack(q, m.receipt, err)
      end
      sleep(0.01)
    end
    return taken
  end)
  if not n or n == 0 then return end
  return "messages lost", n
end

function actions.purge_queues(c)
  if c.queue == "sql:" or c.broker_down then return end
  local n = 0
  for _ = 1, 10 do -- they mostly are heard at once
    for _, type in ipairs(TYPES) do n = n + (Broker.purge(c.queue, type) or 0) end
    if n > 0 then break end
    sleep(0.03)
  end
  if n == 0 then return end
  return "queues purged", n
end

function actions.double_messages(c)
  local n = with_queue(c, function(q, err)
    for i = 1, 20 do C.eas_queue_publish(q, pick(TYPES), math.random(400), err) end
    return C.eas_queue_wait(q, 2000000, err) == 0 and 20 or 0
  end)
  if not n or n == 0 then return end
  return "messages doubled or made up", n
end

function actions.fill_disk(c)
  if not c.disk or c.full then return end
  c.full = true
  c.disk:fill()
  c:in_a_while(0.5 + math.random(), "free the disk", function()
    c.full = nil
    c.disk:free()
  end)
  return "disk full"
end

function actions.jump_clock(c)
  if not c.clock then return end
  c.clock:jump(math.random(-86400, 86400))
  return "clock jumped"
end

-- How often each is drawn.
local WEIGHTS = {
  { "kill_worker", 6 }, { "kill_control", 3 }, { "kill_zygote", 4 }, { "kill_child", 6 }, { "stop_worker", 3 }, { "drain_worker", 2 },
  { "kill_postgres", 2 }, { "cut_connections", 6 }, { "cut_commit", 4 }, { "kill_broker", 1 }, { "lose_messages", 3 }, { "purge_queues", 4 },
  { "double_messages", 3 }, { "fill_disk", 2 }, { "jump_clock", 2 },
}

for name, action in pairs(Hosts.actions) do actions[name] = action end

local function draw(weights)
  local all = 0
  for _, w in ipairs(weights) do all = all + w[2] end
  local at = math.random(all)
  for _, w in ipairs(weights) do
    at = at - w[2]
    if at <= 0 then return w[1] end
  end
end

-- --- the job: the detection grid, for which killed children are no reason to give up ---

function Chaos:submit(small)
  local job = cjson.decode(T.read(T.root .. "/examples/first_planets.json"))
  if small then
    job.task_list[1].values = { 2, 3 }
    job.task_list[1].task_list[1].values = { 5, 10 }
  end
  job.retry = { max_attempts = 1000, max_losses = 1000, delay = 0.05,
    endings = { "lost", "crashed", "timeout", "cpu", "memory", "disk", "processes", "error", "qc" } }
  job.seed = self.seed * 1000 + #self.jobs
  local file = T.write(("%s/grid_%d.json"):format(self.dir, job.seed), cjson.encode(job))
  for _ = 1, 60 do -- the database or the broker may be away; to submit again is harmless
    local got = self.roles:eas("submit --json " .. file)
    if got.status == 0 then
      self.jobs[#self.jobs + 1] = cjson.decode(got.out).job
      return
    end
    self:tick(0.2)
  end
  error "the job could not be submitted"
end

local function ask(c, sql)
  local db = B.open(c.pg:url "postgres")
  if not db then return nil end
  local ok, v = pcall(db.value, db, sql)
  db:close()
  return ok and v or nil
end

-- --- time ---

function Chaos:tick(seconds)
  local began = self:elapsed()
  sleep(seconds)
  self.now = self:elapsed()
  for i = #self.later, 1, -1 do
    local l = self.later[i]
    if l.at <= self.now then
      table.remove(self.later, i)
      if l.what then self.log(("%6.1f  %s"):format(self.now, l.what)) end
      l.fn()
    end
  end
  self:supervise()
  return self.now - began
end

T.cdef "engine/base/clock.h"
function Chaos:elapsed()
  self.began = self.began or C.eas_tick_us()
  return tonumber(C.eas_tick_us() - self.began) / 1e6
end

-- Chaos for so long; a new job whenever all are done.
function Chaos:run(seconds, small)
  self.now = self:elapsed()
  self:submit(small)
  while self.now < seconds do
    self:tick(small and 0.1 + math.random() * 0.4 or 0.15 + math.random() * 0.7)
    local name = draw(self.weights or WEIGHTS)
    local what, n = actions[name](self)
    if what then
      local d = self.did[what] or { n = 0, sum = 0 }
      d.n, d.sum = d.n + 1, d.sum + (n or 1)
      self.did[what] = d
      self.log(("%6.1f  %s%s"):format(self.now, what, n and (" (%d)"):format(n) or ""))
    end
    if ask(self, "SELECT count(*) FROM job WHERE done_at IS NULL") == 0 and self.now < seconds then self:submit(small) end
  end
end

-- Everything is up again; waits until the jobs are done. False: not within `seconds`.
function Chaos:calm(seconds)
  local patience = self:elapsed() + 120
  while #self.later > 0 and self:elapsed() < patience do self:tick(0.05) end
  if self.clock then self.clock:jump(0) end
  if self.hosts then self.hosts:mend() end
  local deadline = self:elapsed() + seconds
  while self:elapsed() < deadline do
    if ask(self, "SELECT count(*) FROM job WHERE done_at IS NULL") == 0 then return true end
    self.now = self:elapsed()
    self:supervise()
    sleep(0.1)
  end
  return false
end

function Chaos:depth()
  return with_queue(self, function(q, err)
    local sum, n = 0, ffi.new "int64_t[1]"
    for _, name in ipairs(TYPES) do
      if C.eas_queue_depth(q, name, n, err) == 0 then sum = sum + tonumber(n[0]) end
    end
    return sum
  end) or 0
end

-- The hosts of workers, each once.
function Chaos:host_names()
  local names, seen = {}, {}
  for _, w in ipairs(self.workers) do
    if not seen[w.host] then names[#names + 1] = w.host end
    seen[w.host] = true
  end
  return names
end

-- All roles end; then one start on each host, which sweeps what the killed ones left in scratch.
function Chaos:drain()
  self.roles:stop()
  self.roles.env.EAS_LOG_LEVEL = "error"
  for _, host in ipairs(self:host_names()) do
    assert(self.roles:eas("worker --once --slots 1", self:host_env(host)).status == 0)
  end
  for _ = 1, 40 do -- of those that were killed the leases run on
    assert(self.roles:eas("control --once", self:host_env(self.controls[1].host)).status == 0)
    if ask(self, "SELECT count(*) FROM worker WHERE state = 'active'") == 0 then break end
    sleep(0.1)
  end
end

-- Objects in the store.
function Chaos:objects()
  if self.hosts then return self.hosts:objects() end
  return tonumber(T.sh(("find %s/objects -type f | wc -l"):format(self.roles.env.EAS_STORE)).out)
end

-- Processes that still have something of ours open or as their folder.
function Chaos:orphans()
  local found = T.sh(("for p in /proc/[0-9]*; do for f in $p/cwd $p/root; do readlink $f; done; tr '\\0' '\\n' <$p/environ; done 2>/dev/null | grep -c %s")
    :format(T.quote(self.dir .. "/")))
  return tonumber(found.out) or 0
end

function Chaos:close()
  for _, list in ipairs { self.workers, self.controls } do
    for _, r in ipairs(list) do
      r.stopped = nil
      if self.pid[r.name] then C.kill(self.pid[r.name], CONT) end
    end
  end
  self.roles:stop()
  if self.broker_down then Broker.again() end
  Broker.stop()
  self.pg:stop()
  if self.hosts then self.hosts:close() end
  if self.disk then self.disk:unmount() end
end

-- What was done how often, one line each.
function Chaos:report()
  local lines = {}
  for what, d in pairs(self.did) do lines[#lines + 1] = ("%4d  %s%s"):format(d.n, what, d.sum > d.n and (" (%d)"):format(d.sum) or "") end
  table.sort(lines, function(a, b) return a > b end)
  return table.concat(lines, "\n")
end

return Chaos
