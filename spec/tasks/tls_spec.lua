-- transit_search_tls and eas search --method tls: results, threads, refusals, agreement with the peer.
local T = require "spec.support"
local json = require "eas.json"
local run = require "spec.tasks.run"

local TYPE = "transit_search_tls"
local planet = run.light_curve(1440, { period = 3, t0 = 1, depth = 0.002 })

local function request(path, set, metadata)
  return { description = { task = TYPE, search_settings = set, lc_duration = 30 }, threads = 2,
           inputs = { lightcurve = { path = path, filename = "a.txt", metadata = metadata } } }
end

local function judged(r) return run.judged(TYPE, r) end

local function search(...)
  local got = T.eas { "search", "--json", "--method", "tls", ... }
  return json.decode(got.out), got
end

describe("transit_search_tls", function()
  it("finds a transit, says so, and passes", function()
    local r = request(planet, { period_min = 1 }, { orbital_period = 3, t0 = 1, mes = 50 })
    r.outputs = { periodogram = { filename = "p.fits" } }
    local got, qc = judged(r)
    local m = got.metadata
    assert.is_true(got.finished, got.error and got.error.message)
    assert.truthy(math.abs(m.period - 3) < 0.02 and m.t0_match)
    assert.same({ "PASS", 3, 50 }, { m.outcome, m.target_period, m.mes })
    assert.truthy(m.depth > 0.0015 and m.depth < 0.003 and m.sde > 9 and m.fap < 1e-4)
    assert.equal(m.transit_count, #m.transit_times)
    assert.equal(m.transit_count, #m.per_transit_count)
    for _, name in ipairs { "depth_mean", "duration", "snr", "rp_rs", "odd_even_mismatch", "period_uncertainty", "chi2_min" } do
      assert.equal("number", type(m[name]), name)
    end
    assert.is_true(qc.verdict.pass, qc.verdict.reason)
    assert.equal("pass", qc.checks.period.verdict)
    assert.is_true(qc.products.periodogram.pass)
    assert.truthy(got.outputs.periodogram.metadata.sde)
  end)

  it("says why it found nothing, which is a valid result", function()
    local got, qc = judged(request(planet, { transit_depth_min = 0.5, period_min = 5 }))
    assert.is_true(got.finished)
    assert.is_false(got.metadata.found)
    assert.truthy(got.metadata.why:find("no depth above transit_depth_min = 500000 ppm; try --set transit_depth_min=", 1, true))
    assert.is_true(qc.verdict.pass, qc.verdict.reason)
  end)

  it("refuses what it cannot search", function()
    local function message(set, path) return run.type(TYPE, request(path or planet, set)).error.message end
    assert.truthy(message({ R_star = 0 }):find("R_star is 0; it must be > 0", 1, true))
    assert.truthy(message({ period_min = 5, period_max = 4 }):find("period_max 4 d must be longer than period_min, 5 d", 1, true))
    assert.truthy(message({ period_min = 20 }):find("no trial period between 20 d and", 1, true))
    assert.truthy(message({ u = { "a" } }):find("u must be one or two numbers", 1, true))
    assert.truthy(message({ transit_template = "boks" }):find("transit_template is 'boks'; it takes default", 1, true))
    assert.truthy(message({ oversampling = 3 }):find("unknown setting 'oversampling'", 1, true))
    local lines, negative = {}, {}
    for i = 1, 100 do lines[i], negative[i] = i * 1800 .. " 1 0 0", i * 1800 .. " " .. -1 - i % 7 .. " 0 0" end
    local constant = T.write(T.tmpdir() .. "/c.txt", table.concat(lines, "\n") .. "\n")
    assert.truthy(message({}, constant):find("the flux is constant", 1, true))
    local below = T.write(T.tmpdir() .. "/n.txt", table.concat(negative, "\n") .. "\n")
    assert.truthy(message({}, below):find("100 samples are not above 0", 1, true))
  end)
end)

describe("eas search --method tls", function()
  it("gives the same result with any number of threads", function()
    local one = search(planet, "--set", "period_min=1", "--threads", "1")
    for _, n in ipairs { "2", "3", "8" } do
      assert.same(one.result, search(planet, "--set", "period_min=1", "--threads", n).result)
    end
  end)

  it("takes stars, templates and limb darkening", function()
    local plain = search(planet, "--set", "period_min=2").result
    local seen = { [plain.chi2_min] = true }
    for _, set in ipairs { '{"transit_template":"box"}', '{"transit_template":"grazing"}', '{"u":[0.1,0.3]}', '{"R_star":0.6,"M_star":0.6}',
                           '{"u":[0.6],"limb_dark":"linear"}', '{"weights":"none"}', '{"oversampling_factor":2,"n_transits_min":3}' } do
      local line, got = search(planet, "--set", "period_min=2", "--settings", set)
      assert.truthy(line.result, got.out .. got.err)
      assert.truthy(math.abs(line.result.period - 3) < 0.03, set)
      assert.is_nil(seen[line.result.chi2_min .. set])
      seen[line.result.chi2_min .. set] = true
    end
  end)

  it("agrees with the peer", function()
    local path = T.reference "golden.json"
    if not T.skip_unless(path, "golden.json is not beside the repository") then return end
    local exact = { "period", "period_uncertainty", "depth", "depth_mean", "duration", "snr", "rp_rs", "odd_even_mismatch", "chi2_min",
                    "chi2red_min", "period_first", "period_last", "t0", "sde", "sde_raw", "n_periods", "index", "index_chi2_min",
                    "transit_count", "distinct_transit_count", "n_points_used" }
    local all, checked = os.getenv "EAS_LONG", 0
    for _, row in ipairs(json.decode(T.read(path))) do
      local short = row.lc:match "^p04" or row.lc:match "^r04" or row.lc:match "^p03"
      if row.kernel == "tls" and (all or short) then
        local set = json.encode { compat = "peer", period_min = row.given_settings.period_min, period_max = row.given_settings.period_max }
        local result, want = search(T.reference("lightcurves/" .. row.lc), "--settings", set).result, {}
        for name, value in pairs(row.result) do want[name:lower()] = value end
        for _, name in ipairs(exact) do
          if type(want[name]) == "number" then
            local off = math.abs(result[name] - want[name])
            assert.is_true(off <= 1e-8 * math.max(math.abs(want[name]), 1e-300), ("%s %s: %.17g, not %.17g")
              :format(row.lc, name, result[name], want[name]))
          end
        end
        for k, time in ipairs(want.transit_times) do assert.is_true(math.abs(time - result.transit_times[k]) < 1e-8) end
        checked = checked + 1
      end
    end
    assert.is_true(checked >= 4)
  end)
end)
