-- act: retry, pause, resume, cancel.
local ask = require "eas.web.ask"
local auth = require "eas.web.auth"
local json = require "eas.json"

local page = { summary = "retry (a job or a task), pause, resume, cancel (a job); needs the token" }

function page.act(request, user, params)
  auth.may_act(request, user)
  local done = ask.of("act", { ["do"] = params.verb, target = params.target })
  if request.path:find "^/api/v1/" then
    return 200, { type = "application/json; charset=utf-8" }, json.encode(done) .. "\n"
  end
  return 303, { headers = { Location = (params.target:sub(1, 1) == "j" and "/jobs/" or "/tasks/") .. params.target } }
end

return page
