-- eas.random: numbers from a seed, the same on every machine: SplitMix64 (Steele, Lea & Flood 2014) over a counter.
local ffi = require "ffi"
local bit = require "bit"

local random = {}
local methods = {}
local GAMMA, M1, M2 = 0x9E3779B97F4A7C15ULL, 0xBF58476D1CE4E5B9ULL, 0x94D049BB133111EBULL
local bxor, rshift = bit.bxor, bit.rshift
local uint64 = ffi.typeof "uint64_t"

local function next_bits(r)
  r.count = r.count + 1
  local z = r.seed + r.count * GAMMA
  z = bxor(z, rshift(z, 30)) * M1
  z = bxor(z, rshift(z, 27)) * M2
  return bxor(z, rshift(z, 31))
end

-- In (0, 1), never an end.
function methods.uniform(r)
  return (tonumber(rshift(next_bits(r), 11)) + 0.5) * 2 ^ -53
end

-- A whole number, low <= it <= high.
function methods.integer(r, low, high)
  if not (high >= low) then error(("no whole number between %s and %s"):format(low, high), 2) end
  return low + math.floor(r:uniform() * (high - low + 1))
end

-- Mean 0, standard deviation 1 (Box-Muller, cosine branch: two draws each).
function methods.normal(r)
  local u, v = r:uniform(), r:uniform()
  return math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)
end

local meta = { __index = methods }

-- A generator of its own; seed: a whole number, as task.seed.
function random.new(seed)
  if type(seed) ~= "number" or seed % 1 ~= 0 or seed < 0 or seed >= 2 ^ 53 then
    error("eas.random takes a seed: a whole number, 0 <= seed < 2^53 (task.seed)", 2)
  end
  return setmetatable({ seed = uint64(seed), count = uint64(0) }, meta)
end

return random
