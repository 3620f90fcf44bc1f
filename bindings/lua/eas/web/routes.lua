-- eas.web.routes: which pages there are, under which paths; the JSON API and its description come from the same table.
local ask = require "eas.web.ask"

local routes = {}

-- path; page: there is HTML; api: there is JSON at /api/v1 and the path; csv: also a table there.
local TABLE = {
  { "/", "home", page = true, api = "/overview" },
  { "/jobs", "jobs", page = true, api = true, csv = true },
  { "/jobs/{job}", "job", page = true, api = true },
  { "/tasks", "tasks", page = true, api = true, csv = true },
  { "/tasks/{task}", "task", page = true, api = true },
  { "/attempts/{attempt}", "attempt", page = true, api = true },
  { "/attempts/{attempt}/fold", "fold", api = true },
  { "/attempts/{attempt}/log", "log", page = true },
  { "/errors", "errors", page = true, api = true, csv = true },
  { "/files", "files", page = true, api = true, csv = true },
  { "/files/{file}", "file", page = true, api = true },
  { "/files/{file}/plot", "curve", api = true },
  { "/files/{file}/download", "download", page = true },
  { "/logs", "logs", page = true, api = true, csv = true },
  { "/timings", "timings", page = true, api = true, csv = true },
  { "/results", "results", page = true, api = true, csv = true },
  { "/results.{table}", "export", api = true },
  { "/maps", "maps", page = true, api = true },
  { "/timeline", "timeline", page = true, api = true, csv = true },
  { "/workers", "workers", page = true, api = true },
  { "/registry", "registry", page = true, api = true },
  { "/events", "events", api = true },
  { "/openapi.json", "openapi", api = true },
  { "/api", "api", page = true },
  { "/session", "session", page = true },
  { "/session/end", "session_end", action = true },
  { "/tasks/{bulk}", "bulk", action = true, described = true },
  { "/{target}/{verb}", "act", action = true, described = true },
}
local IDS = { job = "(j%d+)", task = "(t%d+)", attempt = "(a%d+)", file = "([pv]%d+)", target = "([jt]%d+)", verb = "(%l+)", bulk = "(%l+)",
  table = "(%l%l%l%l+)" }

local function compile(row)
  local route = { path = row[1], name = row[2], api = row.api, csv = row.csv, html = row.page, names = {}, action = row.action,
    described = row.described }
  local pattern = row[1]:gsub("[%-.]", "%%%0"):gsub("{(%a+)}", function(name)
    route.names[#route.names + 1] = name
    return IDS[name]
  end)
  route.pattern = "^" .. pattern .. "$"
  route.module = require("eas.web.pages." .. row[2])
  return route
end

local all = {}
for i, row in ipairs(TABLE) do all[i] = compile(row) end
routes.all = all

local function match(path, wanted)
  for _, route in ipairs(all) do
    local at = { path:match(route.pattern) }
    if at[1] and route[wanted] then
      local params = {}
      for i, name in ipairs(route.names) do params[name] = at[i] end
      return route, params
    end
  end
end

-- The route of a path, what its ids are, and what is wanted: html, json, csv.
function routes.find(path)
  local rest = path:match "^/api/v1(/.*)$"
  if not rest then
    local route, params = match(path, "html")
    if not route then route, params = match(path, "action") end
    return route, params, route and (route.html and "html" or "action")
  end
  if rest == "/overview" then rest = "/" end
  local route, params = match(rest, "api")
  if route then return route, params, "json" end
  local stem = rest:match "^(.*)%.csv$"
  if stem then
    route, params = match(stem, "csv")
    if route then return route, params, "csv" end
  end
  route, params = match(rest, "action")
  if route and route.action then return route, params, "action" end
end

local KINDS = {
  integer = function(v) return v:find "^%-?%d+$" and #v < 16 and tonumber(v) end,
  number = function(v)
    local x = tonumber(v)
    return x and x == x and math.abs(x) < 1e300 and not v:find "[xX]" and x
  end,
  string = function(v) return #v <= 300 and v end,
}

-- The query as the page wants it: what it does not know, or what is none of its kind, is an error that says so.
function routes.query(route, given)
  local out, known = {}, {}
  for _, p in ipairs(route.module.query or {}) do
    known[p[1]] = true
    local v = given[p[1]]
    if v and v ~= "" then
      local kind = KINDS[p[2]]
      local value = kind(v)
      if value == nil or value == false then error(ask.fault(400, ("%s: '%s' is no %s"):format(p[1], v:sub(1, 60), p[2])), 0) end
      out[p[1]] = value
    end
  end
  for name in pairs(given) do
    if not known[name] then
      local names = {}
      for _, p in ipairs(route.module.query or {}) do names[#names + 1] = p[1] end
      error(ask.fault(400, ("this page has no '%s'"):format(name:sub(1, 60)),
        #names > 0 and "it knows " .. table.concat(names, ", ") or "it takes nothing"), 0)
    end
  end
  return out
end

return routes
