-- kernel.lua: what the kernels' specs share: arrays, runs cut into parts, reference data, the golden light curve G1.
local ffi = require "ffi"
local bit = require "bit"
local T = require "spec.support"

ffi.cdef [[
int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
void *memalign(size_t alignment, size_t size);
void free(void *);
]]

local K = { asan = T.asan, OK = 0, EARG = -1, EDATA = -2, EFEW = -3, EGRID = -4, NONE = -5, nan = 0 / 0, inf = math.huge }

-- Memory of exactly so many bytes from malloc, where a sanitizer sees what is read or written beside it.
local function exactly(bytes)
  local memory = ffi.C.memalign(64, math.max(tonumber(bytes), 1))
  assert(memory ~= nil, "no memory")
  return ffi.gc(memory, ffi.C.free)
end

local owners = setmetatable({}, { __mode = "k" })

-- double[n] from a list or of zeros; keep it as long as a job points to it.
function K.doubles(from)
  local n = type(from) == "number" and from or #from
  local memory = exactly(8 * n)
  local out = ffi.cast("double *", memory)
  owners[out] = memory
  for i = 1, n do out[i - 1] = type(from) == "table" and from[i] or 0 end
  return out
end

function K.list(data, n)
  local out = {}
  for i = 0, n - 1 do out[i + 1] = data[i] end
  return out
end

function K.linspace(lo, hi, n)
  local out, step = {}, (hi - lo) / (n - 1)
  for i = 0, n - 1 do out[i + 1] = lo + i * step end
  out[n] = hi
  return out
end

-- Memory aligned to 64, full of NaN: scratch promises nothing, and what reads it unset shows.
function K.scratch(bytes)
  local memory = exactly(bytes)
  ffi.fill(memory, tonumber(bytes), 0xFF)
  return memory
end

-- Runs [0, n) cut into so many parts, the last first, each with scratch of its own.
function K.run(lib, name, job, n, parts)
  parts = parts or 1
  for k = parts - 1, 0, -1 do
    local work = K.scratch(lib["eas_" .. name .. "_work_size"](job))
    local i0, i1 = math.floor(n * k / parts), math.floor(n * (k + 1) / parts)
    local code = lib["eas_" .. name .. "_run"](job, i0, i1, work)
    if code ~= 0 then error(("%s: run gave %d"):format(name, code), 2) end
    ffi.gc(work, nil)
    ffi.C.free(work)
  end
end

-- Runs f with vector instructions pinned.
function K.at_level(level, f)
  ffi.C.setenv("EAS_SIMD", level, 1)
  local ok, why = pcall(f)
  ffi.C.unsetenv "EAS_SIMD"
  if not ok then error(why, 0) end
end

function K.json(name)
  local path = T.reference(name)
  T.skip_unless(path, name .. " is not beside the repository")
  return require "cjson".decode(T.read(path))
end

-- Rows of a gzipped text table, comments left out, as columns.
function K.table(name)
  local path = T.reference(name)
  T.skip_unless(path, name .. " is not beside the repository")
  local columns = {}
  for line in T.sh("gunzip -c " .. T.quote(path)).out:gmatch "[^\n]+" do
    if not line:match "^#" then
      local c = 0
      for word in line:gmatch "%S+" do
        c = c + 1
        columns[c] = columns[c] or {}
        table.insert(columns[c], tonumber(word))
      end
    end
  end
  return columns
end

-- One output of the SplitMix64 stream, by its definition in 64-bit integers: a check on the kernels' own.
local function splitmix(seed, counter)
  local z = 0ULL + seed + (counter + 1) * 0x9E3779B97F4A7C15ULL
  z = bit.bxor(z, bit.rshift(z, 30)) * 0xBF58476D1CE4E5B9ULL
  z = bit.bxor(z, bit.rshift(z, 27)) * 0x94D049BB133111EBULL
  return bit.bxor(z, bit.rshift(z, 31))
end

function K.uniform(seed, counter)
  return (tonumber(bit.rshift(splitmix(seed, counter), 11)) + 0.5) * 2 ^ -53
end

function K.normal(seed, k) -- the cosine branch of outputs 2k, 2k + 1
  return math.sqrt(-2 * math.log(K.uniform(seed, 2 * k))) * math.cos(2 * math.pi * K.uniform(seed, 2 * k + 1))
end

-- n samples at start + (k + 1) step: 1, a box transit, white noise. fmod, since samples stand on the box's edges.
function K.box_curve(set)
  local t, y = {}, {}
  for k = 0, set.n - 1 do
    local time = (set.start or 0) + (k + 1) * set.step
    local phase = set.period and math.fmod(time - set.t0 + set.period / 2, set.period) - set.period / 2 or 1e9
    t[k + 1] = time
    y[k + 1] = 1 - (math.abs(phase) < (set.duration or 0) / 2 and set.depth or 0) + set.noise * K.normal(set.seed, k)
  end
  return t, y
end

-- 30 days at 600 s, period 4.3, t0 1.7, 0.15 day long, 1e-3 deep, noise 5e-4.
function K.g1()
  return K.box_curve { n = 4320, step = 600 / 86400, period = 4.3, t0 = 1.7, duration = 0.15, depth = 1e-3,
                       noise = 5e-4, seed = 42 }
end

function K.near(expected, got, relative, what)
  local scale = math.max(math.abs(expected), 1e-300)
  if not (math.abs(got - expected) <= relative * scale) then
    error(("%s: expected %.17g, got %.17g"):format(what or "value", expected, got), 2)
  end
end

return K
