-- eas.repl.complete: what Tab makes of a line: names, fields, ids, task types, methods of search, files.
local core = require "eas.core"
local help = require "eas.repl.help"
local complete = {}

local function with_prefix(list, prefix)
  local found, seen = {}, {}
  for _, name in ipairs(list) do
    if name:sub(1, #prefix) == prefix and not seen[name] then
      seen[name] = true
      found[#found + 1] = name
    end
  end
  table.sort(found)
  return found
end

local words = {}
for word in ("and break do else elseif end false for function if in local nil not or repeat return then true until while")
  :gmatch "%a+" do
  words[#words + 1] = word
end

-- The text of an unfinished string at the end of the line, and what stands before it.
local function open_string(line)
  local quote, start
  local i = 1
  while i <= #line do
    local c = line:sub(i, i)
    if quote and c == "\\" then i = i + 1
    elseif quote and c == quote then quote = nil
    elseif not quote and (c == '"' or c == "'") then quote, start = c, i
    elseif not quote and line:sub(i, i + 1) == "--" then return nil
    end
    i = i + 1
  end
  if quote then return line:sub(start + 1), line:sub(1, start - 1), quote end
end

local function files(prefix)
  local folder, rest = prefix:match "^(.*/)([^/]*)$"
  local list = {}
  for _, name in ipairs(core.list(folder or ".") or {}) do
    local path = (folder or "") .. name
    if name:sub(1, #(rest or prefix)) == (rest or prefix) then
      list[#list + 1] = core.list(path) and path .. "/" or path
    end
  end
  return list
end

local ids = { task = { "tasks", "task" }, attempt = { "attempts", "attempt" }, product = { "files", "product" } }

local function ids_of(ask, kind)
  local list = {}
  local rows = ask(ids[kind][1], { limit = 200 })
  for _, row in ipairs(rows or {}) do list[#list + 1] = row[ids[kind][2]] end
  return list
end

-- What a string could be, by the function or field that it is for.
local function in_string(text, before, quote, context)
  local called = before:match "([%a_]+)%s*%(?%s*$"
  local close = quote .. (before:match "%(%s*$" and ")" or "")
  if called and ids[called] then return with_prefix(ids_of(context.ask, called), text), close end
  if before:match "%f[%w_]type%s*=%s*$" then
    local list = {}
    for _, t in ipairs(context.ask("types", {}) or {}) do list[#list + 1] = t.type end
    return with_prefix(list, text), quote
  end
  if before:match "search%s*%(.-,%s*$" then return with_prefix(context.methods(), text), quote end
  if called == "help" then return with_prefix(context.topics(), text), close end
  local found = files(text)
  return found, #found == 1 and found[1]:sub(-1) == "/" and "" or quote
end

-- Names that a value can be asked for.
local function names_of(v)
  local list = {}
  local class = help.class_of(v)
  for _, name in ipairs(class and help.names(class) or {}) do list[#list + 1] = name end
  if type(v) == "string" then v = string end
  if type(v) == "table" then
    for k in next, v do
      if type(k) == "string" and k:match "^[%a][%w_]*$" then list[#list + 1] = k end
    end
    local meta = getmetatable(v)
    local index = type(meta) == "table" and rawget(meta, "__index")
    for k in pairs(type(index) == "table" and index or {}) do
      if type(k) == "string" then list[#list + 1] = k end
    end
  end
  return list
end

-- The value of a.b.c; nothing is called for it.
local function value_at(env, path)
  local v = env
  for part in path:gmatch "[%w_]+" do
    local ok, next_value = pcall(function() return v[part] end)
    if not ok or next_value == nil then return nil end
    v = next_value
  end
  return v
end

-- complete.line(text before the cursor, context): bytes of the word, names it could be, what follows a sole one.
-- context: env, ask(what, arguments), methods(), topics()
function complete.line(line, context)
  local text, before, quote = open_string(line)
  if text then
    local found, after = in_string(text, before, quote, context)
    return #text, found, after
  end
  local path, name = line:match "([%a_][%w_.:]*)[.:]([%w_]*)$"
  if path then
    local v = value_at(context.env, path)
    return #name, v ~= nil and with_prefix(names_of(v), name) or {}, ""
  end
  name = line:match "[%a_][%w_]*$" or ""
  local list = {}
  for k in next, context.env do if type(k) == "string" then list[#list + 1] = k end end
  for k in next, _G do if k:sub(1, 1) ~= "_" then list[#list + 1] = k end end
  for _, word in ipairs(words) do list[#list + 1] = word end
  return #name, with_prefix(list, name), ""
end

return complete
