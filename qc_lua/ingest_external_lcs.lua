-- ingest_external_lcs: passes light curves of which at least half can be used; of several files, their list.
local eas = require "eas"

return eas.qc(function(attempt)
  local made, m = attempt.outputs.lightcurve, attempt.metadata
  if attempt.ending ~= "ok" then return false end
  attempt:require("files", m.n_files > 0 or attempt.description.allow_none == true, m.n_files, "> 0")
  if made then
    local lc = made.lightcurve
    attempt:require("samples", lc.n == m.n_points and lc.n > 0, lc.n, tostring(m.n_points))
    attempt:require("usable samples", m.n_good >= 0.5 * m.n_points, m.n_good, "half of them", "warn")
  end
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
