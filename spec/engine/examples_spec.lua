-- examples/*.json: what people copy has to be right.
local ffi = require "ffi"
local B = require "spec.backends.backend"
local W = require "spec.engine.job_world"
local T = require "spec.support"
local C = ffi.C

-- The core's own registry; work types are as they are shipped.
local function core_registry()
  local packs, out, err = ffi.new "const char *[2]", ffi.new "eas_registry *[1]", ffi.new "eas_err"
  packs[0] = T.root
  assert(C.eas_registry_open(out, packs, err) == 0, ffi.string(err.text))
  return out[0]
end

local names = {}
for name in T.sh("ls " .. T.root .. "/examples").out:gmatch "(%S+)%.json" do names[#names + 1] = name end

describe("examples", function()
  local registry
  setup(function() registry = core_registry() end)
  teardown(function() C.eas_registry_close(registry) end)

  it("are there", function()
    local there = {}
    for _, name in ipairs(names) do there[name] = true end
    for _, name in ipairs { "first_planets", "null_chain", "loops", "do_while", "conditional" } do assert.is_true(there[name], name) end
  end)

  for _, name in ipairs(names) do
    it(name .. " passes the check and is expanded", function()
      local file = name .. ".json"
      local text = assert(T.read(T.root .. "/examples/" .. file))
      assert.equal("", (W.check(text, { registry = registry, name = file, input_path = T.root .. "/examples" })))
      local db = B.fresh "sqlite"
      local job = assert(W.submit(db, text, { name = file }))
      local o, out = ffi.new "eas_expand_options", ffi.new "eas_expanded"
      local path = T.root .. "/examples"
      o.input_path = path
      repeat
        db:must(C.eas_expand_some(db.c, registry, o, out, db.err))
      until out.n_parents == 0
      assert.same({}, W.errors(db, job))
      assert.equal(name, db:value("SELECT name FROM job WHERE id = $1", job))
      W.world(db):check()
      db:close()
    end)
  end

  it("first_planets is a grid of 12 cells, each with a light curve of its own", function()
    local db = B.fresh "sqlite"
    local job = assert(W.submit(db, assert(T.read(T.root .. "/examples/first_planets.json"))))
    local o, out = ffi.new "eas_expand_options", ffi.new "eas_expanded"
    repeat
      db:must(C.eas_expand_some(db.c, registry, o, out, db.err))
    until out.n_parents == 0
    local files = W.files(db, job)
    assert.equal(12, #files)
    assert.equal("first_planets/lc_2_3.fits", files[12])
    assert.equal(24, db:value "SELECT count(*) FROM task_input")
    db:close()
  end)
end)
