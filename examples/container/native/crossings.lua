-- native.crossings: crossings.count(lc, levels, threads) -> array of counts
local ffi = require "ffi"
local native = require "eas.native"
local lib = native.load "crossings"

local crossings = {}

function crossings.count(lc, levels, threads)
  local job, out = ffi.new "eas_crossings_job", native.array(#levels)
  job.n, job.flux = lc.n, lc.flux.data
  job.n_level, job.level, job.out = #levels, levels.data, out.data
  native.check(lib.eas_crossings_check(job), "crossings")
  local keep = { lc, levels, out }
  for _ in native.run(lib, "eas_crossings_run", job, #levels, 0, threads or 1, keep) do end -- luacheck: ignore
  return out
end

return crossings
