-- bulk: retry or cancel of all tasks that match a filter. What destroys is asked for once more, with its count.
local ask = require "eas.web.ask"
local auth = require "eas.web.auth"
local bulk = require "eas.web.bulk"
local format = require "eas.web.format"
local h = require "eas.web.html"
local json = require "eas.json"
local layout = require "eas.web.layout"
local where = require "eas.web.where"

local page = {
  summary = "retry or cancel of all tasks that match, done a slice at a time after the answer; needs the token",
  form = { { "job", "string", "j3" }, { "type", "string", "task type" },
    { "state", "string", "of retry failed or cancelled, of cancel waiting, queued or running; default all of these" },
    { "where", "string", "loop variables: size:2,period:2.5" } },
}

local function list_of(form)
  return h.url("/tasks", { job = form.job, type = form.type, state = form.state, where = form.where })
end

local function confirm(job, form, user)
  local n, of = bulk.count(job, "cancel", form), bulk.words(form)
  local what = n and (n == 1 and "1 task" or format.count(n) .. " tasks") or "All tasks that match"
  local body = { h.div { class = "banner",
      h.p(("%s of %s%s would end as cancelled; those that run are stopped, and what needs what they make is skipped."):format(what,
        job.job, of ~= "" and (" (%s)"):format(of) or "")),
      h.p "Retry takes them up again." },
    h.div { class = "actions", h.form { method = "post", action = "/tasks/cancel", class = "act", bulk.hidden(form, user.session.csrf),
      h.input { type = "hidden", name = "sure", value = "yes" },
      h.button { type = "submit", class = "danger", n and ("Cancel all %s"):format(format.count(n)) or "Cancel all that match" } },
      h.a { class = "chip", href = list_of(form), "Leave them" } } }
  return 200, { type = "text/html; charset=utf-8" },
    layout.page({ title = "Cancel tasks of " .. job.job, here = "/tasks", job = job, body = body }, user)
end

-- The filter as the form has it; what is none is refused before anything happens.
local function filter(request, verb)
  local states, form = bulk.states[verb], {}
  if not states then error(ask.fault(404, ("there is no action '%s' on tasks"):format(verb), "retry or cancel"), 0) end
  for _, f in ipairs(page.form) do
    local v = request.form[f[1]]
    if v and v ~= "" then form[f[1]] = v end
  end
  if not form.job then error(ask.fault(400, "which job?", "job=j3"), 0) end
  if form.state and not states[form.state] then
    local names = {}
    for s in pairs(states) do names[#names + 1] = s end
    table.sort(names)
    error(ask.fault(400, ("'%s' is no state to %s"):format(form.state:sub(1, 60), verb), "one of " .. table.concat(names, ", ")), 0)
  end
  form.values = where.values(form.where)
  return form
end

function page.act(request, user, params)
  auth.may_act(request, user)
  local verb = params.bulk
  local form = filter(request, verb)
  local job = ask.of("job", { job = form.job })
  local of_api = request.path:find "^/api/v1/"
  if verb == "cancel" and not of_api and not user.bearer and request.form.sure ~= "yes" then return confirm(job, form, user) end
  if bulk.count(job, verb, form) == 0 then
    error(ask.fault(400, ("no task of %s matches that one could %s"):format(job.job, verb)), 0)
  end
  local begun = ask.of("bulk", { ["do"] = verb, job = job.job, type = form.type, state = form.state, where = form.values,
    matching = bulk.count(job, verb, form) })
  if of_api then return 202, { type = "application/json; charset=utf-8" }, json.encode(begun) .. "\n" end
  return 303, { headers = { Location = list_of(form) } }
end

return page
