-- synthesis_platosim: passes files that are not empty, and light curves that are whole.
local eas = require "eas"
local check = require "lib.qc_lightcurve"

return eas.qc(function(attempt)
  if attempt.ending ~= "ok" then return false end
  for kind, file in pairs(attempt.outputs) do
    attempt:require("size of " .. kind, file.size > 0, file.size, "> 0 bytes")
    if kind:match "^lightcurve" then check.whole(attempt, file.lightcurve) end
  end
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0
end)
