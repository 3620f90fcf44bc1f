-- leases.lua: who holds what: run by diag/leases at the prompt of `eas repl`.
local workers, held = db.workers(), db.attempts { state = "running", limit = 1000 }
print(#workers > 0 and workers or "no worker is registered")
print(#held > 0 and ("\n%d attempts are held:"):format(#held) or "\nno attempt is held")
for _, a in ipairs(held) do
  local seconds = (a.lease_us or 0) / 1e6
  local lease = seconds > 0 and ("lease for %.0f s more"):format(seconds)
    or ("lease over since %.0f s: control takes it back"):format(-seconds)
  print(("  %-8s %-8s %-28s %s on %s slot %s, %s"):format(a.attempt, a.task, a.type, a.worker or "nobody", a.host or "?",
    tostring(a.slot or "-"), lease))
end
