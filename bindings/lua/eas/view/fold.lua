-- eas.view.fold: a light curve folded, as SVG. Request: { path = file with a light curve, period =, t0 =, duration =, depth = (day,
-- unit of flux), lc_duration = or nil, title =, note =, most = points, standalone = bool }.
local fold = require "eas.plot.fold"
local lc = require "eas.lc"

return function(request)
  local curve, why = lc.read(request.path)
  if not curve then error(why, 0) end
  if type(request.lc_duration) == "number" and request.lc_duration > 0 then curve = curve:truncate(request.lc_duration) end
  return fold.svg(curve, request)
end
