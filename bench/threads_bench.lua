-- threads_bench: one thread and two on the same search, wall time of the kernel alone.
--
--     build/release/bin/eas lua bench/threads_bench.lua [METHOD...]
--
-- Wall times tell nothing on a busy machine, so the CPU time of the first thread beside that of all is printed as well:
-- what it does itself, while the others wait, is the serial share, and bounds what two threads can give. The measured
-- ratio is of wall times: the least of one thread over the least of two.
--
-- A light curve of 30 or 40 days at 15 minutes (exotrans: 90; qats, fbls: 30 at 2 minutes), a planet of 900 ppm in 200 ppm of
-- noise. Rounds of one and of two threads take turns; printed are the least wall times: short searches, many
-- rounds, so that one of each meets a quiet moment.
local ffi = require "ffi"
local core = require "eas.core"
local eas = require "eas"

local ROUNDS = 15

local function curve(days, cadence)
  local n, random = math.floor(days * 86400 / cadence), eas.random(4242)
  local lc = eas.lightcurve(n)
  for i = 0, n - 1 do
    local t = i * cadence / 86400
    local inside = math.abs((t - 1.3 + 1.55) % 3.1 - 1.55) < 0.06
    lc.time[i], lc.flux[i], lc.flux_err[i] = t, 1 - (inside and 9e-4 or 0) + 2e-4 * random:normal(), 2e-4
  end
  return lc
end

local methods = {
  { "tls", function(tls) return tls.new(curve(40, 900), { weights = "none" }) end },
  { "bls", function(bls)
    local lc = curve(40, 900)
    return bls.new(lc, bls.period_grid(lc, {}), {})
  end },
  { "bls_kovacs", function(kovacs)
    local lc = curve(30, 900)
    return kovacs.new(lc, kovacs.grid(lc, {}), {})
  end },
  { "fbls", function(fbls) return fbls.new(curve(30, 120), { tau = 120 / 86400 }) end },
  { "qats", function(qats) return qats.new(curve(30, 120), {}) end },
  { "dst", function(dst) return dst.new(curve(30, 900), {}) end },
  { "exotrans", function(exotrans) return exotrans.new(curve(90, 900), {}) end },
}

ffi.cdef [[
typedef struct { long s, ns; } bench_time;
int clock_gettime(int clock, bench_time *out);
]]
local THREAD, PROCESS, now = 3, 2, ffi.new "bench_time[1]" -- CLOCK_THREAD_CPUTIME_ID, CLOCK_PROCESS_CPUTIME_ID

local function cpu(clock)
  ffi.C.clock_gettime(clock, now)
  return tonumber(now[0].s) + 1e-9 * tonumber(now[0].ns)
end

-- Wall time, and the share of CPU time that was the first thread's.
local function wall(search, threads)
  local began, own, all = core.clocks(), cpu(THREAD), cpu(PROCESS)
  for _ in search:run(threads) do end -- luacheck: ignore
  return core.clocks() - began, (cpu(THREAD) - own) / (cpu(PROCESS) - all)
end

local wanted = {}
for _, name in ipairs(arg or {}) do wanted[name] = true end
for _, method in ipairs(methods) do
  local name = method[1]
  if not next(wanted) or wanted[name] then
    local kernel = require("eas.native." .. name)
    local search = method[2](kernel)
    local one, two, serial = math.huge, math.huge, math.huge
    for _ = 1, ROUNDS do
      for threads = 1, 2 do
        if name == "exotrans" then search = method[2](kernel) end -- a search takes out what it finds
        local took, share = wall(search, threads)
        if threads == 1 then one = math.min(one, took) else two, serial = math.min(two, took), math.min(serial, share) end
      end
    end
    print(("%-10s %7d trials  one thread %.3f s  two %.3f s  %.2f times  serial %.3f of the CPU: %.2f times at most")
      :format(name, search.n_periods, one, two, one / two, serial, 2 / (1 + serial)))
  end
end
