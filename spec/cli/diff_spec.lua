-- eas diff: two attempts side by side; eas rerun of an attempt makes another one.
local T = require "spec.support"
local World = require "spec.cli.world"

local MAKE = [[
  local lc = eas.lightcurve(100)
  for i = 0, 99 do lc.time[i] = i / 48 lc.flux[i] = 1 lc.flux_err[i] = 1e-4 end
  lc.flux[17] = 1 + (task.description.dip or 0)
  task:output("lightcurve", lc)
  local x, y = eas.linspace(1, 2, task.description.rows or 5), eas.array(task.description.rows or 5)
  y[2] = task.description.dip or 0
  task:output("periodogram", eas.table { n = y.n and tonumber(y.n), columns = { "period", "power" }, period = x, power = y })
  task:output("note", eas.text("it dips by " .. tostring(task.description.dip) .. "\n"))
  task:set { depth = 2 * (task.description.dip or 0), name = "star" }
]]

local world, tasks
setup(function()
  world = World.new(World.pack { make = { task = MAKE }, fails = { task = 'error "no"' } })
  local function make(n, more)
    local t = { task = "make", outputs = { lightcurve = n .. ".fits", periodogram = n .. "_p.fits", note = n .. ".txt" } }
    for k, v in pairs(more) do t[k] = v end
    return t
  end
  assert(world:run({ make(1, { dip = 0.25 }), make(2, { dip = 0.5, rows = 7 }), make(3, { dip = 0.25, nested = { a = 1 } }), { task = "fails" } }).status == 1)
  tasks = {}
  for _, t in ipairs(world:tasks()) do tasks[#tasks + 1] = t.task end
end)

local function has(text, ...)
  for _, part in ipairs { ... } do assert.truthy(text:find(part, 1, true), ("'%s' is not in:\n%s"):format(part, text)) end
end

describe("eas diff", function()
  it("shows settings, results and products point by point", function()
    local got = world:eas { "diff", tasks[1], tasks[2] }
    assert.equal(0, got.status, got.err)
    has(got.out, "inputs    same\n", "settings  dip  0.25 → 0.5  (+100 %)\n          rows  none → 7\n", "code      same\n",
      "result    depth  0.5 → 1  (+100 %)\n", "lightcurve  100 rows each\n            flux differs in 1 rows, by up to 0.25, in row 17: 1.25, 1.5",
      "periodogram  5 rows, 7 rows\n            period differs in 4 rows", "power differs in 1 rows, by up to 0.25, in row 2: 0.25, 0.5",
      "note  ", "the first that differs is byte 13")
    local v = world:ask(("diff %s %s"):format(tasks[1], tasks[3]))
    assert.same({ { path = "nested", was = World.json.null, is = { a = 1 } } }, v.settings)
    assert.same({}, v.result)
    assert.is_true(v.products.lightcurve.same and v.products.note.same)
  end)

  it("tells a product that one has not made, and refuses what is no attempt", function()
    local got = world:eas { "diff", tasks[1], tasks[4] }
    assert.equal(0, got.status, got.err)
    has(got.out, "lightcurve  not made by the second", "fails")
    for words, why in pairs { ["t1 j1"] = "attempts or tasks are wanted", ["a1 a99"] = "there is no a99", ["x a1"] = "'x' is no id" } do
      got = world:eas("diff " .. words)
      assert.equal(2, got.status, words)
      has(got.err, why)
    end
  end)

  it("shows the code that changed between an attempt and its rerun", function()
    local before = world:ask("show " .. tasks[1]).attempts[1].attempt
    World.task_script(world.folder, "make", MAKE:gsub("star", "planet"))
    local got = world:eas { "rerun", before }
    assert.equal(0, got.status, got.err)
    has(got.out, tasks[1] .. ": 1 task again")
    world:eas { "run", world:path "job.json", "--no-progress" }
    local after = world:ask("show " .. tasks[1]).attempts
    assert.equal(2, #after)
    got = world:eas { "diff", before, after[2].attempt }
    has(got.out, "task script  ", 'name  "star" → "planet"')
    assert.equal(2, world:eas({ "rerun", "a99" }).status)
    assert.truthy(T.read(world:database()))
  end)
end)
