-- eas.lc: light curves. Fields: n, time (day), flux, flux_err, flag (arrays), metadata (table), n_rows, n_duplicate.
-- Methods return new light curves; nothing changes the one that an input gave.
local ffi = require "ffi"
local core = require "eas.core"
local json = require "eas.json"
local array = require "eas.array"

ffi.cdef(assert(loadfile(core.native_folder() .. "/lc_cdef.lua"))().cdef)

local lc = { BAD = 1, MASK_UPDATE = 2, GAP = 4, OUTLIER = 8, EDGE = 16 }
local methods = {}
local columns = { time = true, flux = true, flux_err = true, flag = true }
local pointer = ffi.typeof "eas_lc_columns *[1]"

local function field_names()
  local list = { "n", "time", "flux", "flux_err", "flag", "metadata", "n_rows", "n_duplicate" }
  for name in pairs(methods) do list[#list + 1] = name end
  return list
end

local function no_field(name, level)
  local near = core.nearest(tostring(name), field_names())
  error(("lightcurve has no field '%s'; use %s"):format(tostring(name),
    near or "n, time, flux, flux_err, flag, metadata"), level + 1)
end

local function get(self, name)
  if columns[name] then
    local c = rawget(self, "_columns")
    local view = array.view(c[name], c.n, rawget(self, "_handle"), name == "flag")
    rawset(self, name, view)
    return view
  end
  if name == "n" or name == "n_rows" or name == "n_duplicate" then return tonumber(rawget(self, "_columns")[name]) end
  if methods[name] then return methods[name] end
  no_field(name, 2)
end

local function set(_, name)
  if columns[name] or name == "n" then
    error(("lightcurve: %s cannot be replaced; write its items, or start from eas.lightcurve(n)"):format(name), 2)
  end
  no_field(name, 2)
end

local function text(self)
  local n = self.n
  if n == 0 then return "lightcurve: no points" end
  return ("lightcurve: %d points, %.2f to %.2f d"):format(n, self.time[0], self.time[n - 1])
end

local meta = { __index = get, __newindex = set, __tostring = text }

-- The collector sees small handles, not their columns: it is called when 64 MB of them were made.
local made = 0
local function count_bytes(n)
  made = made + 28 * n
  if made > 64e6 then
    made = 0
    collectgarbage()
  end
end

local function wrap(handle, metadata)
  local p = pointer()
  ffi.copy(p, core.lc_columns(handle), ffi.sizeof(p))
  count_bytes(tonumber(p[0].n))
  return setmetatable({ _handle = handle, _columns = p[0], metadata = metadata }, meta)
end

local function copy_table(from, into)
  into = into or {}
  for k, v in pairs(from or {}) do into[k] = v end
  return into
end

function lc.is(x)
  return type(x) == "table" and getmetatable(x) == meta
end

-- A method by its name, for eas.repl.help.
function lc.method(name) return methods[name] end

-- Reads FITS or text by content. nil, why, what to do when it cannot. metadata: laid over what the file says.
function lc.read(path, options, metadata)
  local handle, why, hint = core.lc_read(path, options)
  if not handle then return nil, why, hint end
  return wrap(handle, copy_table(metadata, json.decode(core.lc_metadata(handle))))
end

-- From a number of samples (time, flux and flag 0, flux_err NaN), or from a table of arrays
-- { time =, flux =, flux_err =, flag = }, which are copied.
function lc.new(from, metadata)
  local n = type(from) == "table" and array.is(from.time) and tonumber(from.time.n) or from
  if type(n) ~= "number" or n < 0 or n % 1 ~= 0 then
    error("eas.lightcurve takes a number of samples, or { time = array, flux = array, ... }", 2)
  end
  local handle, why = core.lc_new(n)
  if not handle then error(why, 2) end
  local new = wrap(handle, metadata or {})
  for name in pairs(type(from) == "table" and columns or {}) do
    if from[name] then
      if tonumber(from[name].n) ~= n then
        error(("eas.lightcurve: %d items of %s for %d times"):format(tonumber(from[name].n), name, n), 2)
      end
      for i = 0, n - 1 do new[name].data[i] = from[name].data[i] end
    end
  end
  return new
end

-- The format is by the ending: .gz, .txt, .txt.gz the text format, else FITS.
function methods.write(self, path)
  local metadata, fault = json.encode(self.metadata)
  if not metadata then error("metadata of the light curve: " .. fault, 2) end
  local ok, why = core.lc_write(rawget(self, "_handle"), path, metadata)
  if not ok then error(why, 2) end
end

local function derived(self, handle, why)
  if not handle then error(why, 3) end
  return wrap(handle, copy_table(self.metadata))
end

-- The samples with t0 <= t < t0 + duration (day), t0 the first time; all of them when duration is nil.
function methods.truncate(self, duration)
  if duration == nil then return self end
  if type(duration) ~= "number" or not (duration > 0) then error("truncate takes a duration in days, > 0", 2) end
  return derived(self, core.lc_truncate(rawget(self, "_handle"), duration))
end

-- Without samples that are flagged BAD, not finite, or repeat a time: what kernels take.
function methods.clean(self)
  return derived(self, core.lc_clean(rawget(self, "_handle")))
end

function methods.copy(self)
  local n = self.n
  local new = lc.new(n, copy_table(self.metadata))
  for name in pairs(columns) do
    ffi.copy(new[name].data, self[name].data, n * ffi.sizeof(name == "flag" and "uint32_t" or "double"))
  end
  return new
end

local function shifted(self, by)
  local new = self:copy()
  local flux = new.flux.data
  for i = 0, self.n - 1 do flux[i] = flux[i] - by end
  return new
end

function methods.subtract_mean(self) return shifted(self, self.flux:mean()) end
function methods.subtract_median(self) return shifted(self, self.flux:median()) end

-- Flux and its error over the median flux: 1 is out of transit, as searches expect.
function methods.normalise(self)
  local new, m = self:copy(), self.flux:median()
  if not (m > 0) then error(("normalise: the median flux is %g; it must be > 0"):format(m), 2) end
  for i = 0, self.n - 1 do
    new.flux.data[i] = new.flux.data[i] / m
    new.flux_err.data[i] = new.flux_err.data[i] / m
  end
  return new
end

-- Days from the first to the last sample; 0 when there are none.
function methods.duration(self)
  local n = self.n
  return n > 0 and self.time[n - 1] - self.time[0] or 0
end

-- Scatter of the flux from one sample to the next, robust: 1.4826 MAD of differences / sqrt 2. NaN for n < 3.
function methods.noise(self)
  local n = self.n
  if n < 3 then return 0 / 0 end
  local d = array.new(n - 1)
  for i = 0, n - 2 do d.data[i] = self.flux.data[i + 1] - self.flux.data[i] end
  local m = d:median()
  for i = 0, n - 2 do d.data[i] = math.abs(d.data[i] - m) end
  return 1.4826 * d:median() / math.sqrt(2)
end

-- 1 / flux_err^2 of each sample, or nil when an error is not known or not positive.
function methods.inverse_variance(self)
  local n = self.n
  local w = array.new(n)
  for i = 0, n - 1 do
    local e = self.flux_err.data[i]
    if not (e > 0 and e < math.huge) then return nil end
    w.data[i] = 1 / (e * e)
  end
  return w
end

return lc
