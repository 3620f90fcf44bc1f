-- What searches make of their power over trial periods: less its running median, and how a peak stands out.
local run = require "spec.tasks.run"

local function value(body)
  local got = run.body('local spectrum = require "eas.native.spectrum"\n' .. body)
  assert.is_true(got.finished, got.error and got.error.message)
  return got.metadata
end

describe("spectrum", function()
  it("takes off the median of the 91 trials around each, fewer at the ends, whatever the threads", function()
    local got = value [[
      local random, wrong, n = eas.random(7), 0, 0
      for _, size in ipairs { 1, 2, 45, 46, 90, 91, 92, 500 } do
        local power = eas.array(size)
        for i = 0, size - 1 do power[i] = random:normal() end
        for threads = 1, 3 do
          local flat = spectrum.flattened(power, nil, threads)
          for i = 0, size - 1 do
            local first, last = math.max(0, i - 45), math.min(size - 1, i + 45)
            local around = eas.array(last - first + 1)
            for k = first, last do around[k - first] = power[k] end
            n = n + 1
            if flat[i] ~= power[i] - around:median() then wrong = wrong + 1 end
          end
        end
      end
      task:set { wrong = wrong, n = n }]]
    assert.equal(0, got.wrong)
    assert.equal(3 * 867, got.n)
  end)

  it("finds the highest peak above it, in units of the scatter", function()
    local got = value [[
      local power, random = eas.array(2000), eas.random(3)
      for i = 0, 1999 do power[i] = 100 + 0.02 * i + random:normal() end -- it rises, with a scatter of 1
      power[300] = power[300] + 50
      local index, sde = spectrum.peak(power, true)
      task:set { index = index, sde = sde }]]
    assert.equal(300, got.index)
    assert.truthy(got.sde > 45 and got.sde < 55, got.sde)
  end)

  it("knows no peak where nothing is positive, and one without end where there is no noise", function()
    local got = value [[
      local power = eas.array(100)
      task:set { none = spectrum.peak(power) == nil }
      power[7], power[8] = math.huge, 0 / 0
      task:set { without_end = spectrum.peak(power, true) }]]
    assert.is_true(got.none)
    assert.equal(7, got.without_end)
  end)
end)
