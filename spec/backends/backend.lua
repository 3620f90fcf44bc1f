-- backend.lua: what the specs of this folder share: a fresh database on each back end, rows as tables.
-- PostgreSQL is a private server (postgres.lua), started at the first use.
local ffi = require "ffi"
local busted = require "busted"
local T = require "spec.support"
local Postgres = require "spec.backends.postgres"
T.cdef "engine/db/db.h"
local C = ffi.C

local B = { NULL = {} }
local Db = {}
Db.__index = Db

-- --- the cluster ---

local n_databases = 0
local cluster -- false with a reason, where there is none
local why_none

local function migrated_template(p)
  local db = assert(B.open(p:url "postgres"))
  db:exec "CREATE DATABASE eas_template"
  db:close()
  db = assert(B.open(p:url "eas_template"))
  assert(db:migrate())
  db:close()
end

-- A cluster that holds a database eas_template of the newest schema, kept in the build folder: to copy it takes a tenth of
-- making it. nil and why, where no server is.
function B.cluster_files()
  local migrations = T.root .. "/engine/db/migrations"
  local key = T.sh(("ls -d /usr/lib/postgresql/*/bin | tail -1; cat %s/spec/backends/postgres.sh %s/*.sql"):format(T.root, migrations)).out
  local kept = ("%s/postgres-%s"):format(T.build, T.sh("sha256sum", key).out:sub(1, 16))
  if T.read(kept .. "/PG_VERSION") then return kept end
  local p, why = Postgres.new()
  if not p then return nil, why end
  migrated_template(p)
  p:stop "fast"
  -- whole or not at all: specs run side by side
  T.sh(("find %s -maxdepth 1 -name 'postgres-*' ! -name '%s*' -exec rm -rf {} +; cp -a %s/data %s.%d && mv -T %s.%d %s || rm -rf %s.%d")
    :format(T.build, kept:match "[^/]+$", p.dir, kept, ffi.C.getpid(), kept, ffi.C.getpid(), kept, kept, ffi.C.getpid()))
  return T.read(kept .. "/PG_VERSION") and kept or p.dir .. "/data"
end

-- A server of the caller's own.
function B.server(options)
  local files, why = B.cluster_files()
  if not files then return nil, why end
  return Postgres.new(files, options)
end

function B.cluster()
  if cluster == nil then
    cluster, why_none = B.server()
    cluster = cluster or false
  end
  return cluster, why_none
end

function B.stop()
  if cluster then cluster:stop() end
  cluster = nil
end

-- Runs body(kind) once per back end, inside a describe of its name.
function B.each(body)
  for _, kind in ipairs { "sqlite", "postgresql" } do
    busted.describe(kind, function()
      busted.lazy_setup(function() if kind == "postgresql" then B.cluster() end end)
      busted.lazy_teardown(function() if kind == "postgresql" then B.stop() end end)
      body(kind)
    end)
  end
end

-- The bytes of an SQLite database of the newest schema: to write them takes a tenth of the migrations, which wait for the disk.
local template
local function sqlite_template()
  if not template then
    local path = T.tmpdir() .. "/eas.db"
    local db = assert(B.open("sqlite:" .. path))
    assert(db:migrate())
    db:close()
    template = T.read(path)
  end
  return template
end

-- The URL of a new database; with schema unless bare. Skips the test where there is no server.
function B.url(kind, bare)
  if kind == "sqlite" then
    local path = T.tmpdir() .. "/eas.db"
    if not bare then T.write(path, sqlite_template()) end
    return "sqlite:" .. path
  end
  T.skip_unless(B.cluster(), why_none)
  n_databases = n_databases + 1
  local name, admin = "eas_" .. n_databases, assert(B.open(cluster:url "postgres"))
  admin:exec(("CREATE DATABASE %s TEMPLATE %s"):format(name, bare and "template0" or "eas_template"))
  admin:close()
  return cluster:url(name)
end

-- --- connections ---

-- Opens; gives nil, message, code when that fails.
function B.open(url, flags)
  local out, err = ffi.new "eas_db *[1]", ffi.new "eas_err"
  local rc = C.eas_db_open(out, url, flags or C.EAS_DB_CREATE, err)
  if rc < 0 then return nil, ffi.string(err.text), rc end
  return setmetatable({ c = out[0], url = url, err = err }, Db)
end

function B.fresh(kind)
  return assert(B.open(B.url(kind)))
end

local EMPTY = [[DO $$ DECLARE t TEXT; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('eas_schema', 'chore') LOOP
    EXECUTE format('DELETE FROM %I', t);
  END LOOP;
  PERFORM setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences WHERE schemaname = 'public';
  UPDATE chore SET due_at = 0, place = '';
END $$]]

