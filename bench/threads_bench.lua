-- threads_bench: one thread and two on the same search, wall time of the kernel alone.
--
--     build/release/bin/eas lua bench/threads_bench.lua [METHOD...]
--
-- Wall times tell nothing on a busy machine, so the CPU time of the first thread beside that of all is printed as well:
-- what it does itself, while the others wait, is the serial share, and bounds what two threads can give. The measured
-- ratio is of wall times: the median over the rounds of one thread's over that of two right before or behind it, since
-- clocks change from one second to the next, and a moment in which both cores are fast is rarer than one for one. How
-- many CPUs were busy tells what the threads can do about it: the rest is the machine's.
--
-- A light curve of 30 or 40 days at 15 minutes (exotrans: 90; qats, fbls: 30 at 2 minutes), a planet of 900 ppm in 200 ppm of
-- noise. Rounds of one and of two threads take turns; printed are the median wall times.
local ffi = require "ffi"
local core = require "eas.core"
local eas = require "eas"

local ROUNDS = 25

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

-- Wall time, the share of CPU time that was the first thread's, and CPU time over wall time.
local function wall(search, threads)
  local began, own, all = core.clocks(), cpu(THREAD), cpu(PROCESS)
  for _ in search:run(threads) do end -- luacheck: ignore
  local took, spent = core.clocks() - began, cpu(PROCESS) - all
  return took, (cpu(THREAD) - own) / spent, spent / took
end

local function median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

local wanted = {}
for _, name in ipairs(arg or {}) do wanted[name] = true end
for _, method in ipairs(methods) do
  local name = method[1]
  if not next(wanted) or wanted[name] then
    local kernel = require("eas.native." .. name)
    local search = method[2](kernel)
    local took, serial, busy, ratio = { {}, {} }, { {}, {} }, { {}, {} }, {} -- by threads, by round
    for round = 1, ROUNDS do
      for turn = 1, 2 do
        local threads = round % 2 == 0 and 3 - turn or turn
        if name == "exotrans" then search = method[2](kernel) end -- a search takes out what it finds
        took[threads][round], serial[threads][round], busy[threads][round] = wall(search, threads)
      end
      ratio[round] = took[1][round] / took[2][round]
    end
    local least = math.min(unpack(serial[2]))
    print(("%-10s %7d trials  one thread %.3f s  two %.3f s  %.2f times  %.2f CPUs busy  serial %.3f: %.2f times at most")
      :format(name, search.n_periods, median(took[1]), median(took[2]), median(ratio), median(busy[2]), least, 2 / (1 + least)))
  end
end
