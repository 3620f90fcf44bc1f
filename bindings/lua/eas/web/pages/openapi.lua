-- openapi: the description of the JSON API, made from the table of routes.
local json = require "eas.json"

local page = { summary = "this description", query = {} }
local ERROR = { description = "what went wrong, and what to do",
  content = { ["application/json"] = { schema = { ["$ref"] = "#/components/schemas/Error" } } } }

local DESCRIBED = { verb = "retry, pause, resume or cancel", bulk = "retry or cancel", table = "fits or votable" }

local function parameters(route)
  local list = json.list()
  for _, name in ipairs(route.names) do
    list[#list + 1] = { name = name, ["in"] = "path", required = true, schema = { type = "string" },
      description = DESCRIBED[name] or "id with its letter" }
  end
  for _, q in ipairs(route.module.query or {}) do
    list[#list + 1] = { name = q[1], ["in"] = "query", description = q[3], schema = { type = q[2] } }
  end
  return list
end

local function operation(route, kind)
  local types = { json = "application/json", csv = "text/csv", stream = "text/event-stream" }
  return { summary = route.module.summary, parameters = parameters(route), responses = {
    ["200"] = { description = route.module.summary, content = { [types[kind]] = { schema = { type = kind == "json" and "object"
      or "string" } } } },
    default = ERROR } }
end

local function action(route)
  local op = operation(route, "json")
  op.security = json.list { { token = json.list() } }
  if route.module.form then
    local properties = {}
    for _, f in ipairs(route.module.form) do properties[f[1]] = { type = f[2], description = f[3] } end
    op.requestBody = { content = { ["application/x-www-form-urlencoded"] = { schema = { type = "object", properties = properties } } } }
  end
  return op
end

function page.data()
  local paths = {}
  for _, route in ipairs(require("eas.web.routes").all) do
    local base = "/api/v1" .. (route.path == "/" and "/overview" or route.path)
    if route.api then paths[base] = { get = operation(route, route.name == "events" and "stream" or "json") } end
    if route.csv then paths[base .. ".csv"] = { get = operation(route, "csv") } end
    if route.described then paths[base] = { post = action(route) } end
  end
  return { openapi = "3.0.3", info = { title = "EAS", version = "1",
    description = "What the dashboard shows, as JSON. Stamps are microseconds UTC, ids carry their letter, lists are {items, next}." },
    paths = paths, components = { securitySchemes = { token = { type = "http", scheme = "bearer" } },
      schemas = { Error = { type = "object", properties = {
      error = { type = "object", properties = { code = { type = "string" }, message = { type = "string" }, where = { type = "string" },
        hint = { type = "string" } } } } } } } }
end

return page
