-- error: fails always, by an assertion: for trying out what happens then.
local eas = require "eas"

return eas.task(function(task)
  task:settings {}
  assert(false, "this task fails by design")
end)
