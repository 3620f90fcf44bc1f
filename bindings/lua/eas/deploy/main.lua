-- main.lua: what eas deploy runs: main.lua REQUEST (JSON, put together by engine/cli/cmd_deploy.c).
local json = require "eas.json"
local plan = require "eas.deploy.plan"

local TARGETS = { kubernetes = "eas.deploy.kubernetes", slurm = "eas.deploy.slurm" }

local request = json.decode(arg[1])
local target = TARGETS[request.target]
local ok, why, hint
if target then
  ok, why, hint = plan.guard(function() require(target).write(plan.new(request)) end)
else
  why, hint = ("'%s' is neither kubernetes nor slurm"):format(request.target), "usage: eas deploy kubernetes|slurm"
end
if ok then return 0 end
io.stderr:write("eas deploy: ", why, "\n", hint and "   " .. hint .. "\n" or "")
return 2
