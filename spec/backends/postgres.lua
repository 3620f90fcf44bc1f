-- postgres.lua: a PostgreSQL server of this process's own (postgres.sh), gone with it.
local ffi = require "ffi"
local T = require "spec.support"

local Postgres = {}
Postgres.__index = Postgres

local function run(self, verb, ...)
  local words = { T.root .. "/spec/backends/postgres.sh", verb, self.dir, ... }
  for i, word in ipairs(words) do words[i] = T.quote(word) end
  return T.sh(table.concat(words, " "))
end

-- from: a cluster's folder to copy instead of making one; options: more words for the server; owner: a process it ends with,
-- this one if not given. nil and why, if there is none.
function Postgres.new(from, options, owner)
  local self = setmetatable({ dir = T.tmpdir(), from = from or "", options = options or "", owner = owner or ffi.C.getpid() }, Postgres)
  local ok, why = self:start()
  if not ok then return nil, why end
  return self
end

-- Again after a kill or a stop.
function Postgres:start()
  local got = run(self, "start", self.owner, self.from, self.options)
  return got.status == 0, (got.err:gsub("%s+$", ""))
end

function Postgres:kill() run(self, "kill") end
function Postgres:stop(mode) run(self, "stop", mode or "immediate") end
function Postgres:url(name) return ("postgresql://eas@/%s?host=%s%s"):format(name, self.dir, self.port and "&port=" .. self.port or "") end

-- The words of a psql in a database.
function Postgres:psql_words(name)
  return ("psql -X -q -A -t -v ON_ERROR_STOP=1 -h %s -p %d -U eas -d %s"):format(self.dir, self.port or 5432, name)
end
function Postgres:psql(name, sql) return T.sh(self:psql_words(name) .. " -c " .. T.quote(sql)) end

return Postgres
