-- db/save.c, eas db: a database as one file, and back, from and to either back end.
local ffi = require "ffi"
local T = require "spec.support"
local B = require "spec.backends.backend"
local new_world = require "spec.backends.world"
local C = ffi.C

-- A job with edges, products, logs, floats, bytes and something left to do.
local function some_work(db)
  local w = new_world(db)
  local job, worker = w:job { metadata = '{"star":1}' }, w:worker()
  local maker = w:task(job, { outputs = { "x" }, name = "maker", metadata = '{"depth":0.25}' })
  local user = w:task(job, { inputs = { x = maker.products.x }, needs = { m = maker } })
  local chain = w:task(job, { type = "execution_chain", passed = true })
  w:task(job, { parent = chain })
  local list = assert(w:claim(worker, 1))
  list[1].versions, list[1].log, list[1].metadata, list[1].key = { [maker.products.x] = "pass" }, { "naïve\n'line'" }, '{"a":0.1}', "key"
  assert(w:commit(worker, list))
  db:must(C.eas_worker_end(db.c, worker, db.err))
  return w, user
end

local function save(db, path) return C.eas_db_save(db.c, path, db.err) end
local function restore(db, path) return C.eas_db_restore(db.c, path, db.err) end

-- As the first version made it, with one word in it.
local function old_database(path)
  local sql = T.read(T.root .. "/engine/db/migrations/0001_core.sql"):gsub("{id}", "INTEGER PRIMARY KEY"):gsub("{blob}", "BLOB")
  local file = assert(B.open("sqlite:" .. path))
  for statement in (sql:gsub("%-%-[^\n]*", "") .. "\n"):gmatch "%s*(.-);" do file:exec(statement) end
  file:exec "CREATE TABLE eas_schema (version INTEGER PRIMARY KEY, name TEXT NOT NULL, at BIGINT NOT NULL)"
  file:exec "INSERT INTO eas_schema VALUES (1, '0001_core.sql', 0)"
  file:exec "INSERT INTO word (id, text) VALUES (5, 'old')"
  file:close()
end

local TABLES = { "word", "task_type", "document", "job", "node", "task", "worker", "attempt", "attempt_note", "product", "version",
  "task_input", "task_need", "attempt_input", "log_line", "job_type" }

local function contents(db)
  local all = {}
  for _, name in ipairs(TABLES) do
    local rows = db:query("SELECT * FROM " .. name)
    rows.types = nil
    for _, row in ipairs(rows) do row.bad, row.tell = nil, nil end -- the server's own
    table.sort(rows, function(a, b)
      local function key(r) return ("%012d %012d %s"):format(r.id or r.task or r.attempt or r.job, r.kind or r.name or r.type or r.seq or 0, r.filename or "") end
      if name == "word" or name == "document" or name == "job" or name == "task_type" or name == "node" then return a.id < b.id end
      return key(a) < key(b)
    end)
    all[name] = rows
  end
  return all
end

