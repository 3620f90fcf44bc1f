-- Programs of others: the example in Python, synthesis_platosim with and without its program.
local T = require "spec.support"
local World = require "spec.cli.world"
local run = require "spec.tasks.run"

local pack = T.root .. "/examples/external"

-- A program that writes what it was told into the file it is told.
local function program(folder)
  local path = T.write(folder .. "/platosim", '#!/bin/sh\n[ "$1" = bad ] && { echo "no sky in $1"; exit 4; }\ncat "$1" > "$2"\n'
    .. 'echo "seed $3" >> "$2"\necho done\n')
  T.sh("chmod 755 " .. T.quote(path))
  return path
end

describe("the example", function()
  it("runs, and its numbers are those of the light curve", function()
    T.skip_unless(T.sh("test -x /usr/bin/python3").status == 0, "/usr/bin/python3 is not there")
    local world = World.new(pack)
    local got = world:eas({ "run", pack .. "/job.json" }, { timeout = 100 })
    assert.equal(0, got.status, got.out .. got.err)
    local m = world:attempt("python_moments").metadata
    assert.truthy(m.mean > 0.999e6 and m.mean < 1e6 and m.std > 100 and m.skewness < 0, World.json.encode(m))
    local text = T.read(world:path "data/store/products/external/histogram.txt")
    assert.truthy(text and text:match "^# from to count\n", text)
  end)

  it("says what the program said when it fails", function()
    T.skip_unless(T.sh("test -x /usr/bin/python3").status == 0, "/usr/bin/python3 is not there")
    local short = T.write(T.tmpdir() .. "/lc.txt", "0 1 0 0\n600 1 0 0\n")
    local got = run.request({ script = pack .. "/tasks_lua/python_moments.lua", type = "python_moments",
      inputs = { lightcurve = { path = short, filename = "lc.txt" } } }, { packs = run.share .. ":" .. pack })
    assert.truthy(got.error.message:find("python3 ended with status 1", 1, true), got.error.message)
    local said
    for _, line in ipairs(got.log) do said = said or line.text:find("2 samples, at least 3 are needed", 1, true) end
    assert.truthy(said)
  end)
end)

describe("synthesis_platosim", function()
  local job = { { task = "synthesis_platosim", arguments = { "{configuration}", "image.txt", "{seed}" }, files = { simulation = "image.txt" },
                  inputs = { configuration = "sky.yaml" }, outputs = { simulation = "image.txt" } } }

  it("is refused at submit, by one line, when its program is not configured", function()
    local world = World.new(World.pack { maker = { task = "task:output('configuration', 'x')" } })
    local path = T.write(world:path "job.json", World.json.encode { job_name = "p", working_directory = "p", task_list = {
      { task = "maker", outputs = { configuration = "sky.yaml" } }, job[1] } })
    for _, command in ipairs { "submit", "run" } do
      local got = world:eas { command, path }
      assert.equal(2, got.status)
      assert.truthy(got.err:find("task type 'synthesis_platosim' runs the program 'platosim', which is not configured", 1, true), got.err)
      assert.truthy(got.err:find("programs: platosim=/path/to/it", 1, true), got.err)
    end
  end)

  it("runs it when it is", function()
    local folder = T.tmpdir()
    local world = World.new(World.pack { maker = { task = [[
      task:exec { "/bin/sh", "-c", "echo stars > sky" } task:output("configuration", "sky")]] } },
      { EAS_PROGRAMS = "platosim=" .. program(folder), EAS_EXEC_PATH = folder })
    local path = T.write(world:path "job.json", World.json.encode { job_name = "p", working_directory = "p", task_list = {
      { task = "maker", outputs = { configuration = "sky.yaml" } }, job[1] } })
    local got = world:eas({ "run", path }, { timeout = 60 })
    assert.equal(0, got.status, got.out .. got.err)
    local text = T.read(world:path "data/store/products/p/image.txt")
    assert.truthy(text and text:match "^stars\nseed %d+\n$", text)
  end)

  local function alone(description, prog)
    description.task = "synthesis_platosim"
    return run.type("synthesis_platosim", { description = description, program = prog, outputs = { simulation = { filename = "a" } } })
  end

  it("says why it failed", function()
    local prog = program(T.tmpdir())
    assert.truthy(alone({ arguments = { "bad" } }, prog).error.message:find("platosim ended with status 4: no sky in bad", 1, true))
    assert.truthy(alone({ arguments = { "{sky}" } }, prog).error.message:find("{sky} is neither seed, threads, nor an input", 1, true))
    assert.truthy(alone({ arguments = { "x" } }).error.message:find("is not configured on this worker", 1, true))
    assert.truthy(alone({ argument = { "x" } }, prog).error.message:find("unknown setting 'argument'; use arguments", 1, true))
    assert.truthy(alone({ arguments = { "/dev/null", "b.txt" }, files = { simulation = "c.txt" } }, prog).error.message:find("c.txt", 1, true))
  end)

  it("refuses what programs cannot be", function()
    for value, words in pairs { ["platosim"] = "NAME=/PATH is wanted", ["platosim=here"] = "NAME=/PATH is wanted", ["platosimm=/x"] = "no task type runs a program 'platosimm'" } do
      local got = T.eas({ "registry", "check" }, { env = { EAS_PROGRAMS = value } })
      assert.truthy(got.status ~= 0 and got.err:find(words, 1, true), got.err .. got.out)
    end
    assert.equal(0, T.eas({ "registry", "check" }).status)
  end)
end)
