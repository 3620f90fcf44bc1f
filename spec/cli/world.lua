-- world.lua: what the specs of the program share: a pack of small scripts, a data folder of its own, questions as JSON.
local ffi = require "ffi"
local cjson = require "cjson"
local T = require "spec.support"

local World = {}
World.__index = World
World.json = cjson

local QC = 'attempt:pass_all(true)\n  return attempt.ending == "ok"'

local function script(kind, body)
  if body:find("^%-%-raw") then return body end
  local argument = kind == "qc" and "attempt" or "task"
  return ('local eas = require "eas"\nreturn eas.%s(function(%s)\n  %s\nend)\n'):format(kind, argument, body)
end

-- An entry of a registry file; fields of a type beside task and qc.
local function entry(name, t)
  local lines = { "<task><name>" .. name .. "</name><container>all</container>" }
  for _, field in ipairs { "description", "timeout", "max_attempts", "max_losses", "max_running", "retry", "retry_delay", "memory_gb", "cpu", "random", "reuse" } do
    if t[field] then lines[#lines + 1] = ("<%s>%s</%s>"):format(field, t[field], field) end
  end
  return table.concat(lines) .. "</task>\n"
end

-- A pack: { name = { task = body or nil, qc = body or nil, timeout = "1 s", ... } }. Returns its folder.
function World.pack(types)
  local dir, registry = T.tmpdir(), {}
  assert(os.execute(("mkdir -p %s/tasks_lua/lib %s/qc_lua %s/native %s/registry"):format(dir, dir, dir, dir)) == 0)
  for name, t in pairs(types) do
    T.write(("%s/tasks_lua/%s.lua"):format(dir, name), script("task", t.task or ""))
    T.write(("%s/qc_lua/%s.lua"):format(dir, name), script("qc", t.qc or QC))
    registry[#registry + 1] = entry(name, t)
  end
  table.sort(registry)
  T.write(dir .. "/registry/pack.xml", "<task_type_registry><tasks>\n" .. table.concat(registry) .. "</tasks></task_type_registry>\n")
  return dir
end

function World.task_script(pack, name, body)
  return T.write(("%s/tasks_lua/%s.lua"):format(pack, name), script("task", body))
end

-- A native module of a pack: its C text, what Lua sees of it, and its binding.
function World.native(pack, name, c, cdef, lua)
  local stem = ("%s/native/%s"):format(pack, name)
  T.write(stem .. ".c", c)
  T.write(stem .. "_cdef.lua", "return { cdef = [==[\n" .. cdef .. "]==] }\n")
  T.write(stem .. ".lua", lua)
  local built = T.sh(("cc -std=gnu11 -g -O0 -shared -fPIC -o %s.so %s.c -lpthread"):format(stem, stem))
  assert(built.status == 0, built.err)
end

-- A data folder and a pack (or none).
function World.new(pack, env)
  return setmetatable({ dir = T.tmpdir(), folder = pack, env = env or {} }, World)
end

function World:path(name) return self.dir .. "/" .. name end

function World:environment(more)
  local env = { EAS_DATA = self.dir .. "/data", EAS_LOG_LEVEL = "warn" }
  if self.folder then env.EAS_TASK_PATH = self.folder end
  for k, v in pairs(self.env) do env[k] = v end
  for k, v in pairs(more or {}) do env[k] = v end
  return env
end

-- eas with words ("status j1", or a list); options as T.eas.
function World:eas(words, options)
  local list = words
  if type(words) == "string" then
    list = {}
    for word in words:gmatch "%S+" do list[#list + 1] = word end
  end
  options = options or {}
  return T.eas(list, { env = self:environment(options.env), cwd = options.cwd or self.dir, stdin = options.stdin, timeout = options.timeout or 60 })
end

-- The same with --json, which must be all of stdout. Returns the value and the rest.
function World:ask(words)
  local got = self:eas(words .. " --json")
  local ok, value = pcall(cjson.decode, got.out)
  assert(ok, ("eas %s --json: %s\n%s%s"):format(words, tostring(value), got.out, got.err))
  return value, got
end

function World:job(tasks, name, more)
  local job = { job_name = name or "job", task_list = tasks }
  for k, v in pairs(more or {}) do job[k] = v end
  return T.write(self:path((name or "job") .. ".json"), cjson.encode(job))
end

function World:run(tasks, name, options)
  local words = { "run", self:job(tasks, name), "--no-progress" }
  for _, word in ipairs(options and options.words or {}) do words[#words + 1] = word end
  return self:eas(words, options)
end

local function gather(node, list)
  for _, child in ipairs(node.tasks or {}) do
    list[#list + 1] = child
    gather(child, list)
  end
  return list
end

-- All tasks of a job, as `eas tree` tells them.
function World:tasks(job) return gather(self:ask("tree " .. (job or "j1") .. " --all"), {}) end

-- The last attempt of the first task of a type (or with a name), as `eas show` tells it.
function World:attempt(name, job)
  for _, t in ipairs(self:tasks(job)) do
    if t.type == name or t.name == name then
      local attempts = self:ask("show " .. t.task).attempts
      local last = attempts[#attempts]
      return last and self:ask("show " .. last.attempt), #attempts
    end
  end
  error("no task " .. name)
end

-- Log lines of an attempt: one text, and the rows.
function World:log(attempt)
  local rows, lines = self:ask("logs " .. attempt), {}
  for i, row in ipairs(rows) do lines[i] = row.text end
  return table.concat(lines, "\n"), rows
end

function World:database() return self:path "data/eas.db" end

-- --- SQL, for what no command shows ---

ffi.cdef [[
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_open(const char *, sqlite3 **);
int sqlite3_close(sqlite3 *);
int sqlite3_busy_timeout(sqlite3 *, int);
int sqlite3_prepare_v2(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
int sqlite3_step(sqlite3_stmt *);
int sqlite3_finalize(sqlite3_stmt *);
int sqlite3_column_count(sqlite3_stmt *);
const char *sqlite3_column_text(sqlite3_stmt *, int);
const char *sqlite3_errmsg(sqlite3 *);
]]
local function library()
  local ok, lib = pcall(ffi.load, "libsqlite3.so.0")
  return ok and lib or ffi.load "sqlite3"
end

-- Rows of one statement, each a list of texts.
function World:sql(text)
  local lib, db, statement = library(), ffi.new "sqlite3 *[1]", ffi.new "sqlite3_stmt *[1]"
  assert(lib.sqlite3_open(self:database(), db) == 0)
  lib.sqlite3_busy_timeout(db[0], 5000)
  local ok = lib.sqlite3_prepare_v2(db[0], text, -1, statement, nil) == 0
  local rows, code = {}, 0
  if ok then
    code = lib.sqlite3_step(statement[0])
    while code == 100 do
      local row = {}
      for i = 0, lib.sqlite3_column_count(statement[0]) - 1 do
        local value = lib.sqlite3_column_text(statement[0], i)
        row[i + 1] = value ~= nil and ffi.string(value) or false
      end
      rows[#rows + 1] = row
      code = lib.sqlite3_step(statement[0])
    end
  end
  local why = ffi.string(lib.sqlite3_errmsg(db[0]))
  if ok then lib.sqlite3_finalize(statement[0]) end
  lib.sqlite3_close(db[0])
  assert(ok and code == 101, text .. ": " .. why)
  return rows
end

-- The one value of a statement, a number if it is one.
function World:value(text)
  local row = self:sql(text)[1]
  return row and (tonumber(row[1]) or row[1])
end

return World
