-- start.lua: sets the paths, then hands the spec to busted; run by eas_spec.c.
local host = eas_spec_host
eas_spec_host = nil
package.loaded["spec.host"] = host

local path = package.path:gsub("^%./%?%.lua;", "") -- the current folder is nobody's library
local share = host.build .. "/share/eas/lua/"
package.path = ("%s/?.lua;%s?.lua;%s?/init.lua;%s"):format(host.root, share, share, path)

arg = { [0] = "eas-spec", "--output=" .. host.root .. "/spec/host/output.lua", unpack(host) }

local exit = os.exit
os.exit = function(code, close) -- busted leaves by it
  require("spec.support").clean_up()
  io.stdout:flush()
  exit(code, close)
end

local found, core = pcall(require, "busted.core")
if found then -- skipping is a function of the running instance, which tests see only in their own environment
  package.loaded["busted.core"] = function(...)
    local busted = core(...)
    host.skip = busted.pending
    return busted
  end
end
local started, runner = pcall(require, "busted.runner")
if not started then
  io.stderr:write("eas-spec: busted is missing: apt-get install lua-busted\n", runner, "\n")
  exit(2)
end
local ok, why = pcall(runner, { standalone = false }) -- called from C, it leaves by os.exit when a test failed
if not ok then io.stderr:write("eas-spec: ", tostring(why), "\n") end
os.exit(ok and 0 or 1, true)
