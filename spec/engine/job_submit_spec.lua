-- model/job.h: job files, submitting, finding, states.
local ffi = require "ffi"
local B = require "spec.backends.backend"
local W = require "spec.engine.job_world"
local T = require "spec.support"
T.cdef "engine/base/json.h"
T.cdef "engine/base/buf.h"
local C = ffi.C

describe("a job file", function()
  local function load(name, text, lua)
    local path = T.write(T.tmpdir() .. "/" .. name, text)
    local out, err = ffi.new "eas_jobfile *[1]", ffi.new "eas_err"
    local rc = C.eas_jobfile_load(out, path, lua, nil, err)
    if rc < 0 then return nil, (ffi.string(err.text):gsub(path:gsub("%p", "%%%0"), "FILE")), ffi.string(err.hint) end
    return ffi.gc(out[0], C.eas_jobfile_free)
  end

  it("keeps its text", function()
    local f = assert(load("a.json", '{ "task_list": [] }\n'))
    assert.equal('{ "task_list": [] }\n', ffi.string(f.text, f.len))
    assert.equal(0, f.is_lua)
  end)

  it("says where it is broken", function()
    local function why(...) return (select(2, load(...))) end
    assert.equal("FILE:2:20: expected ',' or '}', found ']'; the '{' is at 2:3", why("a.json", '[\n  { "task": "null" ]'))
    assert.equal("FILE:1:1: a job is an object", why("a.json", "[]"))
    assert.truthy(why("a.json", ""):find "^FILE:1:1: ")
    local out, err = ffi.new "eas_jobfile *[1]", ffi.new "eas_err"
    assert.equal(C.EAS_ENOENT, C.eas_jobfile_load(out, "nowhere/x.json", nil, nil, err))
    assert.truthy(ffi.string(err.text):find("nowhere/x.json", 1, true))
  end)

  it("may be Lua, which somebody turns into JSON", function()
    local seen
    local copy = ffi.cast("eas_lua_job_fn *", function(_, path)
      seen = ffi.string(path)
      return C.eas_strdup '{"task_list": [ { "task": "null" } ]}'
    end)
    local f = assert(load("a.lua", "return {}", copy))
    copy:free()
    assert.truthy(seen:find "a%.lua$")
    assert.equal(1, f.is_lua)
    local _, why, hint = load("a.lua", "return {}")
    assert.same({ "FILE: a Lua job, and no Lua here", "give the job as JSON" }, { why, hint })
  end)

  it("takes overrides by path", function()
    local f = W.parse '{ "task_list": [ { "task": "null", "set": { "a": 1 } }, 7 ] }'
    local function override(text)
      local out, err = ffi.new "eas_jobfile *[1]", ffi.new "eas_err"
      if C.eas_jobfile_override(out, f, text, err) < 0 then return nil, ffi.string(err.text) end
      local canonical = C.eas_json_canonical(out[0].doc)
      local s = ffi.string(canonical)
      C.free(canonical)
      C.eas_jobfile_free(out[0])
      return s
    end
    assert.equal('{"task_list":[{"set":{"a":2,"b":"x"},"task":"null"},8]}',
      override '{ "task_list[0].set.a": 2, "$.task_list[0].set.b": "x", "task_list[1]": 8 }')
    assert.same({ nil, "no place 'task_list[4].a' in the job to set" }, { override '{ "task_list[4].a": 1 }' })
    assert.same({ nil, "no place 'a.b' in the job to set" }, { override '{ "a.b": 1 }' })
    assert.same({ nil, "overrides: an object of paths and values is wanted" }, { override "[]" })
  end)
end)

