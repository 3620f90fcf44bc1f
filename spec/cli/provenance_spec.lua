-- eas provenance: the lineage of a product, and that it is made again bit for bit.
local T = require "spec.support"
local World = require "spec.cli.world"

local pack = World.pack {
  maker = { random = "yes", task = [[
    local eas = require "eas"
    local r = eas.random(task.seed)
    task:output("text", eas.text(("%s %s %s %.17g\n"):format(task.metadata.k, task.metadata.k_index, task.seed, r:uniform())), { k = task.metadata.k })]] },
  meter = { task = "task:set { n = 17, note = task.description.note }" },
  mixer = { task = [[
    local eas = require "eas"
    local f = assert(task:input_metadata "text")
    local words = { task.description.note, task.requested_metadata.gauge.n, task.requested_metadata.gauge.note, f.k }
    for i, v in ipairs(words) do words[i] = tostring(v) end
    task:exec { "/bin/sh", "-c", "cat \"$0\" > mixed; printf '%s\\n' \"$1\" >> mixed", task:input_path "text", table.concat(words, "|") }
    task:output("mixed", "mixed")]] },
}
local function job(note)
  return { { task = "execution_for_loop", parameter = "k", values = { "it's (a)", 7 }, task_list = {
    { task = "maker", outputs = { text = "'text_{k_index}.txt'.format(**metadata)" } },
    { task = "meter", name = "gauge", note = "'(not an expression) \"' + 'x'" },
    { task = "mixer", inputs = { text = "'text_{k_index}.txt'.format(**metadata)" }, outputs = { mixed = "'mixed_{k_index}.txt'.format(**metadata)" },
      requires_metadata_from = { "gauge" }, note = note },
  } } }
end
local world

lazy_setup(function()
  world = World.new(pack)
  local got = world:run(job "(random.random())")
  assert.equal(0, got.status, got.out .. got.err .. world:eas("errors").out)
end)

local function version(name, of)
  for _, f in ipairs(world:ask("files " .. (of or "j1"))) do if f.filename == name then return f end end
end

local function again(id, ...)
  local dir = T.tmpdir() .. "/again"
  local got = world:eas { "provenance", id, "--rebuild", dir, ... }
  return got, dir
end

describe("eas provenance", function()
  it("shows the lineage, makers first", function()
    local v = version "mixed_0.txt"
    local got = world:ask("provenance " .. v.version)
    assert.equal(3, #got)
    assert.same({ "mixer", v.task }, { got[3].type, got[3].task })
    assert.equal("maker", got[got[3].inputs[1].from + 1].type)
    assert.equal("meter", got[got[3].needs[1].from + 1].type)
    assert.truthy(({ sse2 = true, avx2 = true, avx512 = true })[got[1].provenance.simd])
    local text = world:eas("provenance " .. v.version).out
    for _, part in ipairs { "mixed_0.txt", "results of", "'gauge'", "code    the same as now", "--rebuild DIR", v.sha256:sub(1, 16), "seed 0x" } do
      assert.truthy(text:find(part, 1, true), part .. " is not in " .. text)
    end
    assert.equal(#got, #world:ask("provenance " .. v.product))
    assert.equal(#got, #world:ask("provenance " .. v.task))
  end)

  it("makes a product again, with its chance, metadata and requested results", function()
    for _, name in ipairs { "mixed_0.txt", "mixed_1.txt" } do
      local v = version(name)
      local got, dir = again(v.version)
      assert.equal(0, got.status, got.out .. got.err)
      assert.truthy(got.out:find(v.version .. " " .. name .. ": the same bytes, sha256 " .. v.sha256, 1, true), got.out)
      assert.equal(2, select(2, got.out:gsub("the same bytes", "")))
      assert.truthy(T.sh("cat " .. dir .. "/store/products/" .. name).out:find("|17|(not an expression) \"x|", 1, true))
      got = world:eas { "provenance", v.version, "--rebuild", dir }
      assert.equal(2, got.status)
      assert.truthy(got.err:find("there is a database already", 1, true))
    end
  end)

  it("runs apart, whatever the configuration says of database and store", function()
    local v = version "text_0.txt"
    local conf = T.write(world:path "site.conf", ("database: sqlite:%s\nstore: %s\n"):format(world:database(), world:path "data/store"))
    local jobs = #world:ask "status --all"
    local got, dir = again(v.version, "--config", conf)
    assert.equal(0, got.status, got.out .. got.err)
    assert.equal(jobs, #world:ask "status --all")
    assert.truthy(T.read(dir .. "/eas.db") and T.read(dir .. "/store/products/text_0.txt"))
  end)

  it("of a reused result leads to what ran; the job file runs by itself", function()
    local got = world:eas { "rerun", "j1", "--set", "task_list[0].task_list[2].note=other", "--no-progress" }
    assert.equal(0, got.status, got.out .. got.err)
    local v = version("mixed_0.txt", "j2")
    local list = world:ask("provenance " .. v.version)
    assert.same({ "j1", "j2" }, { list[1].job, list[3].job })
    got = again(v.version)
    assert.equal(0, got.status, got.out .. got.err)
    local path = world:path "r.json"
    assert.equal(0, world:eas({ "provenance", v.version, "--job-file", path }).status)
    got = world:eas({ "run", path, "--data", world:path "elsewhere", "--no-progress" })
    assert.equal(0, got.status, got.err)
    assert.equal(T.read(world:path "data/store/products/mixed_0.txt"), T.read(world:path "elsewhere/store/products/mixed_0.txt"))
  end)

  it("says so when it cannot, or when the bytes differ", function()
    local v = version "text_1.txt"
    World.task_script(pack, "maker", 'task:output("text", require("eas").text "other\\n", { k = 1 })')
    local got = again(v.version)
    assert.equal(1, got.status, got.out)
    assert.truthy(got.out:find(v.version .. " text_1.txt: other bytes; code changed since", 1, true) and got.out:find("task script %x%x%x%x → "), got.out)
    local answer = World.json.decode((again(v.version, "--json")).out)
    assert.same({ false, false }, { answer.same, answer.versions[1].same })
    assert.truthy(world:eas("provenance " .. v.version).out:find "code +task script %x%x%x%x → ")
    for words, part in pairs { ["provenance v999"] = "v999", ["provenance j1"] = "j1", ["provenance " .. world:attempt("meter").attempt] = "no product" } do
      got = world:eas(words)
      assert.equal(2, got.status, words)
      assert.truthy(got.err:find(part, 1, true), got.err)
    end
  end)

  it("is refused for what came from outside", function()
    local w = World.new(pack)
    T.write(w:path "lc.txt", "0 1 0 0\n1800 1 0 0\n3600 1 0 0\n5400 1 0 0\n")
    T.write(w:path "b.cfg", "[task]\ntask = binning\ncadence = 3600\n[inputs]\nlightcurve = lc.txt\n[outputs]\nlightcurve = out.txt\n")
    w:eas "task --config b.cfg"
    local got = w:eas { "provenance", "v1", "--rebuild", w:path "again" }
    assert.equal(2, got.status)
    assert.truthy(got.err:find("settings are not recorded", 1, true), got.err)
  end)

  it("a wrong replay is told at submit", function()
    for text, part in pairs { ['"replay":{"seed":1.5}'] = "a whole number 'seed'", ['"replay":[]'] = "a whole number 'seed'" } do
      local path = T.write(world:path "w.json", '{"task_list":[{"task":"null",' .. text .. "}]}")
      local got = world:eas { "submit", path, "--check" }
      assert.equal(2, got.status)
      assert.truthy(got.err:find(part, 1, true), got.err)
    end
  end)
end)
