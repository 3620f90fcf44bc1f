-- export: results as a table that TOPCAT and astropy open.
local ask = require "eas.web.ask"
local context = require "eas.web.context"

local page = {
  summary = "results as fits or votable: the first 10 000 rows",
  query = { { "job", "string", "j3; default the newest" }, { "type", "string", "task type" } },
}
local TYPES = { fits = "application/fits", votable = "application/x-votable+xml" }
local ENDING = { fits = "fits", votable = "vot" }

function page.raw(query)
  if not TYPES[query.table] then error(ask.fault(404, "results come as csv, fits or votable"), 0) end
  local job = context.job(query)
  if not job then error(ask.fault(404, "there is no job yet"), 0) end
  return 200, { type = TYPES[query.table], export = { job = job.job, type = query.type, format = query.table },
    headers = { ["Content-Disposition"] = ('attachment; filename="%s.%s"'):format(job.job, ENDING[query.table]) } }
end

return page
