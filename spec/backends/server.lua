-- server.lua: a PostgreSQL server of a spec's own, which it may kill: unix socket for all, TCP only with TLS and a password.
local ffi = require "ffi"
local T = require "spec.support"
pcall(ffi.cdef, "int getpid(void); unsigned geteuid(void);")

local Server = {}
Server.__index = Server

local function bin_folder()
  local dir = T.sh("ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1").out:match "%S+"
  return dir and T.read(dir .. "/initdb") and dir
end

function Server:sh(command) return T.sh(self.as .. command) end

function Server:start()
  local options = ("-k %s -p %d -c listen_addresses=127.0.0.1 -c ssl=on -c fsync=off -c shared_buffers=32MB"):format(self.dir, self.port)
  local started = self:sh(("%s/pg_ctl -D %s/data -w -t 60 -l %s/log -o '%s' start"):format(self.bin, self.dir, self.dir, options))
  return started.status == 0, started.out .. (T.read(self.dir .. "/log") or "")
end

-- SIGKILL to the server and all processes that it made, as when a machine fails.
function Server:kill()
  local pid = T.read(self.dir .. "/data/postmaster.pid"):match "^%d+"
  local children = T.sh(("cat /proc/%s/task/%s/children"):format(pid, pid)).out:gsub("%s+", " ")
  T.sh(("kill -9 %s %s; sleep 0.2"):format(pid, children))
  os.remove(self.dir .. "/data/postmaster.pid") -- nobody may have waited for it yet, and then its number still counts
  os.remove(("%s/.s.PGSQL.%d.lock"):format(self.dir, self.port))
end

function Server:stop() self:sh(("%s/pg_ctl -D %s/data -m immediate stop"):format(self.bin, self.dir)) end

function Server:url(name, more) return ("postgresql://eas@/%s?host=%s&port=%d%s"):format(name, self.dir, self.port, more or "") end
function Server:psql(name, sql) return self:sh(("%s/psql -X -q -A -t -v ON_ERROR_STOP=1 -h %s -p %d -U eas -d %s -c %s"):format(self.bin, self.dir, self.port, name, T.quote(sql))) end

-- nil and why, where there is no server program.
return function()
  local bin = bin_folder()
  if not bin then return nil, "no PostgreSQL server here (/usr/lib/postgresql/*/bin/initdb)" end
  local self = setmetatable({ bin = bin, dir = T.tmpdir(), as = "" }, Server)
  if ffi.C.geteuid() == 0 then -- the server refuses to run as root
    self.as = "setpriv --reuid nobody --regid nogroup --clear-groups "
    assert(T.sh("chown nobody " .. self.dir).status == 0)
  end
  local made = self:sh(("%s/initdb -D %s/data -U eas -A trust --no-sync -E UTF8 --locale=C"):format(bin, self.dir))
  if made.status ~= 0 then return nil, "initdb: " .. made.err end
  made = self:sh(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    .. " -keyout %s/data/server.key -out %s/data/server.crt && chmod 600 %s/data/server.key"):format(self.dir, self.dir, self.dir))
  if made.status ~= 0 then return nil, "openssl: " .. made.err end
  T.write(self.dir .. "/hba", "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
  T.sh(("cat %s/hba >%s/data/pg_hba.conf; cp %s/data/server.crt %s/ca.crt; chmod 644 %s/ca.crt"):format(self.dir, self.dir, self.dir, self.dir, self.dir))
  local why
  for try = 0, 4 do
    self.port = 20000 + (ffi.C.getpid() * 7 + try * 1237) % 12000
    local ok
    ok, why = self:start()
    if ok then return self end
  end
  return nil, "pg_ctl: " .. why
end
