-- c_api.lua: the C headers that others include, a page each: kernels (tasks_native) and the engine's modules.
local headers = require "reference.headers"
local html = require "reference.html"

local api = {}
local esc = html.escape

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function lines_of(command)
  local pipe, list = io.popen(command), {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

-- Headers of the engine that a file of another module includes: the rest is a module's own.
local function engine_headers(root)
  local wanted, list = {}, {}
  for _, line in ipairs(lines_of(("cd '%s' && grep -Ho '#include \"[a-z_]*/[a-z_]*\\.h\"' engine/*/*.[ch] bindings/*.[ch]"):format(root))) do
    local folder, module, name = line:match '^(.-)/[^/]*:#include "([%w_]+)/([%w_]+%.h)"'
    if folder and folder ~= "engine/" .. module and module ~= "bindings" then wanted[("engine/%s/%s"):format(module, name)] = true end
  end
  for path in pairs(wanted) do list[#list + 1] = path end
  table.sort(list)
  return list
end

-- A kernel's interface is the header beside its KERNEL.c; eas_native.h is of all.
local function kernel_headers(root)
  return lines_of(("cd '%s' && ls tasks_native/eas_native.h && for h in tasks_native/*.h; do [ ! -e ${h%%.h}.c ] || echo $h; done"):format(root))
end

local function load_header(root, path, part)
  local h = headers.parse(read(root .. "/" .. path))
  h.path, h.part = path, part
  h.include = path:gsub("^engine/", ""):gsub("^tasks_native/", "")
  h.page = "c-" .. h.include:gsub("/", "-"):gsub("%.h$", "") .. ".html"
  h.title = h.about[1] and h.about[1]:gsub("^[%w_.]+:%s*", "") or ""
  for _, group in ipairs(h.groups) do
    for name in pairs(group.names) do
      html.targets[name] = html.targets[name] or h.page .. "#" .. name
    end
  end
  return h
end

-- All of them: kernels first.
function api.load(root)
  local list = {}
  for _, path in ipairs(kernel_headers(root)) do list[#list + 1] = load_header(root, path, "kernels") end
  for _, path in ipairs(engine_headers(root)) do list[#list + 1] = load_header(root, path, "engine") end
  return list
end

-- Functions of a header that no comment tells of: neither above their group nor behind them on the line.
function api.undocumented(h)
  local list = {}
  for _, group in ipairs(h.groups) do
    for _, part in ipairs(group.comment and {} or group.parts) do
      local name = part:gsub("/%*.-%*/", ""):gsub("__attribute__.*", ""):match "([%w_]+)%s*%("
      if name and not part:find("/*", 1, true) then list[#list + 1] = name end
    end
  end
  return list
end

-- Code with links; comments stand back.
local function code_html(code)
  local out, at = {}, 1
  while true do
    local first, last = code:find("/%*.-%*/", at)
    out[#out + 1] = html.linked(code:sub(at, (first or 0) - 1))
    if not first then break end
    out[#out + 1] = '<span class="dim">' .. html.linked(code:sub(first, last)) .. "</span>"
    at = last + 1
  end
  return table.concat(out)
end

local function sorted(names)
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  table.sort(list)
  return list
end

-- The name a group is told by: its function or type, else its first constant.
local function group_names(group)
  local main = {}
  for _, name in ipairs(sorted(group.names)) do
    if group.names[name] ~= "constant" then main[#main + 1] = name end
  end
  return main
end

-- placed: names that have their anchor already; a type may be named before it is told.
local function group_html(group, placed)
  local anchors = {}
  for _, name in ipairs(sorted(group.names)) do
    if not placed[name] then anchors[#anchors + 1] = ('<span id="%s"></span>'):format(name) end
    placed[name] = true
  end
  return ("<section>%s<pre>%s</pre>%s</section>"):format(table.concat(anchors), code_html(group.code),
    group.comment and html.prose(group.comment) or "")
end

local function page(h)
  local body = { ("<h1><code>%s</code></h1>"):format(esc(h.include)) }
  local about = { unpack(h.about) }
  about[1] = h.title
  body[#body + 1] = html.prose(about)
  local side, placed = { "<ul>" }, {}
  for _, group in ipairs(h.groups) do
    body[#body + 1] = group_html(group, placed)
    for _, name in ipairs(group_names(group)) do
      side[#side + 1] = ('<li><a href="#%s">%s</a></li>'):format(name, esc(name))
    end
  end
  return html.document { title = h.include .. ": EAS reference", side = table.concat(side) .. "</ul>", body = table.concat(body, "\n") }
end

function api.pages(list)
  local made = {}
  for _, h in ipairs(list) do made[h.page] = page(h) end
  return made
end

return api
