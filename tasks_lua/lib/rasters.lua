-- lib.rasters: light curves brought onto each other's times: products, other cadences.
local eas = require "eas"
local resample = require "eas.native.resample"

local rasters = {}
local EDGE, SNAP = 16, 1e-9 -- flag; day

function rasters.same(a, b)
  if a.n ~= b.n then return false end
  for i = 0, a.n - 1 do
    if not (math.abs(a.time[i] - b.time[i]) < SNAP) then return false end
  end
  return true
end

-- lc at times: n, time, flux, flux_err, flag; as it is where its times are these.
function rasters.onto(lc, times, options)
  if rasters.same(lc, { n = tonumber(times.n), time = times }) then return lc end
  if lc.n < 4 or tonumber(times.n) < 2 then
    error(("%d samples cannot be brought onto %d times: 4 and 2 are needed"):format(lc.n, tonumber(times.n)), 0)
  end
  return resample.onto(lc, times, options)
end

-- Metadata of both; where they differ those of the one that says what transits (b, if both or neither do), and the
-- names in metadata_conflicts.
function rasters.merge(a, b)
  if a.orbital_period and not b.orbital_period then a, b = b, a end
  local out, conflicts = {}, {}
  for name, value in pairs(a) do out[name] = value end
  for name, value in pairs(b) do
    if out[name] ~= nil and type(value) ~= "table" and out[name] ~= value then conflicts[#conflicts + 1] = name end
    out[name] = value
  end
  table.sort(conflicts)
  out.metadata_conflicts = #conflicts > 0 and conflicts or nil
  return out
end

-- a times b at a's times: errors of a product, flags of both, the first and last sample flagged 16. prototype: those two
-- left out, and errors as of a sum.
function rasters.product(a, b, prototype)
  local other = rasters.onto(b, a.time, { compat = prototype })
  local skip = prototype and 1 or 0
  local n = math.max(a.n - 2 * skip, 0)
  local new = eas.lightcurve(n, rasters.merge(a.metadata, b.metadata))
  for i = 0, n - 1 do
    local k = i + skip
    local x, y, sx, sy = a.flux[k], other.flux[k], a.flux_err[k], other.flux_err[k]
    new.time[i], new.flux[i] = a.time[k], x * y
    new.flux_err[i] = prototype and math.sqrt(sx ^ 2 + sy ^ 2) or math.sqrt((x * sy) ^ 2 + (y * sx) ^ 2)
    local flag = resample.flags(a.flag[k], other.flag.data[k])
    new.flag[i] = other ~= b and not prototype and (i == 0 or i == n - 1) and resample.flags(flag, EDGE) or flag
  end
  return new
end

-- Times from the first to the last of lc, step days apart.
function rasters.times(lc, step)
  local n = lc.n > 0 and math.floor((lc.time[lc.n - 1] - lc.time[0]) / step + 1e-9) + 1 or 0
  if n < 2 or n > 1e8 then
    error(("a cadence of %g s makes %.0f samples of %.6g days; 2 to 1e8 are possible"):format(step * 86400, n, lc:duration()), 0)
  end
  local times = eas.array(n)
  for i = 0, n - 1 do times[i] = lc.time[0] + i * step end
  return times
end

return rasters
