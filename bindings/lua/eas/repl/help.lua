-- eas.repl.help: help(thing), from the annotations that editors read: types.d.lua and repl/types.d.lua.
local array = require "eas.array"
local core = require "eas.core"
local lc = require "eas.lc"
local help = {}
local classes, functions, order -- by name; read when first asked for

local function describe(entry, name, arguments)
  local returns, notes = {}, {}
  for _, r in ipairs(entry.returns) do
    local kind, note = r:match "^(%S+)%s*(.*)$"
    returns[#returns + 1] = kind:gsub("^eas%.", "")
    if note ~= "" then notes[#notes + 1] = note end
  end
  local head = ("%s(%s)"):format(name, arguments)
  if #returns > 0 then head = head .. " -> " .. table.concat(returns, ", ") end
  return head, notes
end

local function add_function(entry, name, arguments)
  functions[name] = { name = name, entry = entry, arguments = arguments }
  order[#order + 1] = name
end

local function new_entry() return { params = {}, returns = {}, text = {}, fields = {} } end

-- The lines of one file, into classes and functions. A class' functions follow it, under its local's name.
local function read_file(path)
  local file = assert(io.open(path))
  local entry, class, own = new_entry(), nil, nil
  for line in file:lines() do
    local tag, rest = line:match "^%-%-%-@(%a+)%s*(.*)$"
    local name, arguments = line:match "^function ([%w_.:]+)%((.-)%) end"
    if tag == "class" then
      class = { name = rest:match "^[%w_.]+", about = rest:match "^[%w_.]+%s+(.+)$", fields = {}, methods = {}, text = entry.text }
      classes[class.name], entry = class, new_entry()
    elseif tag == "field" and class then
      class.fields[#class.fields + 1] = rest
    elseif tag == "param" then
      entry.params[#entry.params + 1] = rest
    elseif tag == "return" then
      entry.returns[#entry.returns + 1] = rest
    elseif name then
      local is_own = class and own and name:match "^[%w_]+" == own and name:find "[.:]"
      local short = is_own and class.name .. name:sub(#own + 1) or name
      if is_own then class.methods[#class.methods + 1] = short end
      add_function(entry, short, arguments)
      entry = new_entry()
    elseif line:match "^local [%w_]+ = {}" and class then
      own = line:match "^local ([%w_]+)"
    elseif line:match "^%-%-%- ?[^@]" then
      entry.text[#entry.text + 1] = line:match "^%-%-%- ?(.*)$"
    elseif not tag then
      entry = new_entry()
    end
  end
  file:close()
end

local function load_all()
  if classes then return end
  classes, functions, order = {}, {}, {}
  local share = require("eas.host").share
  for _, name in ipairs { "types.d.lua", "repl/types.d.lua" } do read_file(share .. "/lua/eas/" .. name) end
end

local function function_help(f)
  local head, notes = describe(f.entry, f.name, f.arguments)
  local lines = { head }
  for _, text in ipairs(f.entry.text) do lines[#lines + 1] = "  " .. text end
  for _, p in ipairs(f.entry.params) do
    local name, rest = p:match "^(%S+)%s+(.*)$"
    lines[#lines + 1] = ("  %-10s %s"):format(name or p, rest or "")
  end
  for _, note in ipairs(notes) do lines[#lines + 1] = "  gives " .. note end
  return table.concat(lines, "\n")
end

local function class_help(c)
  local lines = { c.name .. (c.about and ": " .. c.about or "") }
  for _, text in ipairs(c.text) do lines[#lines + 1] = "  " .. text end
  for _, field in ipairs(c.fields) do
    local name, rest = field:match "^(%S+)%s+(.*)$"
    lines[#lines + 1] = ("  %-16s %s"):format(name or field, rest or "")
  end
  for _, name in ipairs(c.methods) do
    lines[#lines + 1] = "  " .. (describe(functions[name].entry, name:match "[.:][%w_]+$", functions[name].arguments))
  end
  return table.concat(lines, "\n")
end

-- Fields and methods of a class; nil when there is none of that name.
function help.names(class)
  load_all()
  local c, list = classes[class], {}
  if not c then return nil end
  for _, field in ipairs(c.fields) do
    local name = field:match "^([%a_][%w_]*)%??%s"
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
  for _, candidate in ipairs { name, "eas." .. name, (name:gsub("%.([%w_]+)$", ":%1")) } do
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
    if f.entry.text[1] and rawget(env, name) then
      lines[#lines + 1] = ("  %-34s %s"):format(("%s(%s)"):format(name, f.arguments), f.entry.text[1])
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
