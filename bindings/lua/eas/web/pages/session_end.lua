-- session_end: logs out.
local auth = require "eas.web.auth"

local page = { summary = "log out" }

function page.act(request, user)
  auth.may_act(request, user)
  return 303, { headers = { Location = "/", ["Set-Cookie"] = auth.close(user) } }
end

return page
