--- samples: what every kernel gets of a light curve: finite, sorted, contiguous columns.
--
-- A light curve keeps every row of its file; kernels want none that is flagged or
-- not finite. Copies are made, so nothing of the caller's is modified.

local bit = require "bit"
local native = require "eas.native"

local samples = {}

-- bad, gap filled, outlier clipped (engine/lightcurve/lc.h)
local DROPPED = 1 + 4 + 8

local function finite(x) return x - x == 0 end

---@class eas.samples
---@field n integer samples kept
---@field time eas.array day, strictly increasing
---@field flux eas.array
---@field flux_err eas.array|nil only if known, finite and positive for every sample
---@field dropped integer

--- The samples of lc that a search may use.
---@param lc table light curve: n, time, flux and, if known, flux_err and flag
---@return eas.samples
function samples.of(lc)
  local n, time, flux, err, flag = tonumber(lc.n), lc.time, lc.flux, lc.flux_err, lc.flag
  local kept, last, known = 0, -math.huge, err ~= nil
  for i = 0, n - 1 do
    local t = time[i]
    local good = finite(t) and finite(flux[i]) and t > last
    if good and flag and bit.band(tonumber(flag[i]), DROPPED) ~= 0 then good = false end
    if good then
      kept, last = kept + 1, t
      if known and not (err[i] > 0 and err[i] < math.huge) then known = false end
    end
  end

  local out = { n = kept, dropped = n - kept, time = native.array(kept), flux = native.array(kept),
                flux_err = known and kept > 0 and native.array(kept) or nil }
  local k
  k, last = 0, -math.huge
  for i = 0, n - 1 do
    local t = time[i]
    local good = finite(t) and finite(flux[i]) and t > last
    if good and flag and bit.band(tonumber(flag[i]), DROPPED) ~= 0 then good = false end
    if good then
      out.time[k], out.flux[k], last = t, flux[i], t
      if out.flux_err then out.flux_err[k] = err[i] end
      k = k + 1
    end
  end
  return out
end

--- Numbers of a Lua list, or an array as it is.
function samples.array(values)
  if type(values) ~= "table" or getmetatable(values) then return values end
  local out = native.array(#values)
  for i, v in ipairs(values) do out[i - 1] = v end
  return out
end

return samples
