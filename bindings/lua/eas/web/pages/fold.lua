-- fold: the light curve of a search, folded.
local ask = require "eas.web.ask"

local page = {
  summary = "the light curve of a search, folded: means of phase bins, of even and of odd transits",
  query = { { "period", "number", "day; default what it found" }, { "half", "number", "to so many days from mid-transit" } },
}

function page.data(query)
  local f, why = require("eas.web.fold_plot").data(ask.of("attempt", { attempt = query.attempt }), query)
  if not f then error(ask.fault(404, why), 0) end
  return f
end

return page
