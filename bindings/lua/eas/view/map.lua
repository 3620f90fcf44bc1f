-- eas.view.map: a recovery map as SVG. Request: { recovery = what eas_view_recovery says, panel = place in panels from 0,
-- standalone = bool }.
local map = require "eas.plot.map"

return function(request)
  local panel = request.recovery.panels[request.panel + 1]
  if not panel then error(("there is no panel %d of %d"):format(request.panel, #request.recovery.panels), 0) end
  return map.svg(request.recovery, panel, { standalone = request.standalone, id = tostring(request.panel) })
end
