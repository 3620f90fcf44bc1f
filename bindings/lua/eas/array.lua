-- eas.array: bounds-checked views of numbers, zero-based like the kernels.
-- Fields: data (pointer, for kernel bindings only), n. a[i] reads and writes with 0 <= i < n; #a is n.
local ffi = require "ffi"

ffi.cdef [[
typedef struct { double *data; size_t n; } eas_array;
typedef struct { uint32_t *data; size_t n; } eas_flags;
]]

-- The collector does not follow pointers: each view holds on to what owns its memory.
-- A view is a key here by identity and is never looked up, so that equality of cdata plays no part.
local owners = setmetatable({}, { __mode = "k" })

local array = {}
local methods = {}
local floor, sqrt, huge = math.floor, math.sqrt, math.huge

local function describe(i, n)
  if n == 0 then return ("index %s of an empty array"):format(tostring(i)) end
  return ("index %s is outside of 0 .. %d (arrays start at 0)"):format(tostring(i), n - 1)
end

local function index(a, i)
  if type(i) == "number" then
    local n = tonumber(a.n)
    if i >= 0 and i < n and i % 1 == 0 then return tonumber(a.data[i]) end
    error(describe(i, n), 2)
  end
  local method = methods[i]
  if method == nil then error(("array has no field '%s'; it has data, n, a[i] and methods"):format(tostring(i)), 2) end
  return method
end

local function newindex(a, i, value)
  local n = tonumber(a.n)
  if type(i) ~= "number" or not (i >= 0 and i < n and i % 1 == 0) then error(describe(i, n), 2) end
  if type(value) ~= "number" then
    error(("a[%d] takes a number, not a %s"):format(i, type(value)), 2)
  end
  a.data[i] = value
end

local function text(a)
  local low, high, bad = a:range()
  local nan = bad > 0 and (", %d NaN"):format(bad) or ""
  if tonumber(a.n) == bad then return ("array[%d]%s"):format(tonumber(a.n), nan) end
  return ("array[%d] %.6g … %.6g%s"):format(tonumber(a.n), low, high, nan)
end

local meta = {
  __index = index, __newindex = newindex, __tostring = text,
  __len = function(a) return tonumber(a.n) end,
}
local array_type = ffi.metatype("eas_array", meta)
local flags_type = ffi.metatype("eas_flags", meta)

-- A view of n numbers at data (double* or uint32_t*) that owner keeps alive.
function array.view(data, n, owner, is_flags)
  local a = (is_flags and flags_type or array_type)(data, n)
  owners[a] = owner
  return a
end

-- array.new(n) zeros, or array.new{1, 2, 3}.
function array.new(from)
  local list = type(from) == "table" and from or nil
  local n = list and #list or from
  if type(n) ~= "number" or n < 0 or n % 1 ~= 0 or n > 2 ^ 40 then
    error(("array takes a length or a list of numbers, not %s"):format(tostring(from)), 2)
  end
  local store = ffi.new("double[?]", n)
  local a = array.view(store, n, store)
  for i = 1, list and n or 0 do
    if type(list[i]) ~= "number" then
      error(("array: item %d is a %s, not a number"):format(i, type(list[i])), 2)
    end
    store[i - 1] = list[i]
  end
  return a
end

-- n evenly spaced numbers, both ends included, computed as start + i * step.
function array.linspace(start, stop, n)
  local a = array.new(n)
  local step = n > 1 and (stop - start) / (n - 1) or 0
  for i = 0, n - 1 do a[i] = start + i * step end
  if n > 1 then a[n - 1] = stop end
  return a
end

function array.is(a)
  return type(a) == "cdata" and (ffi.istype(array_type, a) or ffi.istype(flags_type, a))
end

function methods.copy(a)
  local b = array.new(tonumber(a.n))
  for i = 0, tonumber(a.n) - 1 do b.data[i] = a.data[i] end
  return b
end

-- Items i .. j-1, sharing memory.
function methods.slice(a, i, j)
  j = j or tonumber(a.n)
  if not (i >= 0 and i <= j and j <= tonumber(a.n)) then
    error(("slice %s .. %s of an array of %d"):format(tostring(i), tostring(j), tonumber(a.n)), 2)
  end
  return array.view(a.data + i, j - i, a, ffi.istype(flags_type, a))
end

-- Smallest, largest, count of NaN; the first two are NaN when there is no number.
function methods.range(a)
  local low, high, bad, data = huge, -huge, 0, a.data
  for i = 0, tonumber(a.n) - 1 do
    local x = data[i]
    if x ~= x then bad = bad + 1 end
    if x < low then low = x end
    if x > high then high = x end
  end
  if low > high then low, high = 0 / 0, 0 / 0 end
  return low, high, bad
end

function methods.min(a) return (a:range()) end
function methods.max(a) return (select(2, a:range())) end

function methods.sum(a)
  local s, data = 0, a.data
  for i = 0, tonumber(a.n) - 1 do s = s + data[i] end
  return tonumber(s)
end

function methods.mean(a)
  return a:sum() / tonumber(a.n)
end

-- Population standard deviation.
function methods.std(a)
  local m, s, data = a:mean(), 0, a.data
  for i = 0, tonumber(a.n) - 1 do s = s + (data[i] - m) ^ 2 end
  return sqrt(s / tonumber(a.n))
end

-- The k-th smallest (0-based) of x[0 .. n-1], which is put in another order. Hoare's selection.
local function select_kth(x, n, k)
  local left, right = 0, n - 1
  while left < right do
    local pivot = x[floor((left + right) / 2)]
    local i, j = left, right
    repeat
      while x[i] < pivot do i = i + 1 end
      while pivot < x[j] do j = j - 1 end
      if i <= j then
        x[i], x[j] = x[j], x[i]
        i, j = i + 1, j - 1
      end
    until i > j
    if j < k then left = i end
    if k < i then right = j end
  end
  return x[k]
end

-- Mean of the middle two when n is even; NaN items are left out; NaN when nothing is left.
function methods.median(a)
  local x, m = ffi.new("double[?]", a.n), 0
  for i = 0, tonumber(a.n) - 1 do
    if a.data[i] == a.data[i] then
      x[m] = a.data[i]
      m = m + 1
    end
  end
  if m == 0 then return 0 / 0 end
  local high = select_kth(x, m, floor(m / 2))
  if m % 2 == 1 then return high end
  local low = -huge
  for i = 0, m / 2 - 1 do if x[i] > low then low = x[i] end end
  return (low + high) / 2
end

-- A plain Lua list, from 1.
function methods.table(a)
  local list = {}
  for i = 0, tonumber(a.n) - 1 do list[i + 1] = tonumber(a.data[i]) end
  return list
end

return array
