-- download: the bytes of a version (or of a product's best one). Ranges are served.
local ask = require "eas.web.ask"

local page = { summary = "the bytes of a file; ranges are served", query = { { "show", "integer", "1: in the browser, text only" } } }

-- The version that an id means: of a product the one that passed, else the newest.
function page.version(p, id)
  for _, v in ipairs(p.versions) do
    if v.version == id or id:sub(1, 1) == "p" and v.version == (p.passed or v.version) then return v end
  end
  error(ask.fault(404, id .. " has no bytes yet", "eas why " .. p.task), 0)
end

local TEXT = { txt = true, csv = true, json = true, log = true, lua = true, cfg = true, dat = true }

function page.raw(query)
  local p = ask.of("file", { id = query.file })
  local v = page.version(p, query.file)
  local name = p.filename:match "[^/]*$":gsub('[^%w%-._]', "_")
  local text = query.show == 1 and TEXT[name:match "%.(%w+)$" or ""]
  return 200, { object = v.sha256, type = text and "text/plain; charset=utf-8" or "application/octet-stream", headers = {
    ["Content-Disposition"] = ('%s; filename="%s"'):format(text and "inline" or "attachment", name),
    ["Content-Security-Policy"] = "sandbox; default-src 'none'", ETag = '"' .. v.sha256 .. '"',
      ["Cache-Control"] = "private, max-age=86400" } }
end

return page
