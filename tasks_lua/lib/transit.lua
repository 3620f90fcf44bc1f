-- lib.transit: what all transit searches share: settings, the input, the truth, the candidate's credibility.
local eas = require "eas"
local vetting = require "eas.native.vetting"

local transit = {}

-- Settings of a search: its own rows stand in search_settings; lc_duration beside it.
function transit.settings(task, rows)
  rows.compat = { nil, "peer (or prototype): the conventions of the program the results are compared with",
                  one_of = { "peer", "prototype" } }
  local given = task:settings { lc_duration = { nil, "day; the whole light curve if not given", type = "number" },
                                search_settings = rows }
  local set = given.search_settings
  set.lc_duration = given.lc_duration
  if set.compat then set.compat = "peer" end
  task.settings_used = set
  return set
end

-- The light curve to search: cut, good samples only, and 1 out of transit (the peers take flux as it is).
function transit.input(task, set)
  local lc = task:input("lightcurve"):truncate(set.lc_duration):clean()
  if lc.n < 5 then error(("the light curve has %d usable points; a search needs 5"):format(lc.n), 0) end
  local median = lc.flux:median()
  if set.compat or not (median > 5 * lc.flux:std()) then return lc end
  return lc:normalise()
end

local function refuse(format, ...) error("search_settings: " .. format:format(...), 0) end

function transit.check_periods(set)
  if not (set.period_min > 0) then refuse("period_min %g d; it must be > 0", set.period_min) end
  if not (set.period_max >= set.period_min) then
    refuse("period_max %g d is below period_min, %g d", set.period_max, set.period_min)
  end
end

-- Limits of a box search that make no sense, said by their names.
function transit.check_limits(set)
  if not (set.duration_min > 0 and set.duration_max >= set.duration_min) then
    refuse("durations from %g to %g d; 0 < duration_min <= duration_max", set.duration_min, set.duration_max)
  end
  if not (set.period_min > set.duration_max) then
    refuse("period_min %g d must be longer than duration_max, %g d", set.period_min, set.duration_max)
  end
  transit.check_periods(set)
end

local aliases = { { 1 / 3, "1/3" }, { 1 / 2, "1/2" }, { 2, "2" }, { 3, "3" } }

-- The prototype's 3 % rule (outcome), and finer fields. PASS, FAIL; UNDEFINED where nothing was injected.
function transit.compare_with_truth(metadata, best, span)
  local truth, out = metadata.orbital_period, {}
  for _, name in ipairs { "integrated_transit_power", "pixels_in_transit", "mes" } do out[name] = metadata[name] end
  if not eas.is_finite(truth) then
    out.outcome = "UNDEFINED"
    return out
  end
  local period = eas.is_finite(best.period) and best.period or 0
  local ratio = truth / period
  out.outcome, out.target_period = ratio > 0.97 and ratio < 1.03 and "PASS" or "FAIL", truth
  for _, alias in ipairs(aliases) do
    local off = period / truth / alias[1]
    if off > 0.97 and off < 1.03 then out.alias = alias[2] end
  end
  if eas.is_finite(best.duration) and span then
    out.period_strict = math.abs(period - truth) * span / truth < best.duration / 2
    local off = eas.is_finite(metadata.t0) and (best.t0 - metadata.t0 + truth / 2) % truth - truth / 2
    if off then out.t0_match = math.abs(off) < best.duration / 2 end
  end
  return out
end

-- Is the candidate credible? For task:set: the checks as a list (vetting), and pass, warn or fail of them all
-- (credible); lib.qc_search records them. best: period, t0, duration, and sde and fap if the search has them. more, optional:
-- sde_pass and sde_fail (limits of that sde; the method's own else), star_radius (solar radii), others
-- (task.requested_metadata: periods of searches of the same light curve, compared).
function transit.vet(lc, best, method, more)
  more = more or {}
  local checks, numbers, verdict = vetting.check(lc, {
    period = best.period, t0 = best.t0, duration = best.duration, sde = best.sde, fap = best.fap, method = method,
    sde_pass = more.sde_pass, sde_fail = more.sde_fail, star_radius = more.star_radius })
  for _, check in ipairs(vetting.agreement(best.period, more.others or {})) do checks[#checks + 1] = check end
  return { vetting = checks, credible = verdict, vetting_version = vetting.version,
           n_transits = numbers.n_transits, n_expected = numbers.n_expected,
           time_first = lc.time[0], span = lc:duration() }
end

-- All trials of a search, with progress.
function transit.search(task, search)
  for done, total in search:run(task.threads) do task:progress(done, total) end
end

-- Hands over what a search found in lc: its best, the truth, and whether it is credible. more: as transit.vet takes it
-- (others: what the task asked for, if not given), and vetted, the light curve to judge it by, if that is another.
function transit.found(task, lc, best, method, more)
  more = more or {}
  more.others = more.others or task.requested_metadata
  task:set(best)
  task:set(transit.compare_with_truth(lc.metadata, best, lc:duration()))
  task:set(transit.vet(more.vetted or lc, best, method, more))
end

-- The periodogram of a search, if it is asked for: also by the name that the prototype's job files have for it.
function transit.periodogram(task, search, best)
  for _, kind in ipairs { "periodogram", "debugging" } do
    if task:wants(kind) then
      task:output(kind, eas.table(search:periodogram()), { sde = best.sde, period = best.period })
    end
  end
end

-- A whole search that has nothing of its own to say. more: see transit.found.
function transit.run(task, lc, search, method, more)
  local set = task.settings_used
  task:info("%d periods, %.3f to %.3f days, %d points", search.n_periods, set.period_min, set.period_max, lc.n)
  transit.search(task, search)
  local best = search:best()
  transit.periodogram(task, search, best)
  transit.found(task, lc, best, method, more)
end

return transit