B.each(function(kind)
  local db, path
  before_each(function()
    db = B.fresh(kind)
    path = T.tmpdir() .. "/saved.db"
  end)
  after_each(function() if db then db:close() end db = nil end)

  for _, other_kind in ipairs { "sqlite", "postgresql" } do
    it("is saved and restored on " .. other_kind, function()
      local _, user = some_work(db)
      db:must(save(db, path))
      local before = contents(db)
      local other = B.fresh(other_kind)
      other:must(restore(other, path))
      assert.same(before, contents(other))
      -- and goes on there, with new ids
      local w = new_world(other)
      w:check()
      local worker = w:worker()
      assert.equal(2, w:run_all(worker))
      w:check()
      assert.equal("passed", w:state(user))
      other:close()
    end)
  end

  it("is saved as it is at one moment, while others write", function()
    some_work(db)
    local other = db:again()
    other:begin()
    other:exec "INSERT INTO word (id, text) VALUES (900, 'late')"
    db:must(save(db, path))
    assert(other:commit())
    other:close()
    local file = assert(B.open("sqlite:" .. path, C.EAS_DB_READ))
    assert.equal(0, file:value "SELECT count(*) FROM word WHERE id = 900")
    assert.equal(1, file:value "SELECT count(*) FROM job")
    file:close()
  end)

  it("overwrites nothing", function()
    T.write(path, "mine")
    assert.equal(C.EAS_EEXIST, save(db, path))
    assert.equal("mine", T.read(path))
  end)

  it("is restored into an empty database only", function()
    some_work(db)
    db:must(save(db, path))
    assert.equal(C.EAS_EEXIST, restore(db, path))
    assert.truthy(db:message():find("holds jobs already", 1, true))
    local other = B.fresh(kind)
    new_world(other):worker()
    assert.equal(C.EAS_EBUSY, restore(other, path))
    assert.equal(0, other:value "SELECT count(*) FROM job")
    other:close()
  end)

  it("is not filled from a newer schema, nor from what is no database", function()
    some_work(db)
    db:must(save(db, path))
    local file = assert(B.open("sqlite:" .. path))
    file:exec "INSERT INTO eas_schema (version, name, at) VALUES (999, '0999_future.sql', 0)"
    file:close()
    local other = B.fresh(kind)
    assert.equal(C.EAS_EFORMAT, restore(other, path))
    assert.truthy(other:message():find("schema 999", 1, true))
    T.write(path, ("nothing of the kind\n"):rep(100))
    assert.equal(C.EAS_EFORMAT, restore(other, path))
    assert.equal(C.EAS_ENOENT, restore(other, path .. ".none"))
    assert.equal(0, other:value "SELECT count(*) FROM word")
    other:close()
  end)

  it("is restored whole or not at all", function()
    some_work(db)
    db:must(save(db, path))
    local file = assert(B.open("sqlite:" .. path))
    file:exec "PRAGMA foreign_keys = OFF"
    file:exec "UPDATE attempt SET task = 77777 WHERE id = (SELECT max(id) FROM attempt)"
    file:close()
    local other = B.fresh(kind)
    assert.is_true(restore(other, path) < 0)
    assert.equal(0, other:value "SELECT count(*) FROM job")
    assert.equal(0, other:value "SELECT count(*) FROM word")
    other:close()
  end)

  it("takes an older schema, and leaves the file as it is", function()
    old_database(path)
    local bytes = T.read(path)
    db:must(restore(db, path))
    assert.equal("old", db:value "SELECT text FROM word WHERE id = 5")
    assert.is_true(db:id "word" > 5)
    assert.equal(bytes, T.read(path))
  end)
end)

describe("eas db", function()
  local cjson = require "cjson"
  local dir
  before_each(function() dir = T.tmpdir() end)
  local function eas(...) return T.eas { "db", ... } end

  it("saves, restores, migrates, each with one line", function()
    assert.equal(0, T.eas({ "init", "--data", dir }).status)
    local made = eas("save", dir .. "/copy", "--data", dir)
    assert.equal(0, made.status, made.err)
    assert.truthy(made.out:match("^saved to " .. dir:gsub("%p", "%%%0") .. "/copy: [^\n]+, schema %d+\n$"), made.out)
    made = eas("restore", dir .. "/copy", "--data", dir .. "/new", "--json")
    assert.equal(0, made.status, made.err)
    assert.equal("restored", cjson.decode(made.out).did)
    made = eas("migrate", "--data", dir .. "/new")
    assert.truthy(made.out:find("up to date", 1, true))
  end)

  it("copies an SQLite database before it migrates", function()
    old_database(dir .. "/eas.db")
    local made = eas("migrate", "--data", dir)
    assert.truthy(made.out:find("schema %d+, migrated from 1"), made.out .. made.err)
    local old = assert(B.open("sqlite:" .. dir .. "/eas.db.schema-1", C.EAS_DB_READ))
    assert.equal(1, old:value "SELECT max(version) FROM eas_schema")
    old:close()
  end)

  it("says in one line what is wrong", function()
    local function refused(why, ...)
      local made = eas(...)
      assert.equal(2, made.status, made.out .. made.err)
      assert.truthy(made.err:find(why, 1, true), made.err)
    end
    refused("save, restore, migrate or shell is wanted", "burn", dir)
    refused("one file is wanted", "save")
    refused("no more is wanted", "migrate", "x")
    refused("there is none", "save", dir .. "/copy", "--data", dir .. "/none")
    T.eas { "init", "--data", dir }
    T.write(dir .. "/copy", "mine")
    refused("is there already", "save", dir .. "/copy", "--data", dir)
    refused("not a database", "restore", dir .. "/copy", "--data", dir .. "/other")
  end)
end)
