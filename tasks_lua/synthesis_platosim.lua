-- synthesis_platosim: runs PlatoSim (or a program like it), which the configuration names: programs: platosim=/PATH
--   inputs    any, such as configuration; arguments name them as {configuration}
--   outputs   any that `files` names
--   settings  arguments, files: lib/external.lua
--   metadata  program, arguments
local eas = require "eas"
local external = require "lib.external"

local settings = {
  arguments = { { "{configuration}", "platosim.hdf5" }, external.settings.arguments[2] },
  files     = { { simulation = "platosim.hdf5" }, external.settings.files[2] },
}

return eas.task(function(task)
  local set = task:settings(settings)
  if not task.program then error("the program platosim is not configured on this worker: programs: platosim=/PATH", 0) end
  external.run(task, external.command(task, task.program, set.arguments))
  external.hand_over(task, set.files)
  task:set { program = task.program, arguments = set.arguments }
end)
