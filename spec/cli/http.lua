-- http.lua: a client of HTTP for specs: requests as they should be, and bytes as nobody should send them.
local ffi = require "ffi"
local cjson = require "cjson"
local Roles = require "spec.cli.roles"

ffi.cdef [[
struct http_addr { uint16_t family; uint16_t port; uint8_t ip[4]; uint8_t zero[8]; };
struct http_poll { int fd; short events, revents; };
int socket(int, int, int);
int connect(int, const void *, unsigned);
ssize_t send(int, const void *, size_t, int);
ssize_t recv(int, void *, size_t, int);
int poll(struct http_poll *, unsigned long, int);
int close(int);
struct http_time { long s, ns; };
int clock_gettime(int, struct http_time *);
]]

local Http = {}
Http.__index = Http

-- Seconds of a clock that only goes on.
function Http.now()
  local t = ffi.new "struct http_time"
  ffi.C.clock_gettime(1, t)
  return tonumber(t.s) + tonumber(t.ns) / 1e9
end

-- Starts `eas web` in a world of roles; words beside the port. env: of the server alone; name: of its log (web).
function Http.start(roles, words, env, name)
  name = name or "web"
  local kept = roles.env
  roles.env = setmetatable({}, { __index = kept })
  for k, v in pairs(kept) do roles.env[k] = v end
  for k, v in pairs(env or {}) do roles.env[k] = v end
  local pid = roles:start("web --listen 127.0.0.1:0 " .. (words or ""), name)
  roles.env = kept
  local port = roles:wait("the dashboard's port", function()
    assert(Roles.alive(pid), roles:log(name))
    return tonumber(roles:log(name):match "http://[%d.]+:(%d+)/")
  end)
  return setmetatable({ port = port, roles = roles, pid = pid, name = name }, Http)
end

function Http:connect()
  local fd = ffi.C.socket(2, 1, 0)
  local a = ffi.new("struct http_addr", { family = 2, port = bit.bor(bit.lshift(bit.band(self.port, 255), 8), bit.rshift(self.port, 8)),
    ip = { 127, 0, 0, 1 } })
  assert(ffi.C.connect(fd, a, ffi.sizeof(a)) == 0, "no connection")
  return fd
end

-- What comes until the other side closes, or nothing for so long (ms), or `enough` says so.
function Http.read(fd, ms, enough)
  local parts, buffer = {}, ffi.new "char[65536]"
  local p = ffi.new("struct http_poll", { fd = fd, events = 1 })
  local closed = false
  while ffi.C.poll(p, 1, ms or 8000) > 0 do
    local n = tonumber(ffi.C.recv(fd, buffer, 65536, 0))
    if n <= 0 then
      closed = true
      break
    end
    parts[#parts + 1] = ffi.string(buffer, n)
    if enough and enough(table.concat(parts)) then break end
  end
  return table.concat(parts), closed
end

-- Sends bytes as they are; all that comes back.
function Http:raw(bytes, ms)
  local fd = self:connect()
  ffi.C.send(fd, bytes, #bytes, 0x4000)
  local text, closed = Http.read(fd, ms)
  ffi.C.close(fd)
  return text, closed
end

-- { status, headers (names in lower case), body }
function Http:ask(method, path, headers, body)
  local lines = { ("%s %s HTTP/1.1"):format(method, path), "Connection: close" }
  headers = headers or {}
  if not headers.Host then lines[#lines + 1] = "Host: 127.0.0.1:" .. self.port end
  for k, v in pairs(headers) do lines[#lines + 1] = k .. ": " .. v end
  if body then lines[#lines + 1] = "Content-Length: " .. #body end
  local text = self:raw(table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or ""))
  local status, head, rest = text:match "^HTTP/1%.1 (%d+)[^\r]*\r\n(.-)\r\n\r\n(.*)$"
  assert(status, ("%s %s: no answer: %s\n%s"):format(method, path, text:sub(1, 200), self.roles:log(self.name)))
  local got = { status = tonumber(status), headers = {}, body = rest }
  for k, v in (head .. "\r\n"):gmatch "([^:\r\n]+): ([^\r\n]*)\r\n" do got.headers[k:lower()] = v end
  if (got.headers["transfer-encoding"] or "") == "chunked" then
    got.body = rest:gsub("^%x+\r\n", ""):gsub("\r\n%x+\r\n", ""):gsub("\r\n0\r\n.*$", "")
  end
  return got
end

function Http:get(path, headers) return self:ask("GET", path, headers) end

-- The JSON of a path of the API.
function Http:api(path)
  local got = self:get("/api/v1" .. path)
  assert(got.status == 200, path .. ": " .. got.status .. " " .. got.body)
  return cjson.decode(got.body)
end

return Http
