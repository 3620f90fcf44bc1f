-- A spec that is killed leaves no server behind.
local ffi = require "ffi"
local T = require "spec.support"
local Postgres = require "spec.backends.postgres"
local B = require "spec.backends.backend"
ffi.cdef "int kill(int pid, int signal);"

it("a server ends with the process that owns it", function()
  local files, why = B.cluster_files()
  T.skip_unless(files, why)
  local pipe = io.popen "sleep 60 & echo $!"
  local owner = pipe:read "*n"
  local p = assert(Postgres.new(files, "", owner))
  local server = tonumber(T.read(p.dir .. "/data/postmaster.pid"):match "%d+")
  local function alive() return (T.read(("/proc/%d/stat"):format(server)) or ") Z "):find "%) [^ZX] " ~= nil end
  assert.is_true(alive())
  ffi.C.kill(owner, 9)
  pipe:close()
  for _ = 1, 100 do
    if not alive() and not T.read(p.dir .. "/data/PG_VERSION") then break end
    T.sh "sleep 0.05"
  end
  assert.is_false(alive())
  assert.is_nil(T.read(p.dir .. "/data/PG_VERSION"))
end)