-- As fresh, but on a server the database of the test before, emptied, if nobody is connected to it any more: making one takes
-- five times as long. For tests that leave the schema alone.
local spare
function B.emptied(kind)
  if kind ~= "postgresql" then return B.fresh(kind) end
  local db = spare and cluster and B.open(spare)
  if db then
    db:exec "SET lock_timeout = '2s'"
    if db:value "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()" == 1 and db:try(EMPTY) then
      db:exec "RESET lock_timeout"
      return db
    end
    db:close()
  end
  spare = B.url(kind)
  return assert(B.open(spare))
end

function Db:message() return ffi.string(self.err.text) end

function Db:close()
  if self.c ~= nil then C.eas_db_close(self.c) end
  self.c = nil
end

function Db:again(flags) return assert(B.open(self.url, flags or 0)) end

function Db:migrate()
  local rc = C.eas_db_migrate(self.c, self.err)
  if rc < 0 then return nil, self:message(), rc end
  return true
end

function Db:must(rc)
  if rc < 0 then error(("%s (%d)"):format(self:message(), rc), 3) end
  return rc
end

-- Lua values as eas_val[n]; B.NULL or nil is NULL, { blob = s } bytes, { real = x } a float. keep holds what they point to.
local function values(keep, n, ...)
  local args = ffi.new("eas_val[?]", n + 1)
  for i = 1, n do
    local v = select(i, ...)
    local a = args[i - 1]
    if v == nil or v == B.NULL then a.type = C.EAS_V_NULL
    elseif type(v) == "number" or type(v) == "cdata" then a.type, a.i = C.EAS_V_INT, v
    elseif type(v) == "string" then
      keep[#keep + 1] = v
      a.type, a.s = C.EAS_V_TEXT, v
    elseif v.real then a.type, a.d = C.EAS_V_REAL, v.real
    else
      keep[#keep + 1] = v.blob
      a.type, a.s, a.len = C.EAS_V_BLOB, v.blob, #v.blob
    end
  end
  return args
end

local function value(rows, i, j)
  local kind = C.eas_rows_type(rows, i, j)
  if kind == C.EAS_V_NULL then return nil end
  if kind == C.EAS_V_INT then return tonumber(C.eas_rows_int(rows, i, j)) end
  if kind == C.EAS_V_REAL then return C.eas_rows_real(rows, i, j) end
  local n = ffi.new "size_t[1]"
  local p = C.eas_rows_blob(rows, i, j, n)
  return ffi.string(p, n[0])
end

local function table_of(rows)
  local list = { types = {} }
  for i = 0, C.eas_rows_n(rows) - 1 do
    local row = {}
    for j = 0, C.eas_rows_columns(rows) - 1 do
      row[ffi.string(C.eas_rows_name(rows, j))] = value(rows, i, j)
      list.types[j + 1] = C.eas_rows_type(rows, i, j)
    end
    list[#list + 1] = row
  end
  return list
end

-- Rows changed, or nil, message, code.
function Db:try(sql, ...)
  local keep = {}
  local n = select("#", ...)
  local rc = C.eas_db_exec(self.c, sql, values(keep, n, ...), n, self.err)
  if rc < 0 then return nil, self:message(), rc end
  return rc
end

function Db:exec(sql, ...)
  local rc, why = self:try(sql, ...)
  if not rc then error(why, 2) end
  return rc
end

function Db:query(sql, ...)
  local keep, out = {}, ffi.new "eas_rows *[1]"
  local n = select("#", ...)
  self:must(C.eas_db_query(self.c, sql, values(keep, n, ...), n, out, self.err))
  local list = table_of(out[0])
  C.eas_rows_free(out[0])
  return list
end

-- First column of the first row.
function Db:value(sql, ...)
  local row = self:query(sql, ...)[1]
  return row and select(2, next(row))
end

function Db:send(sql, ...)
  local keep, ticket = {}, ffi.new "int[1]"
  local n = select("#", ...)
  local rc = C.eas_db_send(self.c, sql, values(keep, n, ...), n, ticket, self.err)
  if rc < 0 then return nil, self:message(), rc end
  return ticket[0]
end

function Db:flush()
  local rc = C.eas_db_flush(self.c, self.err)
  if rc < 0 then return nil, self:message(), rc end
  return true
end

function Db:result(ticket) return table_of(C.eas_db_result(self.c, ticket)) end

function Db:begin() self:must(C.eas_db_begin(self.c, self.err)) end
function Db:rollback() C.eas_db_rollback(self.c) end
function Db:commit()
  local rc = C.eas_db_commit(self.c, self.err)
  if rc < 0 then return nil, self:message(), rc end
  return true
end

function Db:id(table_name)
  local out = ffi.new "int64_t[1]"
  self:must(C.eas_db_ids(self.c, table_name, 1, out, self.err))
  return tonumber(out[0])
end

-- Round trips and commits that fn takes.
function Db:cost(fn)
  local a, b = ffi.new "int64_t[2]", ffi.new "int64_t[2]"
  C.eas_db_counts(self.c, a, a + 1)
  fn()
  C.eas_db_counts(self.c, b, b + 1)
  return tonumber(b[0] - a[0]), tonumber(b[1] - a[1])
end

return B
