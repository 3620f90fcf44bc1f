-- lua_api.lua: the interface of Lua as pages and as Markdown, from the annotations that help() reads.
local annotations = require "eas.repl.annotations"
local html = require "reference.html"

local api = {}
local esc = html.escape

-- Which page a class or a function without class is on.
local function page_of(known, class, name)
  if class and (class:find "^eas%.native" or known.from_kernel[class]) then return "bindings.html" end
  if class and (class == "eas" or class:find "^eas%.") or name and name:find "^eas%." then return "lua.html" end
  return "prompt.html"
end

local function class_anchor(name) return "class-" .. html.anchor(name) end

-- Classes of what a binding's new() gives stand with the bindings.
local function sort_out(known)
  known.from_kernel = {}
  for _, name in ipairs(annotations.sources) do
    if known.classes["eas." .. name] and known.classes["eas.native." .. name] then known.from_kernel["eas." .. name] = true end
  end
  known.pages = { ["lua.html"] = {}, ["prompt.html"] = {}, ["bindings.html"] = {} }
  for _, name in ipairs(known.class_order) do
    local c = known.classes[name]
    if #c.methods + #c.fields > 0 then
      c.page = page_of(known, name)
      table.insert(known.pages[c.page], c)
      html.targets[name] = c.page .. "#" .. class_anchor(name)
    end
  end
  for _, name in ipairs(known.order) do
    local f = known.functions[name]
    f.page = page_of(known, f.class, name)
    html.targets[name] = f.page .. "#" .. html.anchor(name)
  end
end

function api.load(folder)
  local known = annotations.load(folder)
  sort_out(known)
  return known
end

local function rows(list, name)
  local out = {}
  for _, r in ipairs(list) do
    out[#out + 1] = ("<tr><td><code>%s</code></td><td><code>%s</code></td><td>%s</td></tr>")
      :format(esc(r[name] or r.name or ""), html.linked(r.type), html.linked(r.note))
  end
  return table.concat(out, "\n")
end

local function function_html(f)
  local out = { ('<section id="%s"><h3><a href="#%s"><code>%s</code></a></h3>'):format(html.anchor(f.name), html.anchor(f.name),
    esc(annotations.head(f))) }
  out[#out + 1] = html.prose(f.text, f.name)
  if #f.params > 0 then out[#out + 1] = "<table>" .. rows(f.params) .. "</table>" end
  for _, r in ipairs(f.returns) do
    out[#out + 1] = ("<p>gives <code>%s</code> %s</p>"):format(html.linked(r.type), html.linked(r.note))
  end
  return table.concat(out, "\n") .. "</section>"
end

local function class_html(known, c)
  local out = { ('<section id="%s"><h2><code>%s</code></h2>'):format(class_anchor(c.name), esc(c.name)) }
  if c.about then out[#out + 1] = "<p>" .. html.linked(c.about, c.name) .. "</p>" end
  out[#out + 1] = html.prose(c.text, c.name)
  if #c.fields > 0 then out[#out + 1] = "<table><caption>fields</caption>" .. rows(c.fields) .. "</table>" end
  out[#out + 1] = "</section>"
  for _, name in ipairs(c.methods) do out[#out + 1] = function_html(known.functions[name]) end
  return table.concat(out, "\n")
end

local function free_functions(known, page)
  local list = {}
  for _, name in ipairs(known.order) do
    local f = known.functions[name]
    if f.page == page and not f.class then list[#list + 1] = f end
  end
  return list
end

local function side(known, page, classes)
  local out = { "<ul>" }
  for _, f in ipairs(free_functions(known, page)) do
    out[#out + 1] = ('<li><a href="#%s">%s</a></li>'):format(html.anchor(f.name), esc(f.name))
  end
  for _, c in ipairs(classes) do
    out[#out + 1] = ('<li><a href="#%s">%s</a><ul>'):format(class_anchor(c.name), esc(c.name))
    for _, name in ipairs(c.methods) do
      out[#out + 1] = ('<li><a href="#%s">%s</a></li>'):format(html.anchor(name), esc(name:match "[.:][%w_]+$"))
    end
    out[#out + 1] = "</ul></li>"
  end
  return table.concat(out) .. "</ul>"
end

local INTRO = {
  ["lua.html"] = { "Scripts: task, check, light curve, array", "What a task script and a quality check are written with: require \"eas\". docs/scripting.md tells it in order; here each thing stands by itself." },
  ["prompt.html"] = { "The prompt", "What eas repl and eas shell have at hand beside eas. help(thing) says the same there; docs/debugging.md tells how it is used." },
  ["bindings.html"] = { "Kernels from Lua", "require \"eas.native.NAME\": a kernel as scripts use it, and eas.native, with which the binding of a pack's own kernel is written." },
}
api.intro = INTRO

-- eas.native first; a kernel's module before the class of its searches.
local function rank(class)
  return class.name == "eas.native" and "" or class.name:gsub("^eas%.native%.", "eas.") .. (class.name:find "^eas%.native%." and " " or "a")
end

local function by_name(a, b) return rank(a) < rank(b) end

-- Pages of known: name -> HTML.
function api.pages(known)
  local made = {}
  for page, classes in pairs(known.pages) do
    if page ~= "prompt.html" then table.sort(classes, by_name) end
    local body = { ("<h1>%s</h1><p>%s</p>"):format(esc(INTRO[page][1]), html.linked(INTRO[page][2])) }
    for _, f in ipairs(free_functions(known, page)) do body[#body + 1] = function_html(f) end
    for _, c in ipairs(classes) do body[#body + 1] = class_html(known, c) end
    made[page] = html.document { title = INTRO[page][1] .. ": EAS reference", side = side(known, page, classes), body = table.concat(body, "\n") }
  end
  return made
end

local function markdown_function(f, out)
  out[#out + 1] = ("### `%s`\n"):format(annotations.head(f))
  if #f.text > 0 then out[#out + 1] = table.concat(f.text, "\n") .. "\n" end
  for _, p in ipairs(f.params) do out[#out + 1] = ("* `%s` `%s` %s"):format(p.name, p.type, p.note) end
  for _, r in ipairs(f.returns) do out[#out + 1] = ("* gives `%s` %s"):format(r.type, r.note) end
  out[#out + 1] = ""
end

-- The same as one Markdown file.
function api.markdown(known)
  local out = { "# Reference of the Lua interface\n", "Made from the annotations that `help()` reads.\n" }
  for _, page in ipairs { "lua.html", "prompt.html", "bindings.html" } do
    out[#out + 1] = ("# %s\n\n%s\n"):format(INTRO[page][1], INTRO[page][2])
    for _, f in ipairs(free_functions(known, page)) do markdown_function(f, out) end
    for _, c in ipairs(known.pages[page]) do
      out[#out + 1] = ("## %s\n"):format(c.name)
      if c.about then out[#out + 1] = c.about end
      if #c.text > 0 then out[#out + 1] = "```\n" .. table.concat(c.text, "\n") .. "\n```" end
      out[#out + 1] = ""
      for _, f in ipairs(c.fields) do out[#out + 1] = ("* `%s` `%s` %s"):format(f.name, f.type, f.note) end
      if #c.fields > 0 then out[#out + 1] = "" end
      for _, name in ipairs(c.methods) do markdown_function(known.functions[name], out) end
    end
  end
  return (table.concat(out, "\n"):gsub("[ \t]+\n", "\n"))
end

return api
