-- lib.planets: how tasks are told of transits: one planet by period, t0 and duration, or a list of them.
local planets = {}

-- Adds the rows of settings that planets.list reads.
function planets.settings(rows)
  rows.period = { nil, "day", type = "number" }
  rows.t0 = { nil, "day: any mid-transit", type = "number" }
  rows.duration = { nil, "day, from first to last contact", type = "number" }
  rows.transits = { nil, "a list of { period, t0, duration }, or { times, duration } where intervals vary", type = "table" }
  rows.mask_width = { 1.5, "how much around mid-transit is masked, in durations" }
  return rows
end

local function number(x) return type(x) == "number" and x - x == 0 end

-- The planets of the settings; empty where a search gave none (its period is null).
function planets.list(set)
  local list = {}
  for _, planet in ipairs(set.transits or {}) do list[#list + 1] = planet end
  if number(set.period) and number(set.t0) and number(set.duration) then
    list[#list + 1] = { period = set.period, t0 = set.t0, duration = set.duration }
  elseif number(set.period) then
    error("period needs t0 and duration beside it", 0)
  end
  return list
end

-- The light curve with another flux; errors are not known.
function planets.with_flux(lc, flux)
  local new = lc:copy()
  for i = 0, lc.n - 1 do new.flux[i], new.flux_err[i] = flux[i], 0 / 0 end
  return new
end

return planets
