-- qats through `eas search`: every number of the peer on the reference curves; our own conversion keeps real data.
local T = require "spec.support"
local K = require "spec.native.kernel"
local json = require "cjson"

local function search(name, settings, more)
  local path = T.reference("lightcurves/" .. name)
  T.skip_unless(path, name .. " is not beside the repository")
  local words = { "search", path, "--method", "qats", "--json", "--settings", json.encode(settings) }
  for _, word in ipairs(more or {}) do words[#words + 1] = word end
  local got = T.eas(words)
  assert.equal(0, got.status, got.err .. got.out)
  return json.decode(got.out)
end

local SAME = { "m_best", "transit_count", "delta_min", "delta_max", "q", "grid_points", "delta_spans", "n_fixed_step",
               "n_filled_with_one" }
local NEAR = { "s_best", "period", "time_step", "first_transit", "last_transit", "transit_length_float" }

describe("qats in the peer's conventions", function()
  for _, kind in ipairs { "p03", "p06", "r03", "r04" } do
    it("has the peer's numbers on " .. kind, function()
      for _, row in ipairs(K.json "golden.json") do
        if row.kernel == "qats" and row.lc:match("^" .. kind) then
          local got = search(row.lc, { compat = "peer" }).result
          for _, name in ipairs(SAME) do assert.equal(row.result[name] or row.result[name:upper():sub(1, 1) .. name:sub(2)], got[name], name) end
          for _, name in ipairs(NEAR) do
            K.near(row.result[name] or row.result.S_best, got[name], name == "s_best" and 1e-12 or 1e-10, name)
          end
          assert.same(row.result.indices, got.indices)
        end
      end
    end)
  end

  it("has the peer's spectrum", function()
    local peer = K.table "periodograms/p06_qats.txt.gz"
    local file = T.tmpdir() .. "/spectrum.txt"
    search("p06_rednoise_40d_15min.txt.gz", { compat = "peer" }, { "--periodogram", file })
    local i = 0
    for line in io.lines(file) do
      local _, lo, hi, q, s, m = line:match "^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$"
      if tonumber(lo) then
        i = i + 1
        assert.same({ peer[1][i], peer[2][i], peer[3][i], peer[5][i] }, { tonumber(lo), tonumber(hi), tonumber(q), tonumber(m) })
        K.near(peer[4][i], tonumber(s), 1e-6)
      end
    end
    assert.equal(#peer[1], i)
  end)
end)

describe("qats on real data", function()
  it("finds Kepler-36 b, whose transits wander", function()
    local got = search("r03_kepler36_part1.txt.gz", {})
    local r = got.result
    K.near(16.233, r.period, 2e-3)
    K.near(0.18, r.duration, 0.3)
    assert.equal(8, r.m_best)
    assert.not_equal("fail", got.credible)
    for _, snr in ipairs(r.transit_snrs) do assert.is_true(snr > 10) end
    assert.is_true(math.abs(r.t0 - r.first_transit) < 0.1)
  end)

  it("keeps barycentric samples, each within half a cadence", function()
    for _, case in ipairs { { "r01_k2-3_epic201367065.txt.gz", 3632 }, { "r02_trappist1_k2_long.txt.gz", 3173 },
                            { "r04_hat-p-7_kepler_short.txt.gz", 13203 } } do
      local r = search(case[1], { duration_count = 1, max_ttv_mag = 0.01 }).result
      assert.is_true(r.n_points >= case[2] - 1, case[1] .. ": " .. r.n_points)
      assert.is_true(r.offset_most <= 0.5 * r.time_step)
    end
  end)
end)
