-- bls.lua: a box search for the specs of the bls kernel.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "bls"

local B = { lib = lib, LIKELIHOOD = 0, SNR = 1, FULL = 0, PEER = 1, FAST = 0, REFERENCE = 1, FOLD = 2, ROWS = 3, EDGES = 4 }
B.TENTHS = K.linspace(0.05, 0.2, 10)

-- A search; set: periods, durations, oversample, objective, wrap, path, ivar, parts. Keeps all it points to.
function B.new(t, y, set)
  local s = { n = #t, t = K.doubles(t), y = K.doubles(y), p = K.doubles(set.periods), n_period = #set.periods,
              d = K.doubles(set.durations), ivar = set.ivar and K.doubles(set.ivar) }
  s.out = ffi.new("eas_bls_peak[?]", math.max(s.n_period, 1))
  local job = ffi.new "eas_bls_job"
  job.n, job.n_period, job.time, job.flux, job.period, job.out = s.n, s.n_period, s.t, s.y, s.p, s.out
  job.ivar = s.ivar
  job.flux_zero = lib.eas_bls_median(s.y, s.n, K.doubles(s.n))
  if s.n == 0 then job.flux_zero = 0 end
  job.set.duration, job.set.n_duration = s.d, #set.durations
  job.set.oversample, job.set.objective = set.oversample or 10, set.objective or B.LIKELIHOOD
  job.set.wrap, job.set.path = set.wrap or B.FULL, set.path or B.REFERENCE
  s.job = job
  return s
end

function B.search(t, y, set)
  local s = B.new(t, y, set)
  assert(lib.eas_bls_check(s.job) == K.OK, "refused")
  if s.job.set.path ~= B.REFERENCE then
    s.plan = K.scratch(lib.eas_bls_plan_size(s.job))
    s.job.plan = s.plan
    assert(lib.eas_bls_prepare(s.job) == K.OK, "not prepared")
  end
  K.run(lib, "bls", s.job, s.n_period, set.parts)
  return s.out, s
end

function B.grid(span, shortest, factor, lo, hi)
  local n = tonumber(lib.eas_bls_grid_count(span, shortest, factor, lo, hi))
  local out = K.doubles(n)
  lib.eas_bls_grid(span, shortest, factor, lo, 0, n, out)
  return K.list(out, n)
end

local FIELDS = { "power", "depth", "depth_err", "log_likelihood", "duration", "t0" }
-- The first trial where a and b differ in any bit is an error.
function B.same(a, b, n)
  for i = 0, n - 1 do
    for _, f in ipairs(FIELDS) do
      if a[i][f] ~= b[i][f] and (a[i][f] == a[i][f] or b[i][f] == b[i][f]) then
        error(("trial %d: %s is %.17g and %.17g"):format(i, f, a[i][f], b[i][f]), 2)
      end
    end
  end
end

return B
