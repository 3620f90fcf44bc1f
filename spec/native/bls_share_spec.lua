-- bls: searches that share their tables of samples, and several searches run as one, have the same bits as each alone.
local ffi = require "ffi"
local K = require "spec.native.kernel"
local B = require "spec.native.bls"
local lib = B.lib

local SETS = { -- stretches of periods, each with its durations: other bins, another padding
  { periods = K.linspace(3.1, 4.6, 37), durations = { 0.3, 0.2 } },
  { periods = K.linspace(0.7, 1.1, 41), durations = { 0.07, 0.1 } },
  { periods = K.linspace(1.1, 3.1, 53), durations = { 0.1, 0.15, 0.25 } },
}

local function random_of(seed)
  local k = 0
  return function()
    k = k + 1
    return K.uniform(seed, k)
  end
end

-- A box of 1 % every 2.3 days in noise.
local function curve(n, cadence, jitter, seed)
  local random, t, y = random_of(seed), {}, {}
  for i = 1, n do
    t[i] = ((i - 1) + jitter * random()) * cadence
    y[i] = 1 - (t[i] % 2.3 < 0.15 and 0.01 or 0) + 0.004 * (random() - 0.5)
  end
  return t, y
end

local function prepared(t, y, set, of)
  local s = B.new(t, y, { periods = set.periods, durations = set.durations, path = B.FAST, ivar = set.ivar })
  if of then
    s.of = of
    s.job.time, s.job.flux, s.job.ivar, s.job.share = of.job.time, of.job.flux, of.job.ivar, of.plan
  end
  assert.equal(K.OK, lib.eas_bls_check(s.job))
  s.plan = K.scratch(lib.eas_bls_plan_size(s.job))
  s.job.plan = s.plan
  assert.equal(K.OK, lib.eas_bls_prepare(s.job))
  return s
end

local CURVES = {
  { name = "uniform", path = B.ROWS, curve(2000, 0.02, 0, 1) },
  { name = "irregular and dense", path = B.EDGES, curve(6000, 0.004, 0.2, 2) },
  { name = "irregular", path = B.FOLD, curve(1600, 0.02, 0.3, 3) },
}

describe("bls, shared and together", function()
  for _, c in ipairs(CURVES) do
    for _, weighted in ipairs { false, true } do
      it(("has the same bits: %s%s"):format(c.name, weighted and ", with weights" or ""), function()
        local t, y, ivar, random = c[1], c[2], nil, random_of(9)
        if weighted then
          ivar = {}
          for i = 1, #t do ivar[i] = 0.5 + random() end
        end
        local alone, shared, total = {}, {}, 0
        for k, set in ipairs(SETS) do
          set.ivar = ivar
          alone[k], shared[k] = prepared(t, y, set), prepared(t, y, set, shared[1])
          total = total + shared[k].n_period
          assert.equal(lib.eas_bls_path(alone[k].job), lib.eas_bls_path(shared[k].job))
          K.run(lib, "bls", alone[k].job, alone[k].n_period)
        end
        assert.equal(c.path, lib.eas_bls_path(shared[1].job))
        assert.is_true(lib.eas_bls_plan_size(shared[2].job) * 5 < lib.eas_bls_plan_size(alone[2].job))

        local part = ffi.new("const eas_bls_job *[3]", { shared[1].job, shared[2].job, shared[3].job })
        local parts = ffi.new("eas_bls_parts", { 3, part })
        local work = K.scratch(lib.eas_bls_parts_work_size(parts))
        for _, step in ipairs { total, 29, 1 } do
          for _, one in ipairs(shared) do ffi.fill(one.out, ffi.sizeof(one.out), 0xff) end
          for i = 0, total - 1, step do
            assert.equal(K.OK, lib.eas_bls_parts_run(parts, i, math.min(total, i + step), work))
          end
          for k, one in ipairs(shared) do B.same(alone[k].out, one.out, one.n_period) end
        end
      end)
    end
  end

  it("refuses to share the tables of other samples", function()
    local t, y = curve(2000, 0.02, 0, 1)
    SETS[1].ivar = nil
    local one, other = prepared(t, y, SETS[1]), B.new(t, y, SETS[2])
    other.job.share = one.plan
    assert.equal(K.EARG, lib.eas_bls_check(other.job))
  end)
end)
