-- eas.web: requests in, pages out. A page is a module of eas.web.pages; routes.lua says which there are.
local json = require "eas.json"
local ask = require "eas.web.ask"
local auth = require "eas.web.auth"
local h = require "eas.web.html"
local layout = require "eas.web.layout"
local routes = require "eas.web.routes"
local tables = require "eas.web.tables"

local web = {}
local HTML = "text/html; charset=utf-8"
-- Nothing but our own files: a script that got into a page by a name would not run.
local HEADERS = {
  ["Content-Security-Policy"] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    .. "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  ["X-Content-Type-Options"] = "nosniff",
  ["X-Frame-Options"] = "DENY",
  ["Referrer-Policy"] = "same-origin",
  ["Cross-Origin-Resource-Policy"] = "same-origin",
  ["Cross-Origin-Opener-Policy"] = "same-origin",
}

local function head(status, more)
  local headers = {}
  for k, v in pairs(HEADERS) do headers[k] = v end
  for k, v in pairs(more and more.headers or {}) do headers[k] = v end
  local out = { status = status, headers = headers }
  for k, v in pairs(more or {}) do
    if k ~= "headers" then out[k] = v end
  end
  return assert(json.encode(out))
end

local function json_page(status, value)
  local text, why = json.encode(value)
  if not text then status, text = 500, '{"error":{"code":"internal","message":' .. json.string(why) .. "}}" end
  return head(status, { type = "application/json; charset=utf-8" }), text .. "\n"
end

local CODES = { [400] = "bad_request", [401] = "unauthorized", [403] = "forbidden", [404] = "not_found", [405] = "method_not_allowed",
  [421] = "misdirected", [429] = "too_many", [500] = "internal", [503] = "unavailable" }

local function failed(request, user, f)
  if request.path:match "^/api/v1" then
    return json_page(f.status, { error = { code = CODES[f.status] or "error", message = f.message, where = request.path, hint = f.hint } })
  end
  local titles = { [404] = "Not here", [503] = "The database does not answer" }
  local body = layout.page({ title = titles[f.status] or "This did not work", body = h.div { class = "banner bad",
    h.p(f.message), f.hint ~= "" and h.p(f.hint), h.p(h.a { href = "/", "To the overview" }) } }, user)
  return head(f.status, { type = HTML }), body
end

-- "a=1&b=x+y" of a form.
local function form_of(body)
  local out = {}
  for k, v in (body or ""):gmatch "([^&=]+)=([^&]*)" do
    local function plain(s)
      return (s:gsub("+", " "):gsub("%%(%x%x)", function(x) return string.char(tonumber(x, 16)) end))
    end
    out[plain(k)] = plain(v)
  end
  return out
end

local function act(request, user, route, params)
  request.form = form_of(request.body)
  local status, more, text = route.module.act(request, user, params)
  return head(status, more), text or ""
end

local function answer(request, user)
  local route, params, kind = routes.find(request.path)
  if not route then error(ask.fault(404, "there is no page " .. request.path), 0) end
  if request.method == "POST" or kind == "action" then
    if not route.module.act then error(ask.fault(405, "this page takes no POST"), 0) end
    if request.method ~= "POST" then error(ask.fault(405, "this page takes only POST"), 0) end
    return act(request, user, route, params)
  end
  local query = routes.query(route, request.query)
  for k, v in pairs(params) do query[k] = v end
  if route.module.raw then
    local status, more, text = route.module.raw(query, request, user)
    return head(status, more), text or ""
  end
  local data = route.module.data(query, user)
  if kind == "json" then return json_page(200, data) end
  if kind == "csv" then
    return head(200, { type = "text/csv; charset=utf-8", headers = { ["Content-Disposition"] = "attachment; filename=\"" ..
      route.path:match "[%a]+" .. ".csv\"" } }), tables.csv(data.items or {}, route.module.columns)
  end
  local page = route.module.page(data, query, user)
  page.here = page.here or route.path
  return head(200, { type = HTML }), layout.page(page, user)
end

-- request: { method, path, query, headers, body }. Returns the head as JSON, and the body.
function web.handle(request)
  local about = ask.of "about"
  layout.version, layout.uplot, layout.assets = about.version, about.uplot, about.assets
  local user = { actions = about.actions, now = about.now }
  local trace
  local ok, first, second = xpcall(function()
    auth.check_host(request, about)
    auth.identify(request, user, about)
    return answer(request, user)
  end, function(e)
    if not ask.is_fault(e) then trace = debug.traceback(tostring(e), 2) end
    return e
  end)
  if ok then return first, second end
  if trace then error(trace, 0) end
  return failed(request, user, first)
end

return web
