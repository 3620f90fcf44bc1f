-- bls: boxes are passed over in single precision; what is found must be the definition's, bit for bit, whatever the numbers are.
local K = require "spec.native.kernel"
local B = require "spec.native.bls"

local periods, durations = {}, { 0.07, 0.1, 0.16, 0.3 }
for k = 1, 25 do periods[k] = 0.35 * 1.13 ^ k end

local function curve(n, seed)
  local t, y = K.box_curve { n = n, step = 0.02, period = 2.3, t0 = 0.05, duration = 0.1, depth = 1e-3, noise = 4e-4, seed = seed }
  for i = 1, n do t[i] = t[i] + 0.008 * K.uniform(seed, i) end
  return t, y
end

local function mapped(list, f)
  local out = {}
  for i, v in ipairs(list) do out[i] = f(v, i) end
  return out
end

local function agree(t, y, ivar, oversample)
  for _, objective in ipairs { B.LIKELIHOOD, B.SNR } do
    for _, wrap in ipairs { B.FULL, B.PEER } do
      local set = { periods = periods, durations = durations, objective = objective, wrap = wrap, ivar = ivar, oversample = oversample }
      local exact = B.search(t, y, set)
      set.path = B.FOLD
      for _, level in ipairs { "sse2", "avx2", "avx512" } do
        K.at_level(level, function() B.same(exact, B.search(t, y, set), #periods) end)
      end
    end
  end
end

describe("bls, in single precision where that is enough, finds the definition's boxes", function()
  local t, y = curve(700, 3)

  it("of light curves long and short", function()
    for _, n in ipairs { 3, 4, 7, 20, 31, 32, 33, 150, 2000 } do agree(curve(n, n)) end
  end)

  it("whatever the bins", function()
    for _, oversample in ipairs { 1, 2, 3, 40 } do agree(t, y, nil, oversample) end
  end)

  it("of flux in any unit", function()
    for _, unit in ipairs { 1e-160, 1e-60, 1e-22, 1e-19, 1e19, 1e22, 1e60, 1e150 } do
      agree(t, mapped(y, function(v) return v * unit end))
    end
  end)

  it("of weights over many decades", function()
    for _, decades in ipairs { 1, 4, 8, 14 } do
      agree(t, y, mapped(y, function(_, i) return 10 ^ (decades * (K.uniform(17, i) - 0.5)) end))
    end
    agree(t, y, mapped(y, function(_, i) return i == 350 and 1e9 or 1 end))
    agree(t, y, mapped(y, function(_, i) return i < 350 and 1e-9 or 1 end))
    for _, rest in ipairs { 1e-10, 1e-11, 2e-12 } do -- boxes that hold all but that
      agree(t, y, mapped(y, function(_, i) return i > 340 and i < 345 and 1 or rest / 700 * (1 + K.uniform(5, i)) end))
    end
    agree(t, y, mapped(y, function() return 1e-200 end))
    agree(t, y, mapped(y, function() return 1e200 end))
  end)

  it("beside outliers, trends and steps far larger than they are", function()
    agree(t, mapped(y, function(v, i) return i == 400 and 1e9 or v end))
    agree(t, mapped(y, function(v, i) return i == 400 and -1e9 or v end))
    agree(t, mapped(y, function(v, i) return v + 1e4 * i end))
    agree(t, mapped(y, function(v, i) return v + (i > 300 and 1e7 or 0) end))
    agree(t, mapped(y, function(v) return v + 1e9 end))
  end)

  it("where all are alike", function()
    agree(t, mapped(y, function() return 1 end))
    agree(t, mapped(y, function(_, i) return i % 2 end))
    agree(t, mapped(y, function(_, i) return i == 5 and 0 or 1 end))
  end)
end)
