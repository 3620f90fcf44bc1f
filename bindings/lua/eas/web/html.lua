-- eas.web.html: elements as Lua tables; every text and attribute is escaped, so that a name cannot become markup.
--
--   h.td { class = "n", "a < b", h.a { href = url, name } }     named keys are attributes, the rest children
--
-- Children may be texts, numbers, elements, lists of them; nil and false are left out. An attribute that is true has no
-- value, one that is false or nil is left out.
local html = {}
local element = {}
local concat = table.concat

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }
local VOID = { br = true, hr = true, img = true, input = true, link = true, meta = true }

-- Also without control characters, which no document may hold.
function html.escape(text)
  return (tostring(text):gsub("[&<>\"']", ENTITIES):gsub("[%z\1-\8\11\12\14-\31\127]", "\239\191\189"))
end

local function add(out, child, n)
  if type(child) == "table" then
    if getmetatable(child) == element then
      out[#out + 1] = child.text
    else
      for i = 1, n or table.maxn(child) do
        if child[i] then add(out, child[i]) end
      end
    end
  elseif child ~= nil and child ~= false then
    out[#out + 1] = html.escape(child)
  end
end

local function make(tag, content)
  if type(content) ~= "table" or getmetatable(content) == element then content = { content } end
  local out, names = { "<" .. tag }, {}
  for name, value in pairs(content) do
    if type(name) == "string" and value then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = content[name]
    out[#out + 1] = value == true and " " .. name or (' %s="%s"'):format(name, html.escape(value))
  end
  out[#out + 1] = ">"
  add(out, content)
  if not VOID[tag] then out[#out + 1] = "</" .. tag .. ">" end
  return setmetatable({ text = concat(out) }, element)
end

-- Several elements without one around them.
function html.all(list)
  local out = {}
  add(out, list)
  return setmetatable({ text = concat(out) }, element)
end

function html.render(e) return e.text end

-- A path with its query, keys in order; what is nil or "" is left out.
function html.url(path, query)
  local function encode(s)
    return (tostring(s):gsub("[^%w%-._~:,]", function(c) return ("%%%02X"):format(c:byte()) end))
  end
  local parts, keys = {}, {}
  for k in pairs(query or {}) do keys[#keys + 1] = k end
  table.sort(keys)
  for _, k in ipairs(keys) do
    if query[k] ~= "" and query[k] ~= nil then parts[#parts + 1] = encode(k) .. "=" .. encode(query[k]) end
  end
  path = path:gsub("[^%w%-._~/]", function(c) return ("%%%02X"):format(c:byte()) end)
  return path .. (#parts > 0 and "?" .. concat(parts, "&") or "")
end

return setmetatable(html, { __index = function(_, tag)
  return function(content) return make(tag, content) end
end })
