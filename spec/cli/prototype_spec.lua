-- Job files and .cfg files as the Python prototype had them run unmodified: its structures and field names, cut short; what
-- docs/migration.md says a user sees otherwise is so.
local T = require "spec.support"
local World = require "spec.cli.world"

local function loop(parameter, kind, values, ...)
  return { task = "execution_for_loop", parameter = parameter, [kind] = values, task_list = { ... } }
end

local NAME = "'grid_{tda_index}_{cadence_index}_{size_index}%s'.format(**metadata)"
local CURVE, DEBUGGING = NAME:format ".gz", NAME:format ".tar.gz"

local function synthesis(type, output, specs)
  specs.duration, specs.sampling_cadence = 8, "(metadata['cadence'])"
  return { task = type, name = "lightcurve_synthesis", outputs = { lightcurve = output }, specs = specs }
end

local function search(more)
  local task = { task = "'transit_search_{tda}'.format(**metadata)", name = "transit_detection", inputs = { lightcurve = CURVE },
    outputs = { debugging = DEBUGGING }, lc_duration = 8 }
  for key, value in pairs(more or {}) do task[key] = value end
  return task
end

local PLANET = { planet_radius = "(metadata['size'])", orbital_period = 2, semi_major_axis = "(pow(2/365.25, 2/3))", orbital_angle = 0 }
local SIZE = { "(constants.Rearth * 2)", "(constants.Rearth * 10)", 2 }

local function grid(methods, ...) return { loop("tda", "values", methods, loop("cadence", "values", { 1800 }, loop("size", "log_range", SIZE, ...))) } end
local function copy(t)
  local new = {}
  for key, value in pairs(t) do new[key] = value end
  return new
end

local function products(world)
  return T.sh(("cd %s/data/store/products && find . -type l | sort"):format(world.dir)).out
end

describe("the prototype's jobs", function()
  it("nest loops, multiply, and name outputs that only some searches knew", function()
    local world = World.new()
    local clean = copy(PLANET)
    clean.noise, clean.mes_assume_noise, clean.t0, clean.impact_parameter = 0, "(constants.plato_noise)", "(random.random() * 2)", "(metadata['size'] * 0)"
    clean.orbital_angle = nil
    local file = world:job(grid({ "tls", "bls_reference", "qats" },
      synthesis("synthesis_psls", NAME:format "_A.gz", { enable_transits = 0 }), synthesis("synthesis_batman", NAME:format "_B.gz", clean),
      { task = "multiply", inputs = { lightcurve_1 = NAME:format "_A.gz", lightcurve_2 = NAME:format "_B.gz" }, outputs = { lightcurve = CURVE } },
      { task = "verify", name = "lightcurve_verification", inputs = { lightcurve = CURVE } },
      search { search_settings = { period_min = 1, period_max = 3 } }), "detection_grid", { working_directory = "detection_grid" })
    local got = world:eas { "run", file, "--prototype-names", "--no-progress" }
    assert.equal(0, got.status, got.out .. got.err .. world:eas("errors").out)
    local list = products(world)
    for _, name in ipairs { "grid_0.0_0.0_0.0.gz", "grid_2.0_0.0_1.0.tar.gz", "grid_1.0_0.0_1.0_A.gz" } do
      assert.truthy(list:find("./detection_grid/" .. name, 1, true), name .. "\n" .. list)
    end
    -- a job of its own: other names
    assert.equal(0, world:eas({ "submit", file, "--check" }).status)
    local text = T.sh(("zcat %s/data/store/products/detection_grid/grid_0.0_0.0_0.0.gz | grep -v '^#' | head -1"):format(world.dir)).out
    local _, columns = text:gsub("%S+", "")
    assert.equal(4, columns)
  end)

  it("choose by a result, and repeat while it holds", function()
    local world = World.new()
    local planet = copy(PLANET)
    planet.enable_systematics = 0
    local outcome = "(requested_metadata['transit_detection']['outcome'] == '%s')"
    local chosen = { task = "execution_conditional", requires_metadata_from = { "transit_detection" }, criterion = outcome:format "PASS",
      task_list = { { task = "null", name = "conditional_true", duration = 0 } }, else_task_list = { { task = "verify", inputs = { lightcurve = CURVE } } } }
    local again = { task = "execution_do_while_loop", iteration_name = "tda_loop", requires_metadata_from_child = { "transit_detection" },
      repeat_criterion = outcome:format "PASSED" .. " and (metadata['tda_loop_index'] < 3)", -- the prototype's own example: it never holds
      task_list = { { task = "verify", name = "lightcurve_verification", inputs = { lightcurve = CURVE } }, search() } }
    local first = search()
    first.outputs = nil
    local file = world:job(grid({ "bls_reference" }, synthesis("synthesis_psls", CURVE, planet), first, chosen, again), "flow", { working_directory = "flow" })
    local got = world:eas { "run", file, "--no-progress" }
    assert.equal(2, got.status) -- a second turn would make its file again
    assert.truthy(got.err:find("would be made once per 'tda_loop'", 1, true), got.err)
    got = world:eas { "run", file, "--prototype-names", "--no-progress" }
    assert.equal(0, got.status, got.out .. got.err .. world:eas("errors").out)
    assert.truthy(products(world):find("./flow/grid_0.0_0.0_1.0.tar.gz", 1, true))
  end)

  it("are refused as a whole where they cannot work, with the place", function()
    local world = World.new()
    T.write(world:path "old.json", [[{ "job_name": "old", "task_list": [ { "task": "synthesis_batman", "outputs": { "lightcurve": "a.gz" },
      "specs": { "semi_major_axis": "(pow(metadata['period'])/365.25, 2/3))" } },
      { "task": "multiplication", "inputs": { "lightcurve_1": "a.gz", "lightcurve_2": "a.gz" } } ] }]])
    local got = world:eas "run old.json"
    assert.equal(2, got.status)
    for _, want in ipairs { "old.json:2:75: expression: expected", "old.json:3:17: unknown task type 'multiplication'", "2 errors, nothing was stored" } do
      assert.truthy(got.err:find(want, 1, true), got.err)
    end
  end)

  it("that ingest what is not there fail, unless that is allowed", function()
    local world = World.new()
    local task = { task = "ingest_external_lcs", lc_type = "lcsg", input_path = "lightcurves_v2/csvs/bright/plato_bright*" }
    local got = world:eas { "run", world:job({ task }, "ingest"), "--no-progress" }
    assert.equal(1, got.status)
    assert.truthy(world:eas("errors").out:find("nothing matches", 1, true))
  end)
end)