B.each(function(kind)
  local db
  before_each(function() db = B.emptied(kind) end)
  after_each(function()
    if db then
      W.world(db):check()
      db:close()
    end
    db = nil
  end)
  local text = '{ "job_name": "\'st\' \'ars\'", "working_directory": "d", "task_list": [ { "task": "null" } ] }'

  describe("submitting", function()
    it("stores a root that is queued", function()
      local job, existed, done = W.submit(db, text)
      assert.same({ false, false }, { existed, done })
      local t = db:query("SELECT t.*, w.text AS dir, n.path FROM task t JOIN word w ON w.id = t.directory JOIN node n ON n.id = t.node WHERE t.job = $1", job)
      assert.equal(1, #t)
      assert.same({ "ready", "$", "d", 0, 0, 1 }, { t[1].state, t[1].path, t[1].dir, t[1].depth, t[1].ordinal, t[1].attempts })
      local j = db:query("SELECT * FROM job WHERE id = $1", job)[1]
      assert.same({ "stars", "active", 0, 1, 0, t[1].id }, { j.name, j.state, j.priority, j.seed, j.compat, j.root })
      assert.equal(text, db:value "SELECT body FROM document")
    end)

    it("takes name, seed and priority from the document or the options", function()
      local job = W.submit(db, '{ "seed": 5, "priority": 2, "task_list": [] }', { name = "grids/big.grid.json" })
      local j = db:query("SELECT * FROM job WHERE id = $1", job)[1]
      assert.same({ "big.grid", 5, 2 }, { j.name, j.seed, j.priority })
      job = W.submit(db, '{ "seed": 5, "priority": 2, "task_list": [] }', { seed = 9, priority = -1 })
      j = db:query("SELECT * FROM job WHERE id = $1", job)[1]
      assert.same({ 9, -1 }, { j.seed, j.priority })
    end)

    it("finds the same job again, however it is laid out", function()
      local job = W.submit(db, text)
      assert.same({ job, true, false }, { W.submit(db, (text:gsub(" ", "  "):gsub("'st'  '", "'st' '"))) })
      W.run(db)
      assert.same({ job, true, true }, { W.submit(db, text) })
      assert.equal(1, db:value "SELECT count(*) FROM job")
    end)

    it("makes another of another seed, override, names, or when asked to", function()
      local ids = { W.submit(db, text) }
      ids = { ids[1] }
      for _, options in ipairs { { seed = 2 }, { overrides = '{ "task_list[0].duration": 0 }' }, { prototype_names = true }, { fresh = true } } do
        local job, existed = W.submit(db, text, options)
        assert.is_false(existed)
        ids[#ids + 1] = job
      end
      assert.equal(5, db:value "SELECT count(*) FROM job")
      assert.equal(2, db:value "SELECT count(*) FROM document") -- stored once each
      assert.equal(ids[5], (W.submit(db, text))) -- the newest of them
      assert.same({ ids[3], true, false }, { W.submit(db, text, { overrides = '{"task_list[0].duration":0}' }) })
      assert.equal('{"task_list[0].duration":0}', db:value("SELECT overrides FROM job WHERE id = $1", ids[3]))
    end)

    it("stores nothing of a job it cannot read", function()
      local id, why = W.submit(db, '{ "job_name": 3, "task_list": [] }')
      assert.same({ nil, "job.json: $.job_name: a string is wanted" }, { id, why })
      assert.equal(nil, (W.submit(db, '{ "working_directory": "/etc", "task_list": [] }')))
      assert.equal(nil, (W.submit(db, text, { overrides = '{ "a.b": 1 }' })))
      assert.equal(0, db:value "SELECT count(*) FROM job")
    end)
  end)

  describe("finding", function()
    local function find(name)
      local id, err = ffi.new "int64_t[1]", ffi.new "eas_err"
      local rc = C.eas_job_find(db.c, name, id, err)
      if rc < 0 then return nil, ffi.string(err.text), ffi.string(err.hint) end
      return tonumber(id[0])
    end

    it("says that there is nothing", function()
      assert.same({ nil, "no jobs here", "eas submit FILE" }, { find() })
      assert.same({ nil, "no job 'x'", "no jobs here: eas submit FILE" }, { find "x" })
    end)

    it("takes numbers, letters, names, or the newest", function()
      local a, b = W.submit(db, text), (W.submit(db, text, { seed = 2 }))
      local c = W.submit(db, '{ "job_name": "grid", "task_list": [] }')
      assert.same({ a, b, c, c }, { find(tostring(a)), find("j" .. b), find "grid", find() })
      assert.same({ nil, "2 jobs are called 'stars'", ("name one by its id: j%d, j%d"):format(b, a) }, { find "stars" })
      assert.same({ nil, "no job 'grod'", "use grid" }, { find "grod" })
      assert.equal("no job 'j99'", (select(2, find "j99")))
      assert.equal(("there are j%d grid, j%d stars, j%d stars"):format(c, b, a), (select(3, find "something")))
    end)
  end)

  describe("states", function()
    local function set(job, state)
      local err = ffi.new "eas_err"
      if C.eas_job_set_state(db.c, job, state, err) < 0 then return nil, ffi.string(err.text) end
      return true
    end

    it("gate expansion", function()
      local job = W.submit(db, text)
      assert(set(job, "paused"))
      assert.equal(0, W.expand(db).children)
      assert(set(job, "active"))
      assert.equal(1, W.expand(db).children)
      assert(set(job, "cancelled"))
      assert.equal(1, db:must(C.eas_cancel_sweep(db.c, 10, db.err)))
      assert.is_true(W.done(db, job))
    end)

    it("are refused when they mean nothing", function()
      local job = W.submit(db, '{ "task_list": [] }')
      W.expand(db)
      assert.same({ nil, ("j%d is done already"):format(job) }, { set(job, "cancelled") })
      assert.same({ nil, "no job j77" }, { set(77, "paused") })
      assert.same({ nil, "no job state 'asleep'" }, { set(job, "asleep") })
    end)
  end)
end)
