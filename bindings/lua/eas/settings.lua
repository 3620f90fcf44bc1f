-- eas.settings: what a script declares it can be told, read from the job entry.
--   { lc_duration = { nil, "day; all if not given" },                 a row: default, help
--     specs = { noise = { 0, "relative, in 25 s" } } }                a section: an object of the job entry
-- An unknown name is an error that names the nearest. Texts that are numbers are taken as numbers (.cfg files).
local core = require "eas.core"

local settings = {}
local common = {}
for name in ([[task name inputs outputs job_name working_directory requires_metadata_from
    requires_metadata_from_child requires_done requires_passed_fraction task_name]]):gmatch "%S+" do common[name] = true end

local function is_row(v)
  return type(v) == "table" and type(v[2]) == "string"
end

local function sorted(t)
  local list = {}
  for name in pairs(t) do list[#list + 1] = tostring(name) end
  table.sort(list)
  return list
end

local function unknown(name, declared, where)
  local list = sorted(declared)
  local near = core.nearest(tostring(name), list)
  local all = #list > 0 and "it has " .. table.concat(list, ", ") or "it has no settings"
  error(("%s: unknown setting '%s'; %s"):format(where, name, near and "use " .. near or all), 0)
end

local function convert(value, row, name, where)
  local kind = row.type or (row[1] ~= nil and type(row[1])) or nil
  if type(value) == "string" and kind ~= "string" then
    if tonumber(value) then value = tonumber(value) end
    if value == "true" or value == "false" then value = value == "true" end
  end
  if kind == "boolean" and (value == 0 or value == 1) then value = value == 1 end
  if kind and type(value) ~= kind then
    error(("%s: %s takes a %s, not %s"):format(where, name, kind, type(value) == "string" and "'" .. value .. "'"
      or "a " .. type(value)), 0)
  end
  if row.one_of then
    for _, allowed in ipairs(row.one_of) do if value == allowed then return value end end
    error(("%s: %s is '%s'; it takes %s"):format(where, name, tostring(value), table.concat(row.one_of, ", ")), 0)
  end
  return value
end

local function read_section(given, declared, where, is_top)
  if type(given) ~= "table" then error(("%s: an object is expected, not a %s"):format(where, type(given)), 0) end
  local set = {}
  for name in pairs(given) do
    if not declared[name] and not (is_top and common[name]) then unknown(name, declared, where) end
  end
  for name, row in pairs(declared) do
    local value = given[name]
    if not is_row(row) then
      set[name] = read_section(value == nil and {} or value, row, name, false)
    elseif value == nil then
      set[name] = row[1]
    else
      set[name] = convert(value, row, name, where)
    end
  end
  return set
end

function settings.read(description, declared)
  return read_section(description, declared, description.task or "settings", true)
end

return settings
