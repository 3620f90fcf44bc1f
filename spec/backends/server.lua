-- server.lua: a PostgreSQL server of a spec's own, which it may kill: unix socket for all, TCP only with TLS and a password.
local ffi = require "ffi"
local T = require "spec.support"
local B = require "spec.backends.backend"

-- nil and why, where there is no server program.
return function()
  local dir = T.tmpdir()
  local made = T.sh(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    .. " -keyout %s/key -out %s/ca.crt && chmod 600 %s/key && chmod 644 %s/ca.crt"):format(dir, dir, dir, dir))
  if made.status ~= 0 then return nil, "openssl: " .. made.err end
  if ffi.C.geteuid() == 0 then assert(T.sh(("chown nobody %s %s/key"):format(dir, dir)).status == 0) end
  T.write(dir .. "/hba", "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
  local server, why
  for try = 0, 4 do
    local port = 20000 + (ffi.C.getpid() * 7 + try * 1237) % 12000
    server, why = B.server(("-p %d -c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file=%s/ca.crt -c ssl_key_file=%s/key -c hba_file=%s/hba")
      :format(port, dir, dir, dir))
    if server then
      server.port, server.certificate = port, dir .. "/ca.crt"
      return server
    end
  end
  return nil, why
end
