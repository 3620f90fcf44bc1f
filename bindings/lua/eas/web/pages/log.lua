-- log: the whole log of an attempt, as text.
local ask = require "eas.web.ask"
local format = require "eas.web.format"

local page = { summary = "the whole log of an attempt, as text", query = {} }

local function from_lines(attempt)
  local out, seq = {}, -1
  repeat
    local lines = ask.of("log", { attempt = attempt, seq = seq, limit = 5000 })
    for _, l in ipairs(lines) do
      out[#out + 1] = ("%s %s %s\n"):format(format.stamp(l.at), require("eas.web.pages.attempt").level(l.level), l.text)
      seq = l.seq
    end
  until #lines < 5000
  return table.concat(out)
end

function page.raw(query)
  local a = ask.of("attempt", { attempt = query.attempt })
  local more = { type = "text/plain; charset=utf-8", packed = a.log,
    headers = { ["Content-Disposition"] = ('attachment; filename="%s.log"'):format(a.attempt) } }
  return 200, more, not a.log and from_lines(a.attempt) or ""
end

return page
