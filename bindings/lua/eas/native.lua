-- eas.native: what a kernel's binding (native/NAME.lua) is written with.
--   lib = native.load "bls"            bls.so and its declarations; found beside the engine, then in packs
--   a = native.array(n)                zeroed, bounds-checked doubles (eas.array)
--   p = native.aligned(bytes)          void *, aligned to 64, freed when collected: keep it in a Lua field
--   native.check(code, "bls")          raises for a negative code, with its meaning
--   for done, total in native.run(lib, "eas_bls_run", job, n, work_size, threads, keep) do ... end
--                                      keep: the Lua table that holds the job's arrays
--   native.whole(lib, "eas_x_run", job, n, work_size, keep)   the same without progress, one thread
--   native.keep(a, b)                  after a call of lib's own that was given pointers of arrays used no more
local ffi = require "ffi"
local core = require "eas.core"
local array = require "eas.array"

ffi.cdef [[
void *aligned_alloc(size_t alignment, size_t size);
void free(void *);
]]

---@class eas.native what the binding of a kernel (native/NAME.lua) is written with
---@field array fun(n: integer): eas.array zeroed, bounds-checked doubles
---@field codes table<string, integer> OK, EARG, EDATA, EFEW, EGRID, NONE: what kernels return
---@field cpu table<string, number> CPU seconds that run has spent in each kernel
local native = { array = array.new, view = array.view }
native.cpu = {} -- kernel -> CPU seconds that native.run spent in it

native.codes = { OK = 0, EARG = -1, EDATA = -2, EFEW = -3, EGRID = -4, NONE = -5 }
local meaning = {
  [-1] = "a setting or a size is outside of what the kernel takes",
  [-2] = "an array holds what it must not (not finite, times not increasing, an error that is not positive)",
  [-3] = "too few points",
  [-4] = "nothing to search: the grid is empty",
  [-5] = "no candidate",
}

--- What a return code means, in words.
---@param code integer
---@return string
function native.meaning(code)
  return meaning[code] or ("code %d"):format(code)
end

--- Raises, with its meaning, for a code below 0.
---@param code integer what a kernel returned
---@param what string the kernel's name, for the message
---@param allow integer|nil a code that is let through, as native.codes.NONE
---@param level integer|nil whose fault it is, as of error(); 1: the caller's
---@return integer code
function native.check(code, what, allow, level)
  if code < 0 and code ~= allow then error(what .. ": " .. native.meaning(code), (level or 1) + 1) end
  return code
end

local loaded = {}  -- name -> { lib, path, declarations, digest; until it is mapped: mark, declared, wait }
native.loaded = loaded
native.folders = { core.native_folder() }
native.on_load = nil -- called with the name at each native.load: who used which kernel
native.late = false  -- kernels are declared now, and mapped when they are wanted

local function find(name)
  for _, folder in ipairs(native.folders) do
    local path, checked = folder .. "/" .. name .. ".so", folder .. "/asan/" .. name .. ".so"
    if core.sanitized and core.exists(checked) then path = checked end
    if core.exists(path) then return path, folder .. "/" .. name .. "_cdef.lua" end
  end
  error(("kernel '%s' is not in %s"):format(name, table.concat(native.folders, ", ")), 3)
end

