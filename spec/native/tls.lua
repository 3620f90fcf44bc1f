-- tls.lua: a transit search for the specs of the tls kernel.
local ffi = require "ffi"
local T = require "spec.support"
local K = require "spec.native.kernel"
local lib = T.kernel "tls"

local S = { lib = lib, FAST = 0, REFERENCE = 1, SORT = 2, UNIFORM = 3 }

local model = K.doubles(10000)
lib.eas_tls_peer_model(12.9, 0.03, 23.1, 89.21, 0.4804, 0.1867, model)
S.model = model

function S.grid(span, set)
  set = set or {}
  local g = ffi.new("eas_tls_grid_settings", { span, set.r or 1, set.m or 1, set.period_min or 0, set.period_max or K.inf,
                                               set.oversampling or 3, set.n_transits_min or 2 })
  local n = tonumber(lib.eas_tls_grid(g, nil))
  local out = K.doubles(n)
  lib.eas_tls_grid(g, out)
  return K.list(out, n)
end

function S.durations(periods, step)
  local out, low, high = K.doubles(4096), K.inf, 0
  for _, p in ipairs(periods) do low, high = math.min(low, p), math.max(high, p) end
  return K.list(out, tonumber(lib.eas_tls_durations(low, high, step or 1.1, out)))
end

-- A search; set: periods, durations, ivar, path, peer (true), depth_min, margin, star. Keeps all it points to.
function S.new(t, y, set)
  local s = { n = #t, t = K.doubles(t), y = K.doubles(y), n_period = #set.periods, p = K.doubles(set.periods),
              ivar = set.ivar and K.doubles(set.ivar), model = set.model or model }
  local durations = set.durations or S.durations(set.periods)
  s.d = K.doubles(durations)
  s.out = ffi.new("eas_tls_trial[?]", math.max(s.n_period, 1))
  local job = ffi.new "eas_tls_job"
  job.n, job.n_period, job.n_duration = s.n, s.n_period, #durations
  job.time, job.flux, job.period, job.duration, job.model, job.out = s.t, s.y, s.p, s.d, s.model, s.out
  job.ivar = s.ivar
  local star = set.star or { 1, 1, 0.13, 0.1, 3.5, 1 }
  job.set.star = ffi.new("eas_tls_star", star)
  job.set.depth_min, job.set.margin = set.depth_min or 1e-5, set.margin or 0.01
  job.set.peer, job.set.path = set.peer == false and 0 or 1, set.path or S.FAST
  s.job = job
  return s
end

function S.prepare(s)
  assert(lib.eas_tls_check(s.job) == K.OK, "refused")
  s.plan = K.scratch(lib.eas_tls_plan_size(s.job))
  s.job.plan = s.plan
  assert(lib.eas_tls_prepare(s.job) == K.OK, "not prepared")
  return s
end

function S.search(t, y, set)
  local s = S.prepare(S.new(t, y, set))
  K.run(lib, "tls", s.job, s.n_period, set.parts)
  return s.out, s
end

-- Times and fluxes of a reference light curve as the prototype hands them to the peer.
function S.reference(name)
  local columns = K.table("lightcurves/" .. name)
  local mean, t, y = 0, {}, {}
  for _, v in ipairs(columns[2]) do mean = mean + v / #columns[2] end
  for i, time in ipairs(columns[1]) do
    if time > 0 and columns[2][i] > 0 then t[#t + 1], y[#y + 1] = time, columns[2][i] / mean end
  end
  return t, y
end

-- The first trial where a and b differ in any bit is an error.
function S.same(a, b, n)
  for i = 0, n - 1 do
    for _, f in ipairs { "chi2", "depth", "row", "start" } do
      if a[i][f] ~= b[i][f] then error(("trial %d: %s is %.17g and %.17g"):format(i, f, a[i][f], b[i][f]), 2) end
    end
  end
end

-- What the kernel makes of a finished search.
function S.spectrum(s, kernel)
  local n, k = s.n_period, kernel or 91
  s.sr, s.raw, s.power, s.scratch = K.doubles(n), K.doubles(n), K.doubles(n), K.doubles(n + k)
  local out = ffi.new "eas_tls_spectrum"
  local rc = lib.eas_tls_spectrum_of(s.out, s.p, n, k, s.sr, s.raw, s.power, s.scratch, out)
  return out, rc
end

return S
