-- api: the JSON API for people.
local h = require "eas.web.html"
local parts = require "eas.web.parts"

local page = { summary = "the JSON API for people", query = {} }

function page.data()
  local list = {}
  for _, route in ipairs(require("eas.web.routes").all) do
    if route.api or route.described then list[#list + 1] = route end
  end
  return list
end

function page.page(list)
  local rows = {}
  for i, route in ipairs(list) do
    local path = "/api/v1" .. (route.path == "/" and "/overview" or route.path)
    local takes = {}
    for k, q in ipairs(route.module.query or route.module.form or {}) do
      takes[k] = { k > 1 and ", " or "", h.span { title = q[3], q[1] } }
    end
    rows[i] = { route.path:find "{" and h.code(path) or h.a { href = path, h.code(path) }, route.action and "POST" or "GET",
      route.module.summary, takes, route.csv and h.a { href = path .. ".csv", ".csv" } or "" }
  end
  return { title = "JSON API", body = { h.p { "Everything on these pages is there as JSON under the same names: ",
    h.a { href = "/api/v1/openapi.json", "openapi.json" }, " describes it. Lists are ", h.code "{items, next}",
      "; stamps are microseconds UTC." },
    parts.table({ "path", "method", "what", "takes", "table" }, rows, "", { label = "paths" }) } }
end

return page
