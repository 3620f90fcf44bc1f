-- ingest_external_lcs: files of the input folder become products; nothing else of the disk does.
local T = require "spec.support"
local World = require "spec.cli.world"

-- Tries to read what it was not given.
local pack = World.pack { thief = { task = [[
  local status = task:exec { "cat", task.description.target, quiet = true }
  task:set { status = status }]] } }

local function lines(n, separator, shift)
  local list = {}
  for k = 1, n do list[k] = ("%.6f%s%.6f%s0"):format(k * 0.02 + (shift or 0), separator, 1 + 1e-4 * math.sin(12.9898 * k), separator) end
  return table.concat(list, "\n") .. "\n"
end

local world, input
before_each(function()
  world = World.new(pack)
  input = T.tmpdir()
  os.execute(("mkdir -p %s/stars/more %s/stars/less && chmod -R a+rX %s"):format(input, input, input))
  T.write(input .. "/stars/a.txt", lines(50, " "))
  T.write(input .. "/stars/b.csv", "# #orbital_period=3.5\n" .. lines(60, ","))
  for _, folder in ipairs { "more", "less" } do T.write(("%s/stars/%s/b.csv"):format(input, folder), lines(70, ",")) end
  T.write(input .. "/stars/[x].txt", lines(80, " "))
end)

local function run(list, ...)
  local path = T.write(world:path "job.json", World.json.encode { job_name = "in", working_directory = "in", task_list = list })
  local words = { "run", path, "--no-progress", "--input-path", input, ... }
  return world:eas(words)
end

local function products()
  local found = {}
  for _, file in ipairs(world:ask "files") do found[file.directory .. "/" .. file.filename] = file end
  return found
end

local function errors()
  local text = {}
  for _, e in ipairs(world:ask "errors") do text[#text + 1] = e.message end
  return table.concat(text, "\n")
end

describe("ingest_external_lcs", function()
  it("makes a product of each file that matches, and a list with checksums", function()
    local got = run { { task = "ingest_external_lcs", input_path = "stars/*", outputs = { manifest = "list.txt" } } }
    assert.equal(0, got.status, got.out .. got.err .. world:eas("errors").out)
    local found = products()
    for _, name in ipairs { "in/list.txt", "in/a.txt", "in/b.csv", "in/[x].txt" } do assert.truthy(found[name], name) end
    local manifest = T.read(world.dir .. "/data/store/products/in/list.txt")
    local sum = T.sh("sha256sum " .. input .. "/stars/b.csv").out:match "^%x+"
    assert.truthy(manifest:find(sum .. "  " .. #T.read(input .. "/stars/b.csv") .. "  stars/b.csv", 1, true), manifest)
  end)

  it("keeps folders in the names where two files have the same", function()
    assert.equal(0, run({ { task = "ingest_external_lcs", input_path = "stars/*/b.csv" } }).status)
    local found = products()
    assert.truthy(found["in/stars_less_b.csv"] and found["in/stars_more_b.csv"])
  end)

  it("feeds later tasks of the list from a loop over files", function()
    local name = "'{star_name}.fits'.format(**metadata)"
    local got = run { { task = "execution_for_loop", parameter = "star", files = "stars/*.csv", task_list = {
      { task = "ingest_external_lcs", input_path = "(metadata['star'])", lc_type = "lcsg", outputs = { lightcurve = name } },
      { task = "verify", inputs = { lightcurve = name } } } } }
    assert.equal(0, got.status, got.out .. got.err .. errors())
  end)

  it("says what is wrong", function()
    T.sh(("ln -s /etc/passwd %s/stars/out.csv"):format(input))
    local cases, list = {
      { { input_path = "none/*" }, "nothing matches 'none/*' in the input folder" },
      { { input_path = "stars/*.txt", outputs = { lightcurve = "1.fits" } }, "matches 2 files, such as 'stars/a.txt'; an output takes one" },
      { { input_path = "../*" }, "leaves its folder" },
      { { input_path = "/etc/passwd" }, "/etc/passwd" },
      { { input_path = "stars/out.csv" }, "nothing matches 'stars/out.csv'" },
      { { input_path = "stars/a.txt", lc_type = "fits", outputs = { lightcurve = "2.fits" } }, "stars/a.txt is text, not fits" },
    }, {}
    for i, case in ipairs(cases) do
      case[1].task = "ingest_external_lcs"
      list[i] = case[1]
    end
    list[#list + 1] = { task = "ingest_external_lcs", input_path = "none/*", allow_none = true }
    local got = run(list)
    assert.equal(1, got.status, got.out .. got.err)
    assert.truthy(got.out:find "1 tasks? passed, 6 failed", got.out)
    local all = errors()
    for _, case in ipairs(cases) do assert.truthy(all:find(case[2], 1, true), case[2] .. "\n" .. all) end
  end)

  it("leaves the input folder shut for all other tasks", function()
    local got = run { { task = "thief", target = input .. "/stars/a.txt" } }
    assert.equal(0, got.status, got.out .. got.err)
    local isolated = world:eas("doctor").out:find "✓ landlock"
    local status = world:ask("results j1")[1].status
    assert.is_true(status ~= 0 or not isolated, "it read a file that it was not given")
  end)
end)
