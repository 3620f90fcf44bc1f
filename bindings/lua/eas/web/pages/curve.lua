-- curve: the points of a light curve or periodogram between two times, thinned to columns of a screen.
local ask = require "eas.web.ask"
local curve = require "eas.web.curve"
local download = require "eas.web.pages.download"

local page = {
  summary = "points of a light curve or periodogram: x, y; of too many: x, lo, hi per column",
  query = { { "from", "number", "from this time or period" }, { "to", "number", "to this one" },
    { "columns", "integer", "at most so many (800)" }, { "flagged", "integer", "1: with samples that are flagged" } },
}

function page.data(query)
  local p = ask.of("file", { id = query.file })
  local v = download.version(p, query.file)
  local c, axes = curve.open(v.sha256, p.kind, v.size)
  if not c then error(ask.fault(404, axes), 0) end
  return curve.part(c, axes, query.from, query.to, math.max(50, math.min(4000, query.columns or 800)), query.flagged == 1)
end

return page
