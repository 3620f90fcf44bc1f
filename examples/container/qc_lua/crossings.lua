-- crossings: passes when the counts are possible: at most one for two points.
local eas = require "eas"

return eas.qc(function(attempt)
  local most, points = attempt.metadata.most, attempt.metadata.points
  local ok = attempt.ending == "ok" and eas.is_finite(most) and most >= 0 and most <= points / 2
  attempt:check { name = "most", value = most, limit = points and points / 2, verdict = ok and "pass" or "fail" }
  return ok, "more crossings than pairs of points"
end)
