-- fold: passes a table that holds samples; empty bins are told.
local eas = require "eas"

return eas.qc(function(attempt)
  local made, m = attempt.outputs.folded, attempt.metadata
  if attempt.ending ~= "ok" or not made then return false end
  attempt:require("samples folded", (m.n_folded or 0) > 0, m.n_folded, "> 0")
  attempt:require("lowest flux", eas.is_finite(m.flux_min), m.flux_min, "finite")
  attempt:require("empty bins", (m.n_empty or 0) <= 0.5 * (m.n_bins or 0), m.n_empty, "half of them", "warn")
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