describe("the prototype's .cfg files", function()
  local world, dir

  lazy_setup(function()
    world = World.new()
    dir = world:path "test_task_configs"
    T.sh(("mkdir -p %s/test_data"):format(dir))
    local lines = {}
    for k = 0, 383 do -- 8 days, a box of 4 samples every 2 days
      local flux = k % 96 >= 24 and k % 96 < 28 and 0.99 or 1 + 1e-5 * ((k * 7919) % 13 - 6)
      lines[#lines + 1] = ("%.18e %.18e %.18e %.18e"):format(k * 1800, flux, flux, 0) -- its writer put the flux into the flag's column
    end
    T.write(dir .. "/test_data/demo", table.concat(lines, "\n") .. "\n")
    T.sh(("cd %s/test_data && gzip demo"):format(dir))
    T.write(dir .. "/test_data/demo.gz.metadata.cfg", "[metadata]\nbinary = 0.0\ngzipped = 1.0\norbital_period = 2.0\nmes = 238.88\nmode = main_sequence\n")
  end)

  local function run(name, text)
    T.write(dir .. "/" .. name, text)
    return world:eas({ "task", "--config", "test_task_configs/" .. name }, { env = { EAS_DATA = world:path(name .. ".data") } })
  end

  it("run each type, and print its metadata in sorted order", function()
    local input = "\n[inputs]\nlightcurve = test_task_configs/test_data/demo.gz\n"
    local two = "\n[inputs]\nlightcurve_1 = test_task_configs/test_data/demo.gz\nlightcurve_2 = test_task_configs/test_data/demo.gz\n"
    local specs = "\n[specs]\nduration = 4\nplanet_radius = 1\norbital_period = 2\nsemi_major_axis = 0.03\norbital_angle = 0\nsampling_cadence = 1800\n"
    for name, case in pairs {
      verify = { "[task]\ntask = verify\njob_name = testing\n" .. input, "verification : true" },
      multiply = { "[task]\ntask = multiply\njob_name = testing\n" .. two .. "\n[outputs]\nlightcurve = lc_result.gz\n", "orbital_period : 2" },
      batman = { "[task]\ntask = synthesis_batman\n" .. specs .. "\n[outputs]\nlightcurve = output.lc\n", "pixels_in_transit : " },
      psls = { "[task]\ntask = synthesis_psls\n" .. specs .. "\n[outputs]\nlightcurve = output.lc\n", "pixels_in_transit : " },
      bls = { "[task]\ntask = transit_search_bls_reference\njob_name = testing\nlc_duration = 8\n" .. input, "outcome : PASS" },
      tls = { "[task]\ntask = transit_search_tls\njob_name = testing\nlc_duration = 8\n" .. input, "outcome : PASS" },
      kovacs = { "[task]\ntask = transit_search_bls_kovacs\njob_name = testing\nlc_duration = 8\n" .. input, "target_period : 2" },
      qats = { "[task]\ntask = transit_search_qats\njob_name = testing\nlc_duration = 8\n[search_settings]\nperiod_min = 1\n" .. input, "target_period : 2" },
    } do
      local got = run(name .. ".cfg", case[1])
      assert.equal(0, got.status, name .. ": " .. got.out .. got.err)
      assert.truthy(got.out:find("Output metadata:\n", 1, true), name)
      assert.truthy(got.out:find("\n" .. case[2], 1, true), name .. ": " .. got.out)
    end
    assert.equal(1, run("error.cfg", "[task]\ntask = error\n").status) -- the prototype ended with 0
  end)
end)
