-- eas.web.bulk: what may be done to all tasks of a filter, how many they are, and how far it is.
local ask = require "eas.web.ask"
local format = require "eas.web.format"
local h = require "eas.web.html"
local where = require "eas.web.where"

local bulk = {}
-- Which states an action is for, where the filter names none.
local STATES = { retry = { failed = true, cancelled = true }, cancel = { waiting = true, queued = true, running = true } }
bulk.states = STATES

-- How many tasks of a job an action would meet, by its counters; nil if the filter asks for more than these know.
function bulk.count(job, verb, query)
  local sum = 0
  for _, t in ipairs(job.types) do
    if (not query.type or query.type == t.type) and not (verb == "cancel" and t.flow) then
      for state in pairs(STATES[verb]) do
        if not query.state or query.state == state then sum = sum + t[state] end
      end
    end
  end
  if query.where and sum > 0 then return nil, sum end
  return sum
end

function bulk.words(query)
  local out = {}
  if query.state then out[#out + 1] = query.state end
  if query.type then out[#out + 1] = query.type end
  out[#out + 1] = query.where and where.words(query.where)
  return table.concat(out, ", ")
end

function bulk.hidden(query, csrf)
  local out = { h.input { type = "hidden", name = "csrf", value = csrf } }
  for _, name in ipairs { "job", "type", "state", "where" } do
    if query[name] then out[#out + 1] = h.input { type = "hidden", name = name, value = query[name] } end
  end
  return out
end

-- known: how many are known to match a filter that no counter knows; more: there may be others.
local function button(job, verb, query, csrf, known, more)
  local n, most = bulk.count(job, verb, query)
  if n == 0 then return nil end
  local text = n and ("%s all %s"):format(verb == "retry" and "Retry" or "Cancel", format.count(n))
  if not n then
    if known == 0 and not more then return nil end
    text = ("%s all that match (%s)"):format(verb == "retry" and "Retry" or "Cancel",
      more and ("at most " .. format.count(most)) or format.count(math.min(known, most)))
  end
  return h.form { method = "post", action = "/tasks/" .. verb, class = "act", bulk.hidden(query, csrf),
    h.button { type = "submit", class = verb == "cancel" and "danger", text } }
end

-- The actions on a filter, for who is logged in.
function bulk.actions(job, query, user, known, more)
  if not (user.actions and user.session) or query.after then return nil end
  local csrf = user.session.csrf
  return h.div { class = "actions", ["data-live"] = "bulk", role = "group", ["aria-label"] = "actions on all that match",
    (not query.state or STATES.retry[query.state]) and job.gate ~= "cancelled" and button(job, "retry", query, csrf, known, more),
    (not query.state or STATES.cancel[query.state]) and job.gate ~= "cancelled" and button(job, "cancel", query, csrf, known, more) }
end

local function sentence(w)
  local what = w["do"] == "retry" and "Retry" or "Cancel"
  local of = bulk.words(w)
  local text = ("%s of %s: %s"):format(what, of == "" and "all" or of, format.count(w.done))
  if w.matching >= 0 and w.under_way then text = ("%s of %s"):format(text, format.count(math.max(w.matching, w.done))) end
  return text .. (w.error and (" done, then stopped: " .. w.error) or w.under_way and " done so far" or " done")
end

-- How far the actions of a job are; the newest first.
function bulk.progress(job)
  local list = {}
  for i, w in ipairs(ask.of("bulks", { job = job })) do
    if i > 3 then break end
    list[i] = h.p { class = w.error and "banner bad" or "banner", sentence(w),
      w.under_way and w.matching > 0 and { " ", h.progress { value = w.done, max = math.max(w.matching, w.done),
        ["aria-label"] = "tasks done" } } }
  end
  return h.div { ["data-live"] = "bulks", hidden = #list == 0, role = "status", list }
end

return bulk
