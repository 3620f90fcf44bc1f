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

return Broker
