-- session: a browser shows the token once, and may act after that.
local auth = require "eas.web.auth"
local h = require "eas.web.html"
local layout = require "eas.web.layout"

local page = { summary = "log in to act", query = {} }

local function form(note)
  return { title = "Log in", here = "/session", body = { note and h.p { class = "banner bad", role = "alert", note },
    h.p "Reading needs nothing. To retry, pause and cancel, give the token that this server was started with (EAS_WEB_TOKEN).",
    h.form { class = "filter", method = "post", action = "/session",
      h.label { "Token ", h.input { type = "password", name = "token", required = true, autocomplete = "current-password" } },
      h.button { type = "submit", "Log in" } } } }
end

function page.data() return {} end

function page.page(_, _, user)
  if not user.actions then
    return { title = "Log in", body = h.p { "Actions are off. ", h.code "eas web --actions on", " with ", h.code "EAS_WEB_TOKEN",
      " turns them on." } }
  end
  return form(user.session and "You are logged in already." or nil)
end

function page.act(request, user)
  local cookie = auth.open(request, user)
  if not cookie then return 403, { type = "text/html; charset=utf-8" }, layout.page(form "That is not the token.", user) end
  return 303, { headers = { Location = "/", ["Set-Cookie"] = cookie } }
end

return page
