-- headers.lua: a C header as what a reader wants of it: groups of declarations, each with the comment above it.
--
--   headers.parse(text) -> { about = { lines }, groups = { { comment = { lines } or nil, code = text, names = { NAME -> kind } } } }
-- A group is what stands without an empty line between. kind: function, type, constant, macro. Guards, includes and what only the
-- compiler needs are left out; so are the bodies of inline functions. The headers' own style (docs/kernels.md) is all that it reads.
local headers = {}

-- A comment's words, line by line, without its stars.
local function comment_lines(text)
  local lines = {}
  for line in (text:gsub("^/%*+", ""):gsub("%*/$", "") .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = (line:gsub("^%s*%* ?", ""):gsub("^ (%S)", #lines == 0 and "%1" or " %1"):gsub("%s+$", ""))
  end
  while lines[#lines] == "" do lines[#lines] = nil end
  return lines
end

-- The end of a declaration that starts at `at`: its ";", or the "}" of a body. Comments count for nothing.
local function declaration_end(text, at)
  local depth, i, body = 0, at, nil
  while i <= #text do
    local two, c = text:sub(i, i + 1), text:sub(i, i)
    if two == "/*" then
      i = text:find("*/", i + 2, true) + 1
    elseif c == "{" then
      if depth == 0 and text:sub(at, i):find "%)%s*{$" then body = i end
      depth = depth + 1
    elseif c == "}" then
      depth = depth - 1
      if depth == 0 and body then return i, body end
    elseif c == ";" and depth == 0 then
      return i
    end
    i = i + 1
  end
  return #text
end

local function without_comments(text) return (text:gsub("/%*.-%*/", "")) end

-- What a declaration declares, into names.
local function note_names(code, names)
  local plain = without_comments(code)
  local flat = plain:gsub("%b{}", "{}")
  if flat:find "^%s*typedef" then
    names[flat:match "%(%s*%*%s*([%w_]+)%s*%)%s*%(" or flat:match "([%w_]+)%s*;%s*$" or flat:match "([%w_]+)%[[^%]]*%];" or "?"] = "type"
  elseif flat:find "%(" then
    local name = flat:gsub("__attribute__%s*%b()", ""):gsub("__attribute__%s*%(%b()%)", ""):match "([%w_]+)%s*%("
    if name then names[name] = "function" end
  elseif flat:find "^%s*struct%s+[%w_]+%s*{}" then
    names[flat:match "struct%s+([%w_]+)"] = "type"
  elseif flat:find "^%s*extern" then
    local name = flat:match "([%w_]+)%s*%[?[^%[%]]*%]?%s*;"
    if name then names[name] = "variable" end
  end
  for inner in plain:gmatch "enum[%s%w_]*(%b{})" do
    for name in inner:sub(2, -2):gmatch "([%u][%w_]*)%s*[=,%s]" do names[name] = names[name] or "constant" end
    local last = inner:match "([%u][%w_]*)%s*}$"
    if last then names[last] = "constant" end
  end
end

-- Without what is for the preprocessor; a macro that people use stays, as one line.
local function strip_directives(text)
  local out, held = {}, nil
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local macro = line:match "^#%s*define%s+([%w_]+)"
    if held then
      held = line:find "\\$" ~= nil
    elseif line:find "^#" then
      held = line:find "\\$" ~= nil
      local value = line:match "^#%s*define%s+[%w_]+%s+(%S.*)$"
      if macro and value and not macro:find "_H$" and macro ~= "EAS_EXPORT" then out[#out + 1] = "\1" .. line .. (held and " ..." or "") end
    else
      out[#out + 1] = line
    end
  end
  return table.concat(out, "\n")
end

local function finish(result, group)
  if group and #group.parts > 0 then
    group.code = table.concat(group.parts, "\n")
    result.groups[#result.groups + 1] = group
  end
end

-- One declaration or macro at `at`, with the comment behind it on its line, into the group. Returns where it ends.
local function take(text, at, group)
  local stop, body
  if text:sub(at, at) == "\1" then
    stop = (text:find("\n", at, true) or #text + 1) - 1
    local name = text:match("^\1#%s*define%s+([%w_]+)", at)
    group.names[name] = "macro"
    group.parts[#group.parts + 1] = text:sub(at + 1, stop)
    return stop + 1
  end
  stop, body = declaration_end(text, at)
  local code = body and text:sub(at, body - 1):gsub("%s+$", "") .. ";" or text:sub(at, stop)
  note_names(code, group.names)
  local _, behind = text:find("^[ \t]*/%*.-%*/", stop + 1)
  if behind then
    code = code .. text:sub(stop + 1, behind)
    stop = behind
  end
  group.parts[#group.parts + 1] = code
  return stop + 1
end

function headers.parse(text)
  local first, last = text:find("^/%*.-%*/")
  local result = { about = first and comment_lines(text:sub(first, last)) or {}, groups = {} }
  text = strip_directives(text:sub((last or 0) + 1)):gsub('extern "C" {', "")
  local at, group, comment = 1, nil, nil
  while true do
    local blank = text:match("^%s*", at)
    local _, newlines = blank:gsub("\n", "")
    at = at + #blank
    if at > #text then break end
    if newlines > 1 then
      finish(result, group)
      group, comment = nil, nil
    end
    if text:find("^/%*", at) then
      local _, stop = text:find("%*/", at)
      finish(result, group)
      group, comment = nil, comment_lines(text:sub(at, stop))
      at = stop + 1
    else
      group = group or { comment = comment, parts = {}, names = {} }
      comment = nil
      at = take(text, at, group)
    end
  end
  finish(result, group)
  return result
end

return headers
