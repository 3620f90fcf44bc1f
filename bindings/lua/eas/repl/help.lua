-- eas.repl.help: help(thing), from the annotations that editors read.
local annotations = require "eas.repl.annotations"
local array = require "eas.array"
local core = require "eas.core"
local lc = require "eas.lc"
local help = {}
local classes, functions, order -- by name; read when first asked for

local function load_all()
  if classes then return end
  local known = annotations.load(require("eas.host").share .. "/lua/eas")
  classes, functions, order = known.classes, known.functions, known.order
end

local function function_help(f)
  local lines = { annotations.head(f) }
  for _, text in ipairs(f.text) do lines[#lines + 1] = "  " .. text end
  for _, p in ipairs(f.params) do
    lines[#lines + 1] = ("  %-10s %s%s"):format(p.name, p.type, p.note ~= "" and " " .. p.note or "")
  end
  for _, r in ipairs(f.returns) do
    if r.note ~= "" then lines[#lines + 1] = "  gives " .. (#f.returns > 1 and r.type .. " " or "") .. r.note end
  end
  return table.concat(lines, "\n")
end

local function class_help(c)
  local lines = { c.name .. (c.about and ": " .. c.about or "") }
  for _, text in ipairs(c.text) do lines[#lines + 1] = "  " .. text end
  for _, field in ipairs(c.fields) do
    lines[#lines + 1] = ("  %-16s %s%s"):format(field.name, field.type, field.note ~= "" and " " .. field.note or "")
  end
  for _, name in ipairs(c.methods) do
    lines[#lines + 1] = "  " .. annotations.head(functions[name], name:match "[.:][%w_]+$")
  end
  return table.concat(lines, "\n")
end

-- Fields and methods of a class; nil when there is none of that name.
function help.names(class)
  load_all()
  local c, list = classes[class], {}
  if not c then return nil end
  for _, field in ipairs(c.fields) do
    local name = field.name:match "^([%a_][%w_]*)%??$"
    if name then list[#list + 1] = name end
  end
  for _, name in ipairs(c.methods) do list[#list + 1] = name:match "[%w_]+$" end
  return list
end

-- The class of a thing by what it is.
function help.class_of(v)
  if lc.is(v) then return "eas.lightcurve" end
  if array.is(v) then return "eas.array" end
  local meta = type(v) == "table" and getmetatable(v)
  return type(meta) == "table" and rawget(meta, "class") or nil
end

-- The name under which a function is described.
local function name_of(v, env)
  for _, name in ipairs(order) do
    local at = env
    if name:find ":" then
      local class, method = name:match "^(.-):(.+)$"
      at = class == "eas.lightcurve" and lc.method and lc.method(method) or nil
    else
      for part in name:gmatch "[%w_]+" do at = type(at) == "table" and rawget(at, part) or nil end
    end
    if at ~= nil and at == v then return name end
  end
end

local function by_name(name)
  for _, candidate in ipairs { name, classes["eas.native." .. name] and "eas.native." .. name or name, "eas." .. name,
    "eas.native." .. name,
    (name:gsub("%.([%w_]+)$", ":%1")) } do
    if functions[candidate] then return function_help(functions[candidate]) end
    if classes[candidate] then return class_help(classes[candidate]) end
  end
  for _, full in ipairs(order) do -- a method without its class
    if full:match "[.:]([%w_]+)$" == name then return function_help(functions[full]) end
  end
end

local function overview(env)
  local lines = { "what is here (help(thing) or help \"name\" says more):" }
  for _, name in ipairs(order) do
    local f = functions[name]
    if f.text[1] and rawget(env, name) then
      lines[#lines + 1] = ("  %-34s %s"):format(("%s(%s)"):format(name, f.arguments), f.text[1])
    end
  end
  for _, line in ipairs { "  db                                 the database, read only: help \"db\"",
                          "  eas                                what scripts have: help(eas)",
                          "=x or x prints; Tab completes; Ctrl-C stops what runs; Ctrl-D leaves" } do
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n")
end

-- The text for help(...): a name, a function, a thing; nothing gives an overview.
function help.text(v, env)
  load_all()
  if v == nil then return overview(env) end
  if type(v) == "string" then
    local text = by_name(v)
    if text then return text end
    local near = core.nearest(v, order)
    return ("nothing is known of '%s'%s"):format(v, near and "; use " .. near or "; help() lists what there is")
  end
  local class = help.class_of(v) or v == env.eas and "eas" or v == env.db and "db"
  if class and classes[class] then return class_help(classes[class]) end
  local name = type(v) == "function" and name_of(v, env)
  if name then return function_help(functions[name]) end
  return ("nothing is written of this %s; help() lists what there is"):format(type(v))
end

return help
