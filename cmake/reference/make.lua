-- make.lua: the reference of the Lua interface and of the C headers, as pages: eas lua cmake/reference/make.lua ROOT OUT
-- Everything comes from what stands in the sources: the annotations that help() reads, and the comments of the headers.
local root, out = ...
if not (root and out) then
  io.stderr:write "usage: eas lua cmake/reference/make.lua ROOT OUT\n"
  os.exit(2)
end
package.path = root .. "/cmake/?.lua;" .. package.path
local c_api = require "reference.c_api"
local html = require "reference.html"
local lua_api = require "reference.lua_api"

local function write(name, text)
  local file = assert(io.open(out .. "/" .. name, "wb"))
  file:write(text)
  file:close()
end

local function card(href, name, about)
  return ('<div><dt><a href="%s">%s</a></dt><dd>%s</dd></div>'):format(href, html.escape(name), html.escape(about))
end

local function index(headers)
  local parts = { kernels = {}, engine = {} }
  for _, h in ipairs(headers) do table.insert(parts[h.part], card(h.page, h.include, h.title)) end
  local scripts = {}
  for _, page in ipairs { "lua.html", "prompt.html", "bindings.html" } do
    scripts[#scripts + 1] = card(page, lua_api.intro[page][1], lua_api.intro[page][2])
  end
  return html.document { title = "EAS reference", body = ([[<h1>Reference</h1>
<p>Every function that scripts, kernels and the parts of the engine offer one another, made from the sources. To begin with, read docs/tutorial.md, docs/scripting.md and docs/kernels.md.</p>
<section><h2>Lua</h2><dl class="cards">%s</dl></section>
<section id="kernels"><h2>Kernels in C</h2><p>What a kernel's binding or a C program includes: libc and libm only. docs/kernels.md says how one is written.</p><dl class="cards">%s</dl></section>
<section id="engine"><h2>Modules of the engine</h2><p>Headers that other modules include, bottom first in docs/architecture.md; what is a module's own is left out.</p><dl class="cards">%s</dl></section>
<p><a href="names.html">All names</a></p>]]):format(table.concat(scripts), table.concat(parts.kernels), table.concat(parts.engine)) }
end

local function names()
  local list, items = {}, {}
  for name in pairs(html.targets) do list[#list + 1] = name end
  table.sort(list, function(a, b)
    local x, y = a:lower(), b:lower()
    if x ~= y then return x < y end
    return a < b
  end)
  for i, name in ipairs(list) do
    items[i] = ('<li><a href="%s"><code>%s</code></a></li>'):format(html.escape(html.targets[name]), html.escape(name))
  end
  return html.document { title = "All names: EAS reference", body = '<h1>All names</h1><p><input id="find" type="search" placeholder="narrow the list" '
    .. 'aria-label="narrow the list" hidden></p><ul class="names">' .. table.concat(items, "\n") .. "</ul>" .. html.filter }
end

local known = lua_api.load(root .. "/bindings/lua/eas")
local headers = c_api.load(root)
for name, text in pairs(lua_api.pages(known)) do write(name, text) end
for name, text in pairs(c_api.pages(headers)) do write(name, text) end
write("names.html", names())
write("lua.md", lua_api.markdown(known))
write("index.html", index(headers)) -- last: it says that all is there
