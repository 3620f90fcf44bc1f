--- samples: what every kernel gets of a light curve: finite, sorted, contiguous columns.
--
-- A light curve keeps every row of its file; kernels want none that is flagged or
-- not finite. Copies are made, so nothing of the caller's is modified.

local bit = require "bit"
local ffi = require "ffi"
local native = require "eas.native"

local samples = {}
local made = setmetatable({}, { __mode = "k" }) -- what samples.of has returned

-- bad, gap filled, outlier clipped (engine/lightcurve/lc.h)
local DROPPED = 1 + 4 + 8

local function finite(x) return x - x == 0 end

---@class eas.samples
---@field n integer samples kept
---@field time eas.array day, strictly increasing
---@field flux eas.array
---@field flux_err eas.array|nil only if known, finite and positive for every sample
---@field flag table|nil data: uint32_t[n], only if the light curve has flags
---@field dropped integer

--- The samples of lc that a search may use.
---@param lc table light curve: n, time, flux and, if known, flux_err and flag; or samples, which are returned as they are
---@return eas.samples
function samples.of(lc)
  if made[lc] then return lc end
  local n, time, flux, err, flag = tonumber(lc.n), lc.time, lc.flux, lc.flux_err, lc.flag
  local kept, count, last, known = ffi.new("uint32_t[?]", n), 0, -math.huge, err ~= nil
  for i = 0, n - 1 do
    local t = time[i]
    local good = finite(t) and finite(flux[i]) and t > last
    if good and flag and bit.band(flag[i], DROPPED) ~= 0 then good = false end
    if good then
      kept[count] = i
      count, last = count + 1, t
      if known and not (err[i] > 0 and err[i] < math.huge) then known = false end
    end
  end

  local out = { n = count, dropped = n - count, time = native.array(count), flux = native.array(count),
                flux_err = known and count > 0 and native.array(count) or nil,
                flag = flag and { data = ffi.new("uint32_t[?]", count) } or nil }
  for k = 0, count - 1 do
    local i = kept[k]
    out.time[k], out.flux[k] = time[i], flux[i]
    if out.flux_err then out.flux_err[k] = err[i] end
    if flag then out.flag.data[k] = flag[i] end
  end
  made[out] = true
  return out
end

--- Numbers of a Lua list, or an array as it is.
---@param values eas.array|number[]
---@return eas.array
function samples.array(values)
  if type(values) ~= "table" then return values end
  return native.array(values)
end

return samples
