--- vetting: is a transit candidate credible?
--
--   local checks, numbers, verdict = vetting.check(lc, { period = .., t0 = .., duration = .., sde = .., method = "bls" })
--   for _, c in ipairs(checks) do print(c.name, c.value, c.limit, c.verdict) end
--
-- verdict is "pass" "warn" "fail" "skip" "note"; what each check means stands in tasks_native/vetting.h.

local ffi = require "ffi"
local native = require "eas.native"
local samples = require "eas.native.samples"
local lib = native.load "vetting"

local vetting = {}

-- Significance a search must reach: {passes, warns down to}
vetting.sde_limits = { bls = { 6, 6 }, bls_reference = { 6, 6 }, bls_kovacs = { 6, 6 }, fbls = { 6, 6 }, tls = { 9, 7 } }

local VERDICT = { [0] = "pass", "warn", "fail", "skip", "note" }
local NUMBERS = { "depth", "depth_err", "sigma", "sigma_red", "depth_odd", "depth_even", "depth_secondary",
  "phase_secondary", "n_transits", "n_expected", "n_in_transit" }
local NAN = 0 / 0

--- Of the checks and their limits, stored with each verdict.
vetting.version = 2

-- Depths are relative: a light curve in electrons is divided by its median.
local function relative(s)
  local median = s.flux:median()
  if not (median > 0) then return s.flux end
  local out = native.array(s.n)
  for i = 0, s.n - 1 do out[i] = s.flux[i] / median end
  return out
end

local function results_of(raw)
  local list, overall = {}, "pass"
  for c = 0, lib.EAS_VETTING_CHECKS - 1 do
    local verdict = VERDICT[raw[c].verdict]
    list[c + 1] = { name = ffi.string(lib.eas_vetting_name(c)), value = raw[c].value, limit = raw[c].limit,
                    verdict = verdict }
    if verdict == "fail" then overall = "fail" end
    if verdict == "warn" and overall == "pass" then overall = "warn" end
  end
  return list, overall
end

-- Chance of so strong a signal in white noise, where a search knows it.
local function check_chance(fap, overall)
  local verdict = fap ~= fap and "skip" or fap <= 1e-4 and "pass" or fap <= 1e-2 and "warn" or "fail"
  if verdict == "fail" or verdict == "warn" and overall == "pass" then overall = verdict end
  return { name = "false_alarm", value = fap, limit = verdict == "fail" and 1e-2 or 1e-4, verdict = verdict }, overall
end

--- Checks a candidate against the light curve it was found in.
---@param lc table light curve; flagged and non-finite samples are left out
---@param candidate table period, t0 (any mid-transit), duration, days; optional sde with sde_pass and sde_fail, or
---  method ("bls", "tls", ...) for their defaults; star_radius (of the sun's); fap, chance in white noise; brief:
---  without the check "inverted", which takes most of the time
---@return table[] checks {name, value, limit, verdict}; numbers NaN where they cannot be had
---@return table numbers depth, depth_err, sigma, sigma_red, depth_odd, depth_even, depth_secondary, ...
---@return string verdict "fail" if any check failed, else "warn" or "pass"
function vetting.check(lc, candidate)
  local s = samples.of(lc)
  local flux = relative(s)
  local limits = vetting.sde_limits[candidate.method or "tls"] or vetting.sde_limits.tls
  local job, raw = ffi.new "eas_vetting_job", ffi.new("eas_vetting_check_result[?]", lib.EAS_VETTING_CHECKS)
  local numbers = ffi.new "eas_vetting_numbers[1]"
  job.n, job.time, job.flux, job.out, job.numbers = s.n, s.time.data, flux.data, raw, numbers
  if s.flag then job.flag = s.flag.data end
  local set = job.set
  set.period, set.t0 = candidate.period or NAN, candidate.t0 or NAN
  set.duration, set.sde = candidate.duration or NAN, candidate.sde or NAN
  set.star_radius = candidate.star_radius or NAN
  set.sde_pass, set.sde_fail = candidate.sde_pass or limits[1], candidate.sde_fail or limits[2]
  set.brief = candidate.brief and 1 or 0
  native.check(lib.eas_vetting_check(job), "vetting", nil, 2)
  native.whole(lib, "eas_vetting_run", job, 1, lib.eas_vetting_work_size(job), { s, flux, raw, numbers })

  local measured = {}
  for _, name in ipairs(NUMBERS) do measured[name] = numbers[0][name] end
  local checks, overall = results_of(raw)
  if candidate.fap then checks[#checks + 1], overall = check_chance(candidate.fap, overall) end
  return checks, measured, overall
end

local RATIOS = { { 1, "the same" }, { 1 / 2, "1/2" }, { 2, "2" }, { 1 / 3, "1/3" }, { 3, "3" } }

--- Do other searches of the same light curve agree? One note for each that has a period: value is theirs over ours,
--- limit the alias it is within 3 % of ("the same", "1/2", "2", "1/3", "3"), nil if none.
---@param period number
---@param others table<string, table> results by name, as task.requested_metadata
---@return table[] checks
function vetting.agreement(period, others)
  local list = {}
  for name, result in pairs(others) do
    local theirs = type(result) == "table" and tonumber(result.period)
    if theirs and theirs > 0 and period and period > 0 then
      local check = { name = "agrees with " .. name, value = theirs / period, verdict = "note" }
      for _, ratio in ipairs(RATIOS) do
        local off = check.value / ratio[1]
        if not check.limit and off > 0.97 and off < 1.03 then check.limit = ratio[2] end
      end
      list[#list + 1] = check
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

return vetting
