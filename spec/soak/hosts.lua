-- hosts.lua: network namespaces as hosts (wire.c): what runs on which, and what may happen to the links between them.
-- This process is on a host too, "desk": what it starts inside of at(name, fn) is on that one.
local ffi = require "ffi"
local T = require "spec.support"
local B = require "spec.backends.backend"
local Broker = require "spec.backends.broker"
local S3 = require "spec.s3.server"

ffi.cdef [[
typedef struct { int cut, delay_us, loss, dropped; } eas_soak_link;
int setns(int fd, int type);
int open(const char *, int, ...);
int close(int);
void *mmap(void *, size_t, int, int, int, long);
]]

local Hosts = {}
Hosts.__index = Hosts

local NAMES = { "desk", "db", "broker", "store", "c1", "c2", "w1", "w2", "w3", "w4" }
local SERVERS = { db = "database", broker = "broker", store = "store" }

local function open_namespace(path)
  local fd = ffi.C.open(path, 0)
  assert(fd >= 0, path)
  return fd
end

local function enter(fd) assert(ffi.C.setns(fd, 0x40000000) == 0, "no way into the namespace") end

-- nil and why, where there are none.
function Hosts.new()
  if ffi.C.geteuid() ~= 0 then return nil, "hosts of their own need root" end
  if not T.read "/proc/net/dev" or T.sh("test -c /dev/net/tun && test -w /dev/net/tun").status ~= 0 then return nil, "no /dev/net/tun here" end
  local h = setmetatable({ ns = {}, index = {}, ip = {} }, Hosts)
  local dir, n = T.tmpdir(), #NAMES
  local got = T.sh(("cc -std=gnu11 -O1 -o %s/wire %s/spec/soak/wire.c && truncate -s %d %s/table && mkfifo %s/end"):format(dir, T.root, n * n * 16, dir, dir))
  assert(got.status == 0, got.err)
  os.execute(("%s/wire %s/table %d <%s/end >%s/out 2>%s/err &"):format(dir, dir, n, dir, dir, dir))
  h.fifo = assert(io.open(dir .. "/end", "w")) -- the wires end with this process
  T.sh(("for i in $(seq 100); do grep -q '[0-9]$' %s/out && break; sleep 0.02; done"):format(dir))
  local words = {}
  for word in (T.read(dir .. "/out") or ""):gmatch "%d+" do words[#words + 1] = word end
  if #words ~= n + 1 then return nil, "no network namespaces: " .. (T.read(dir .. "/err") or ""):gsub("%s+$", "") end
  for i, name in ipairs(NAMES) do
    h.index[name], h.ip[name] = i - 1, "10.77.0." .. i
    h.ns[name] = open_namespace(("/proc/%s/fd/%s"):format(words[1], words[i + 1]))
  end
  local fd = ffi.C.open(dir .. "/table", 2)
  h.table = ffi.cast("eas_soak_link *", ffi.C.mmap(nil, n * n * 16, 3, 1, fd, 0))
  ffi.C.close(fd)
  h.outside = open_namespace "/proc/self/ns/net"
  return h
end

function Hosts:at(name, fn, ...)
  enter(self.ns[name])
  local result = { pcall(fn, ...) }
  enter(self.ns.desk)
  return assert(unpack(result, 1, 3)) and unpack(result, 2, 4)
end

-- --- servers ---

-- PostgreSQL that can be reached by its socket (from here) and by its address.
function Hosts:database()
  B.cluster_files()
  local pg, why = self:at("db", B.server, ("-c listen_addresses=%s -c tcp_user_timeout=5000 -c tcp_keepalives_idle=3"
    .. " -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3"):format(self.ip.db))
  if not pg then return nil, why end
  local hba = assert(io.open(pg.dir .. "/data/pg_hba.conf", "a"))
  hba:write "host all all 10.77.0.0/24 trust\n"
  hba:close()
  assert(pg:psql("postgres", "SELECT pg_reload_conf()").status == 0)
  return pg
end

-- The times are shorter than they would be, as the lease is.
function Hosts:database_url() return ("postgresql://eas@%s/postgres?connect_timeout=2&tcp_user_timeout=2000&keepalives_idle=1&keepalives_interval=1&keepalives_count=2"):format(self.ip.db) end

function Hosts:broker_url()
  ffi.C.setenv("EAS_BROKER_ADDRESS", self.ip.broker, 1)
  local dir, why = self:at("broker", Broker.dir)
  if not dir then return nil, why end
  return Broker.url "&heartbeat=2"
end
ffi.cdef "int setenv(const char *name, const char *value, int overwrite);"

function Hosts:store()
  if not S3.installed() then return nil, S3.why end
  self.s3 = self:at("store", S3.start, T.tmpdir(), { address = self.ip.store })
  return { EAS_STORE = "s3://light/chaos", EAS_S3_ENDPOINT = self.s3.endpoint, EAS_S3_STALL = "1 s",
    AWS_ACCESS_KEY_ID = S3.id, AWS_SECRET_ACCESS_KEY = S3.secret }
end

-- How many objects it keeps.
function Hosts:objects()
  return tonumber(T.sh(("find %s/light/chaos/objects -name '*._S3rver_object' | wc -l"):format(self.s3.directory)).out)
end

function Hosts:close()
  if self.s3 then self.s3:stop() end
  enter(self.outside)
  self.fifo:close()
  for _, fd in pairs(self.ns) do ffi.C.close(fd) end
end

-- --- links ---

-- fn(link) for both directions between two hosts, or only from the first to the second.
function Hosts:links(a, b, one_way, fn)
  local i, j = self.index[a], self.index[b]
  fn(self.table[i * #NAMES + j])
  if not one_way then fn(self.table[j * #NAMES + i]) end
end

function Hosts:cut(a, b, on, one_way) self:links(a, b, one_way, function(l) l.cut = on and 1 or 0 end) end

function Hosts:dropped()
  local n = 0
  for i = 0, #NAMES * #NAMES - 1 do n = n + self.table[i].dropped end
  return n
end

-- All is as new.
function Hosts:mend()
  for i = 0, #NAMES * #NAMES - 1 do
    local l = self.table[i]
    l.cut, l.delay_us, l.loss = 0, 0, 0
  end
end

-- --- what may happen to them: added to the actions of chaos.lua ---

local function pick(list) return list[math.random(#list)] end
local function role() return pick { "w1", "w2", "w3", "w4", "w1", "w2", "w3", "w4", "c1", "c2" } end

-- A link is let alone until what befell it is over.
local function claim(c, a, b)
  c.busy = c.busy or {}
  local key = a .. " " .. b
  if c.busy[key] then return nil end
  c.busy[key] = true
  return function() c.busy[key] = nil end
end

local function spoil(c, a, b, seconds, words, set, unset, one_way)
  local free = claim(c, a, b)
  if not free then return end
  c.hosts:links(a, b, one_way, set)
  c:in_a_while(seconds, ("%s and %s: over"):format(a, b), function()
    c.hosts:links(a, b, one_way, unset)
    free()
  end)
  c.log(("%6.1f  %s and %s for %.1f s"):format(c.now, a, b, seconds))
  return words
end

local function cut(l) l.cut = 1 end
local function uncut(l) l.cut = 0 end

local function cut_link(c, server, long)
  local seconds = long and c.lease * (1.3 + math.random()) or 0.1 + math.random() * c.lease * 0.6
  return spoil(c, role(), server, seconds, ("link to the %s cut %s"):format(SERVERS[server], long and "past the lease" or "for a moment"), cut, uncut)
end

local actions = {}
for server in pairs(SERVERS) do
  actions["cut_" .. server] = function(c) return cut_link(c, server, false) end
  actions["cut_long_" .. server] = function(c) return cut_link(c, server, true) end
end

-- Packets go one way only: the sender hears nothing, the other sees all.
function actions.cut_one_way(c)
  local server, w = pick { "db", "db", "broker", "store" }, role()
  local a, b = w, server
  if math.random() < 0.5 then a, b = server, w end
  return spoil(c, a, b, c.lease * (0.3 + 1.5 * math.random()), "link cut in one direction", cut, uncut, true)
end

function actions.delay(c)
  local us = 1000 * math.random(5, 250)
  return spoil(c, role(), pick { "db", "broker", "store" }, 1 + 4 * math.random(), "packets late by 5 to 250 ms",
    function(l) l.delay_us = us end, function(l) l.delay_us = 0 end)
end

function actions.lose(c)
  local loss = math.random(10, 300)
  return spoil(c, role(), pick { "db", "broker", "store" }, 1 + 4 * math.random(), "1 to 30 % of packets lost",
    function(l) l.loss = loss end, function(l) l.loss = 0 end)
end

-- A whole host is away, as by a switch that fails.
function actions.island(c)
  local w, frees = role(), {}
  for server in pairs(SERVERS) do
    local free = claim(c, w, server)
    if free then
      frees[#frees + 1] = free
      c.hosts:cut(w, server, true)
      frees[#frees + 1] = function() c.hosts:cut(w, server, false) end
    end
  end
  if #frees == 0 then return end
  c:in_a_while(c.lease * (0.5 + 1.5 * math.random()), w .. " is back", function() for _, free in ipairs(frees) do free() end end)
  c.log(("%6.1f  %s is an island"):format(c.now, w))
  return "host away from everything"
end

-- A server is away from everybody.
function actions.server_away(c)
  local server, frees = pick { "db", "broker", "store" }, {}
  for _, name in ipairs { "c1", "c2", "w1", "w2", "w3", "w4" } do
    local free = claim(c, name, server)
    if free then
      frees[#frees + 1] = free
      c.hosts:cut(name, server, true)
      frees[#frees + 1] = function() c.hosts:cut(name, server, false) end
    end
  end
  if #frees == 0 then return end
  c:in_a_while(c.lease * (0.2 + 1.3 * math.random()), server .. " is back", function() for _, free in ipairs(frees) do free() end end)
  return ("%s away from everybody"):format(SERVERS[server])
end

Hosts.actions = actions
Hosts.weights = {
  { "cut_db", 5 }, { "cut_long_db", 4 }, { "cut_broker", 3 }, { "cut_long_broker", 2 }, { "cut_store", 3 }, { "cut_long_store", 3 },
  { "cut_one_way", 6 }, { "delay", 5 }, { "lose", 5 }, { "island", 4 }, { "server_away", 2 },
  { "kill_worker", 2 }, { "kill_control", 1 }, { "kill_child", 1 }, { "stop_worker", 1 }, { "kill_postgres", 1 }, { "lose_messages", 1 },
}
-- Each host has one worker or control, with its own scratch, folder and cache.
Hosts.workers = { { name = "w1", host = "w1" }, { name = "w2", host = "w2" }, { name = "w3", host = "w3" }, { name = "w4", host = "w4" } }
Hosts.controls = { { name = "c1", host = "c1" }, { name = "c2", host = "c2" } }

return Hosts
