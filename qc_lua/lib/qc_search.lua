-- lib.qc_search: passes a search whose numbers are valid. A light curve without a credible candidate is a valid
-- result: credibility is recorded as checks, and decides nothing.
local eas = require "eas"
local finite = eas.is_finite

local function inside(x, low, high)
  return finite(x) and finite(low) and finite(high) and x >= low and x <= high
end

-- What is missing or null is NaN, which no comparison passes.
local function numbers(metadata)
  return setmetatable({}, { __index = function(_, name)
    local x = metadata[name]
    return type(x) == "number" and x or eas.nan
  end })
end

local function check_candidate(attempt, m)
  attempt:require("period", inside(m.period, m.period_first, m.period_last), m.period, "inside of the grid")
  attempt:require("power", finite(m.power), m.power, "finite")
  attempt:require("depth", inside(m.depth, 0, 1), m.depth, "0 to 1")
  attempt:require("duration", finite(m.duration) and m.duration > 0 and m.duration < m.period / 2, m.duration, "0 to period / 2")
  attempt:require("t0", inside(m.t0, m.time_first, m.time_first + m.period), m.t0, "in the first period")
  attempt:require("period off the grid's ends", m.period ~= m.period_first and m.period ~= m.period_last, m.period, nil, "warn")
end

return eas.qc(function(attempt)
  if attempt.ending ~= "ok" then return false end
  local m = attempt.metadata
  attempt:require("periods tried", (m.n_periods or 0) > 0, m.n_periods, "> 0")
  attempt:require("points searched", (m.n_points or 0) >= 5, m.n_points, ">= 5")
  if m.found ~= false then check_candidate(attempt, numbers(m)) end
  for _, check in ipairs(m.vetting or {}) do attempt:check(check) end
  attempt:check { name = "credible", value = m.credible, verdict = m.credible or "skip" }
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
