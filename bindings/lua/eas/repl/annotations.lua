-- eas.repl.annotations: what editors read above functions and classes, as tables: help() and the reference are made of it.
--
--   local known = annotations.load(folder)    folder: that of the modules eas.*; .order names of functions as they are written,
--   .classes and .functions by name, .class_order
--   class = { name, about, text, fields, methods }, function = { name, arguments, text, params, returns, class }
--   fields, params = { name, type, note }, returns = { type, note }; text is a list of lines
-- Of types.d.lua all is public; of a kernel's binding what has a line "---".
local annotations = {}

local META = { "types.d.lua", "repl/types.d.lua" }
annotations.sources = { "bls", "bls_hybrid", "bls_kovacs", "fbls", "tls", "tls_results", "qats", "dst", "exotrans", "detrend",
  "transit_model", "psls", "fixed_step", "resample", "vetting", "samples" }

-- The type at the start of a text, and what follows it: { x: integer } and fun(a: b): c are one type.
function annotations.split_type(text)
  local depth, i = 0, 1
  while i <= #text do
    local c = text:sub(i, i)
    if c:find "[%(%[{<]" then depth = depth + 1 end
    if c:find "[%)%]}>]" then depth = depth - 1 end
    local before = text:sub(i - 1, i - 1)
    local goes_on = before:find "[:|]" or text:match("^%s*|", i) or before == "," and text:find "^fun%("
    if depth == 0 and c:find "%s" and not goes_on then break end
    i = i + 1
  end
  return text:sub(1, i - 1), text:sub(i):match "^[%s#]*(.-)%s*$"
end

local function named(text)
  local name, rest = text:match "^(%S+)%s*(.*)$"
  local kind, note = annotations.split_type(rest)
  return { name = name, type = kind, note = note }
end

local function new_entry() return { params = {}, returns = {}, text = {} } end

local Reader = {}
Reader.__index = Reader

function Reader:class(rest)
  local name = rest:match "^[%w_.]+"
  local class = self.known.classes[name]
  if not class then
    class = { name = name, about = rest:match "^[%w_.]+%s+(.+)$", fields = {}, methods = {}, text = self.entry.text }
    self.known.classes[name] = class
    table.insert(self.known.class_order, name)
  end
  self.now, self.fresh, self.entry = class, class, new_entry()
end

-- A function of a class is known under the class' name; its file says which local stands for the class.
function Reader:declared(name, arguments)
  local entry, owner = self.entry, self.owners[name:match "^[%w_]+"]
  self.entry = new_entry()
  if self.source and #entry.text == 0 then return end
  entry.arguments = arguments
  entry.name = owner and name:find "[.:]" and owner.name .. name:match "[.:].*$" or name
  if owner and name:find "[.:]" then
    entry.class = owner.name
    table.insert(owner.methods, entry.name)
  end
  self.known.functions[entry.name] = entry
  table.insert(self.known.order, entry.name)
end

-- A line of words: what is indented goes on with the tag before it.
function Reader:words(text)
  local tag = self.tag
  if tag and text:match "^%s" then
    tag.note = tag.note .. " " .. text:match "^%s+(.*)$"
  else
    table.insert(self.entry.text, text)
  end
end

function Reader:tagged(tag, rest)
  if tag == "class" then return self:class(rest) end
  if tag == "field" and self.now then
    self.tag = named(rest)
    table.insert(self.now.fields, self.tag)
  elseif tag == "param" then
    self.tag = named(rest)
    table.insert(self.entry.params, self.tag)
  elseif tag == "return" then
    local kind, note = annotations.split_type(rest)
    self.tag = { type = kind, note = note }
    table.insert(self.entry.returns, self.tag)
  end
end

function Reader:line(line)
  local tag, rest = line:match "^%-%-%-@(%a+)%s*(.*)$"
  local name, arguments = line:match "^function ([%w_.:]+)%((.-)%)"
  local own = line:match "^local ([%w_]+) = {" or line:match "^local ([%w_]+) = setmetatable%({}"
  if tag then return self:tagged(tag, rest) end
  local text = line:match "^%-%-%- ?(.*)$"
  if text then return self:words(text) end
  self.tag = nil
  if name then return self:declared(name, arguments) end
  if own and self.fresh then self.owners[own], self.fresh = self.fresh, nil end
  self.entry = new_entry()
end

local function read_file(known, path, module)
  local file = assert(io.open(path))
  local reader = setmetatable({ known = known, entry = new_entry(), owners = {}, source = module ~= nil }, Reader)
  local head = module and file:read "*l"
  if head and head:find "^%-%-%- " then
    reader:class("eas.native." .. module .. " " .. head:match "^%-%-%- [%w_]+: (.*)$")
    reader.owners[module], reader.fresh = reader.now, nil
    reader.head = reader.now
  end
  local in_head = reader.head ~= nil
  for line in file:lines() do
    if in_head and line:find "^%-%-" then
      table.insert(reader.head.text, line:match "^%-%-%-? ?(.*)$")
    else
      in_head = false
      reader:line(line)
    end
  end
  file:close()
end

-- The head of a function: name(arguments) -> types.
function annotations.head(f, name)
  local head, kinds = ("%s(%s)"):format(name or f.name, f.arguments), {}
  for _, r in ipairs(f.returns) do kinds[#kinds + 1] = (r.type:gsub("^eas%.", "")) end
  return #kinds > 0 and head .. " -> " .. table.concat(kinds, ", ") or head
end

function annotations.load(folder)
  local known = { classes = {}, functions = {}, order = {}, class_order = {} }
  for _, name in ipairs(META) do read_file(known, folder .. "/" .. name) end
  read_file(known, folder .. "/native.lua", "native")
  for _, name in ipairs(annotations.sources) do read_file(known, ("%s/native/%s.lua"):format(folder, name), name) end
  return known
end

return annotations
