-- server.lua: a real S3 server for specs: installed once, outside of the repository, by package-lock.json and its hashes.
local ffi = require "ffi"
local T = require "spec.support"
local cjson = require "cjson"

local S = { id = "S3RVER", secret = "S3RVER", bucket = "light" }

local INSTALL = [[
set -e
here=%s/spec/s3
command -v npm >/dev/null && command -v node >/dev/null || { echo "no npm and node"; exit 1; }
to=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/eas/s3-$(cat "$here"/package*.json | sha256sum | cut -c 1-16)
mkdir -p "$(dirname "$to")"
exec 9>"$to.lock"
flock 9
if [ ! -d "$to" ]; then
  rm -rf "$to.new" && mkdir "$to.new" && cp "$here/package.json" "$here/package-lock.json" "$to.new"
  (cd "$to.new" && timeout 120 npm ci --ignore-scripts --omit=optional --no-audit --no-fund >log 2>&1) ||
    { echo "npm could not install it: $(grep -m 1 'npm error' "$to.new/log")"; exit 1; }
  mv "$to.new" "$to"
fi
echo "$to"
]]

-- The folder it is installed in; or nil and why not.
function S.installed()
  if S.folder or S.why then return S.folder, S.why end
  local got = T.sh(INSTALL:format(T.root))
  if got.status == 0 then S.folder = got.out:match "([^\n]+)\n$" else S.why = "no S3 server: " .. got.out:gsub("\n", " ") end
  return S.folder, S.why
end

-- Starts one over a folder of objects. options: port, key and cert, address (127.0.0.1). Returns { port, endpoint, pid, directory } with methods; stop() it.
local server, serial = {}, 0
server.__index = server

function S.start(directory, options)
  options = options or {}
  local self = setmetatable({ directory = directory, tls = options.key, address = options.address }, server)
  self:run(options.port or 0, options.key, options.cert)
  return self
end

function server:run(port, key, cert)
  local dir = T.tmpdir()
  self.control = dir
  local command = ("mkfifo %s/stop; PORT=%d ADDRESS=%s NODE_PATH=%s/node_modules node --openssl-legacy-provider %s/spec/s3/server.js %s %s %s %s <%s/stop >%s/port 2>%s/err & echo $!")
    :format(dir, port, self.address or "127.0.0.1", S.installed(), T.root, self.directory, dir, key or "", cert or "", dir, dir, dir)
  self.pid = tonumber(T.sh(command).out)
  self.stdin = assert(io.open(dir .. "/stop", "w")) -- its end is the server's: it never outlives this process
  self.stdin:setvbuf "no"
  local got = T.sh(("for i in $(seq 200); do [ -s %s/port ] && break; sleep 0.05; done; cat %s/port %s/err"):format(dir, dir, dir))
  self.port = assert(tonumber(got.out:match "^%d+"), got.out)
  self.endpoint = ("%s://%s:%d"):format(self.tls and "https" or "http", self.address or "localhost", self.port)
end

-- As the power goes: no connection is closed in order.
function server:kill()
  T.sh(("kill -9 %d; while kill -0 %d 2>/dev/null; do sleep 0.02; done"):format(self.pid, self.pid))
  self.stdin:close()
end
server.stop = server.kill

function server:again() self:run(self.port) end

function server:faults(list)
  serial = serial + 1
  if #list == 0 then list = { { kind = "none", times = 0 } } end
  list[1].serial = serial -- the same list anew is another text
  local path = self.control .. "/faults"
  T.write(path .. ".new", cjson.encode(list))
  os.rename(path .. ".new", path)
end

-- "PUT" -> how many requests since the last look.
function server:seen()
  local count = { PUT = 0, POST = 0, GET = 0, HEAD = 0, DELETE = 0 }
  for method in (T.read(self.control .. "/seen") or ""):gmatch "(%u+) [^\n]*\n" do count[method] = count[method] + 1 end
  os.remove(self.control .. "/seen")
  return count
end

-- The file in which it keeps an object.
function server:file(prefix, hex)
  return ("%s/light/%s/objects/%s/%s._S3rver_object"):format(self.directory, prefix, hex:sub(1, 2), hex)
end

-- Settings for eas_store_open_with; keep what it returns alive.
function S.settings(endpoint, cache, limit)
  local set = ffi.new "eas_store_settings"
  local texts = { endpoint, cache }
  set.endpoint, set.cache, set.cache_bytes, set.path_style = endpoint, cache, limit or 0, -1
  set.tries, set.stall_ms, set.pause_ms, set.part_bytes = 4, 1000, 5, 5 * 2 ^ 20
  return set, texts
end

return S
