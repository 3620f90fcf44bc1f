-- broker.lua: a RabbitMQ server of this process's own (broker.sh), started at the first use and gone with its folder.
-- Specs share it by prefixes of queue names: no two tests hear each other.
local ffi = require "ffi"
local T = require "spec.support"

local Broker = {}
local dir, why_none
local n_prefixes = 0

local function run(verb)
  return T.sh(("%s/spec/backends/broker.sh %s %s %d"):format(T.root, verb, dir, ffi.C.getpid()))
end

-- Its folder, or nil and why there is none.
function Broker.dir()
  if dir == nil then
    dir = T.tmpdir() .. "/broker"
    local got = run "start"
    if got.status ~= 0 then dir, why_none = false, (got.err:gsub("%s+$", "")) end
  end
  if not dir then return nil, why_none end
  return dir
end

-- An address with queue names of its own; more: further parameters. Skips the test where there is no broker.
function Broker.url(more, tls)
  T.skip_unless(Broker.dir(), why_none)
  n_prefixes = n_prefixes + 1
  local base = T.read(dir .. (tls and "/tls_url" or "/url")):match "%S+"
  return ("%s?prefix=p%d.%s"):format(base, n_prefixes, more or "")
end

function Broker.address() return T.read(Broker.dir() .. "/url"):match "@([^:]+):" end
function Broker.port() return tonumber(T.read(Broker.dir() .. "/ports"):match "%d+") end
function Broker.kill() assert(run("kill").status == 0) end
function Broker.again()
  local got = run "start"
  assert(got.status == 0, got.err)
end

function Broker.stop()
  if dir then run "stop" end
  dir = nil
end

-- --- a way to it that can be cut: for whoever comes along it the broker is gone, and a start of the broker takes seconds ---

local FORWARD = [[
import asyncio, sys
async def pump(r, w):
    try:
        while data := await r.read(65536):
            w.write(data)
            await w.drain()
    except OSError:
        pass
    w.close()
async def serve(r, w):
    far_r, far_w = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    await asyncio.gather(pump(r, far_w), pump(far_r, w))
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
]]

local Way = {}
Way.__index = Way

-- url leads along it. way:cut() ends it and every connection, way:open() lets them come again.
function Broker.way(more)
  local way = setmetatable({ port = 0, script = T.write(T.tmpdir() .. "/forward.py", FORWARD) }, Way)
  local url = Broker.url(more)
  way:open()
  return way, (url:gsub(":%d+%?", (":%d?"):format(way.port)))
end

function Way:open()
  local out = self.script .. ".port"
  os.remove(out)
  local pipe = io.popen(("exec python3 %s %d %d >%s 2>/dev/null & echo $!"):format(self.script, Broker.port(), self.port, out))
  self.pid = pipe:read "*n"
  pipe:close()
  for _ = 1, 500 do
    self.port = tonumber(T.read(out) or "") or 0
    if self.port > 0 then return end
    T.sh "sleep 0.02"
  end
  error "the way to the broker does not open"
end

function Way:cut()
  if self.pid then ffi.C.kill(self.pid, 9) end
  self.pid = nil
end

-- --- a purge, which amqp-tools cannot do ---

ffi.cdef [[
typedef struct { size_t len; const void *bytes; } eas_spec_amqp_bytes;
typedef struct { int type; struct { uint32_t id; void *decoded; } method; int error; } eas_spec_amqp_reply;
void *amqp_new_connection(void);
void *amqp_tcp_socket_new(void *connection);
int amqp_socket_open(void *socket, const char *host, int port);
eas_spec_amqp_reply amqp_login(void *connection, const char *vhost, int channels, int frame, int heartbeat, int method, ...);
void *amqp_channel_open(void *connection, uint16_t channel);
const uint32_t *amqp_queue_purge(void *connection, uint16_t channel, eas_spec_amqp_bytes queue);
int amqp_destroy_connection(void *connection);
int kill(int pid, int signal);
]]

-- Empties the queue of a type of url; how many messages were in it. nil: the broker is away, or has no such queue.
function Broker.purge(url, type)
  local C, name, n = ffi.C, url:match "prefix=([^&]*)" .. type, nil
  local connection = C.amqp_new_connection()
  if C.amqp_socket_open(C.amqp_tcp_socket_new(connection), Broker.address(), Broker.port()) == 0
    and C.amqp_login(connection, "/", ffi.new("int", 0), ffi.new("int", 131072), ffi.new("int", 0), ffi.new("int", 0), "guest", "guest").type == 1
    and C.amqp_channel_open(connection, 1) ~= nil then
    local purged = C.amqp_queue_purge(connection, 1, ffi.new("eas_spec_amqp_bytes", #name, ffi.cast("const char *", name)))
    if purged ~= nil then n = purged[0] end
  end
  C.amqp_destroy_connection(connection)
  return n
end

return Broker
