-- eas.deploy.plan: what Kubernetes and Slurm have in common: which container runs what, how many slots, how long.
local plan = {}
plan.__index = plan

local QC_SECONDS = 600 -- a quality check's limit: it follows the longest attempt
local MARGIN_SECONDS = 60
local REFUSED = {}

-- Ends the command: the request was wrong.
function plan.refuse(why, hint) error(setmetatable({ why = why, hint = hint }, REFUSED), 0) end

-- Runs fn: true, or nil, why and hint of a refusal; other errors go on.
function plan.guard(fn)
  local ok, fault = pcall(fn)
  if ok then return true end
  if getmetatable(fault) ~= REFUSED then error(fault, 0) end
  return nil, fault.why, fault.hint
end

-- Values of a repeated option "[CONTAINER=]VALUE": by container, with what counts for all as the default.
local function by_container(self, option, default)
  local values = setmetatable({}, { __index = function() return default end })
  for _, text in ipairs(self.options[option] or {}) do
    local name, value = text:match "^([%w_.%-]+)=(.*)$"
    if name then
      if not self.known[name] then
        plan.refuse(("%s: no container '%s' in the registry"):format(option, name), "there are " .. self.names)
      end
      values[name] = value
    else
      default = text
    end
  end
  return values
end

local function less(a, b)
  for _, key in ipairs { "gpu", "cpu", "memory_gb" } do
    if a[key] ~= b[key] then return a[key] < b[key] end
  end
  return a.rank < b.rank
end

-- A type that several containers could run is asked for in the cheapest of them; once that one is there, any may take it.
local function assign(self, types)
  for _, t in ipairs(types) do
    local home
    for _, name in ipairs(t.containers) do
      local c = self.known[name]
      c.runs = true
      if not c.left_out and (not home or less(c, home)) then home = c end
    end
    if home then
      home.types[#home.types + 1] = t
      home.timeout = math.max(home.timeout, t.timeout_seconds)
    end
  end
end

function plan.new(request)
  local self = setmetatable({ options = request.options, conf = request.conf, version = request.version, folder = request.folder,
                              program = request.program, known = {}, containers = {} }, plan)
  local names = {}
  for i, c in ipairs(request.containers) do
    c.rank, c.types, c.timeout = i, {}, 0
    c.slots = math.max(1, math.floor(c.cpu))
    c.left_out = self.options["--container"] ~= nil
    self.known[c.name], names[i] = c, c.name
  end
  self.names = table.concat(names, ", ")
  for _, name in ipairs(self.options["--container"] or {}) do
    if not self.known[name] then plan.refuse(("no container '%s' in the registry"):format(name), "there are " .. self.names) end
    self.known[name].left_out = false
  end
  local max = by_container(self, "--max", "10")
  for _, c in ipairs(request.containers) do
    c.max = tonumber(max[c.name])
    if not c.max or c.max < 1 or c.max ~= math.floor(c.max) then
      plan.refuse(("--max takes a whole number from 1, not '%s'"):format(max[c.name]))
    end
  end
  assign(self, request.types)
  for _, c in ipairs(request.containers) do
    c.grace = c.timeout + QC_SECONDS -- what a drain may have to wait for
    if not c.left_out and c.runs then self.containers[#self.containers + 1] = c end
  end
  return self
end

plan.by_container = by_container
plan.margin = MARGIN_SECONDS

-- The last one given of an option, or a default.
function plan:option(name, default)
  local list = self.options[name]
  return list and list[#list] or default
end

-- A configured value, also if it is the default.
function plan:get(key) return self.conf[key].value end

-- scheme, user, host, port, path of a URL in the configuration; no password comes here.
function plan:url(key)
  local scheme, rest = self:get(key):match "^(%w+)://([^?]*)"
  if not scheme then return nil end
  local authority, path = rest:match "^([^/]*)/?(.*)$"
  local user, place = authority:match "^([^@]*)@(.*)$"
  local host, port = (place or authority):match "^(.-):?(%d*)$"
  return { scheme = scheme, user = (user or ""):match "^[^:]*", host = host, port = tonumber(port), path = path,
           query = self:get(key):match "%?(.*)$" }
end

-- Refuses a database that only one machine reaches.
function plan:shared_database()
  local u = self:url "database"
  if not u or not u.scheme:match "^postgres" then
    plan.refuse("many machines need a database that all of them reach: this is " .. self:shown "database",
      "--database postgresql://USER@HOST/NAME, or the key database")
  end
  return u
end

-- The same URL as it may be shown: without the stars of a password.
function plan:shown(key) return (self:get(key):gsub("^(%w+://[^:/@]*):%*%*%*@", "%1@")) end

return plan
