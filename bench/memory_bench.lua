-- memory_bench: peak memory and CPU time of a search, or of vetting, of 2.5 million samples (730 days at 25 s).
--
--     for m in tls bls bls_hybrid bls_kovacs fbls qats dst exotrans vetting; do build/release/bin/eas lua bench/memory_bench.lua $m; done
--     build/release/bin/eas lua bench/memory_bench.lua METHOD [DAYS [CADENCE]]
--
-- Few trials about the planet's period of 3.1 days: memory is by samples. Held against 20 times the light curve's own arrays and
-- twice those of the periodogram. The peak is the process's (VmHWM), less what it had before the light curve.
local core = require "eas.core"
local eas = require "eas"

local method, days, cadence = arg[1], tonumber(arg[2] or 730), tonumber(arg[3] or 25)

local function status(key) -- MB
  for line in io.lines "/proc/self/status" do
    local kb = line:match("^" .. key .. ":%s*(%d+) kB")
    if kb then return tonumber(kb) / 1024 end
  end
end

local function curve()
  local n, random = math.floor(days * 86400 / cadence), eas.random(4242)
  local lc = eas.lightcurve(n)
  for i = 0, n - 1 do
    local t = i * cadence / 86400
    local inside = math.abs((t - 1.3 + 1.55) % 3.1 - 1.55) < 0.06
    lc.time[i], lc.flux[i], lc.flux_err[i] = t, 1 - (inside and 9e-4 or 0) + 2e-4 * random:normal(), 2e-4
  end
  return lc
end

local near = { period_min = 3.09, period_max = 3.11 }
local searches = {
  tls = function(tls, lc) return tls.new(lc, { periods = { 3.099, 3.0995, 3.1, 3.1005, 3.101 } }) end,
  bls = function(bls, lc) return bls.new(lc, { 3.09, 3.095, 3.1, 3.105, 3.11 }, {}) end,
  bls_hybrid = function(hybrid, lc) return hybrid.new(lc, near) end,
  bls_kovacs = function(kovacs, lc) return kovacs.new(lc, { 1 / 3.11, 1 / 3.105, 1 / 3.1, 1 / 3.095, 1 / 3.09 }, {}) end,
  fbls = function(fbls, lc) return fbls.new(lc, near) end,
  qats = function(qats, lc) return qats.new(lc, { period_min = 3.09, period_max = 3.11, duration_count = 4 }) end,
  dst = function(dst, lc) return dst.new(lc, near) end,
  exotrans = function(exotrans, lc) return exotrans.new(lc, near) end,
}

local before = status "VmRSS"
local lc = curve()
local own = lc.n * 28 / 2 ^ 20
local _, cpu = core.clocks()
local trials, period = 0, 3.1
if method == "vetting" then
  require("eas.native.vetting").check(lc, { period = period, t0 = 1.3, duration = 0.12, sde = 20, method = "tls" })
else
  local search = searches[method](require("eas.native." .. method), lc)
  for _ in search:run(1) do end -- luacheck: ignore
  trials, period = search.n_periods, search:best().period
end
local _, spent = core.clocks()
local peak, limit = status "VmHWM" - before, 20 * own + 2 * trials * 48 / 2 ^ 20
print(("%-10s %8d samples %7d trials  period %.4f d  %7.2f s CPU  peak %5.0f MB, %4.1f times the light curve's %.0f; limit %.0f"):format(
  method, lc.n, trials, period, spent - cpu, peak, peak / own, own, limit))