-- A file's bytes; nil and why if it cannot be read.
function native.read(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text = file:read "*a"
  file:close()
  return text
end

-- Maps a kernel that waits for it. What is loaded must be what was declared and what the record of the attempt names.
function native.open(name)
  local kernel = loaded[name]
  if not kernel.wait then return kernel.lib end
  local mark = core.mark(kernel.path)
  if mark ~= kernel.mark then -- another build since; its structures may be laid out otherwise
    if core.sha256(native.read(kernel.declarations) or "") ~= kernel.declared then
      error(("kernel '%s' has other declarations than when this process began: run it again"):format(name), 0)
    end
    kernel.digest = core.sha256_file(kernel.path)
  end
  local lib = ffi.load(kernel.path)
  kernel.wait.__index, kernel.wait = lib, nil
  return kernel.lib
end

-- Each mapping of the zygote is copied for each attempt, and most attempts want no kernel or one.
local function map_later(name, kernel)
  kernel.wait = { __index = function(_, symbol) return native.open(name)[symbol] end }
  return setmetatable({}, kernel.wait)
end

--- A kernel's library, its declarations known to ffi. An error when it is neither beside the engine nor in a pack's native folder.
---@param name string as "bls": bls.so and bls_cdef.lua
---@return ffi.namespace*
function native.load(name)
  if type(name) ~= "string" or not name:match "^[%w_]+$" then
    error("native.load takes a kernel's name", 2)
  end
  if native.on_load then native.on_load(name) end
  if loaded[name] then return loaded[name].lib end
  local path, declarations = find(name)
  local text, why = native.read(declarations)
  local chunk
  if text then chunk, why = load(text, "@" .. declarations) end
  if not chunk then error(("kernel '%s': %s"):format(name, why), 2) end
  ffi.cdef(chunk().cdef)
  local kernel = { path = path, declarations = declarations, digest = core.sha256_file(path) }
  local mark, for_all = core.mark(path)
  if native.late and for_all then
    kernel.mark, kernel.declared = mark, core.sha256(text)
    kernel.lib = map_later(name, kernel)
  else
    kernel.lib = ffi.load(path)
  end
  loaded[name] = kernel
  return kernel.lib
end

--- Memory aligned to 64, freed when it is collected: keep it in a Lua field. An error when there is none.
---@param bytes integer at least 64 are taken
---@return ffi.cdata* void *
function native.aligned(bytes)
  local size = math.max(64, math.ceil(tonumber(bytes) / 64) * 64)
  local p = ffi.C.aligned_alloc(64, size)
  if p == nil then error(("no memory for %d bytes"):format(size), 2) end
  return ffi.gc(p, ffi.C.free)
end

--- Runs fn(job, i0, i1, work) over [0, n), cut into chunks of about 10 ms over threads; each step of the
--- iterator gives (done, total) some 20 times a second, last (n, n). Ends early, raising, when the attempt
--- is cancelled or out of time, or when a chunk returns a negative code.
---@param lib ffi.namespace* of native.load
---@param fn string name of the kernel's function, as "eas_bls_run"
---@param job ffi.cdata* a checked job
---@param n integer length of the range
---@param work_size integer bytes of scratch for each thread
---@param threads integer|nil 1
---@param keep any what holds the arrays that the job points to
---@return fun(): integer, integer
function native.run(lib, fn, job, n, work_size, threads, keep)
  local what = fn:match "^eas_(.-)_run" or fn
  local _, before = core.clocks()
  local pool = core.pool_new(ffi.cast("void *", lib[fn]), ffi.cast("const void *", job), tonumber(n),
    tonumber(work_size), threads or 1, { lib, job, keep })
  return function()
    local _, began = core.clocks()
    local done, total, code = core.pool_step(pool)
    local _, ended = core.clocks()
    -- one thread works in steps alone; several work on while the caller has its turn
    native.cpu[what] = (native.cpu[what] or 0) + ended - ((threads or 1) > 1 and before or began)
    before = ended
    if code then native.check(code, what, nil, 2) end
    return done, total
  end
end

--- The same at once: without progress, in one thread.
---@param lib ffi.namespace* of native.load
---@param fn string name of the kernel's function
---@param job ffi.cdata* a checked job
---@param n integer length of the range
---@param work_size integer bytes of scratch
---@param keep any what holds the arrays that the job points to
function native.whole(lib, fn, job, n, work_size, keep)
  for _ in native.run(lib, fn, job, n, work_size, 1, keep) do end -- luacheck: ignore
end

--- The collector does not follow pointers, and a compiled trace drops a local that is used no more: this is a use.
---@param ... any arrays whose pointers a call was given
function native.keep(...) -- luacheck: no unused args
end

return native
