-- eas.deploy.yaml: YAML of plain tables, in block style. Keys stand in the order of ORDER, then by name; every text that
-- could be taken for something else is quoted as in JSON, which is YAML.
--   yaml.text(value)    yaml.list(t): an array, also if empty
local json = require "eas.json"

local yaml = {}
local LIST = {}
local ORDER = {}
for i, key in ipairs { "apiVersion", "kind", "metadata", "name", "namespace", "labels", "type", "spec", "image", "command", "args" } do
  ORDER[key] = i
end

function yaml.list(t) return setmetatable(t, LIST) end

local function is_list(t) return getmetatable(t) == LIST or #t > 0 end

local RESERVED = { ["true"] = true, ["false"] = true, ["null"] = true, yes = true, no = true, on = true, off = true, y = true, n = true }

local function scalar(value)
  if type(value) ~= "string" then
    if type(value) == "number" and value == math.floor(value) then return ("%d"):format(value) end
    return tostring(value)
  end
  local plain = value:match "^[%a/][%w_./%-]*$" and not RESERVED[value:lower()]
  return plain and value or json.string(value)
end

local function sorted(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    local x, y = ORDER[a] or 99, ORDER[b] or 99
    if x ~= y then return x < y end
    return a < b
  end)
  return keys
end

local function put(out, value, indent, lead)
  local pad = ("  "):rep(indent)
  if is_list(value) then
    for _, item in ipairs(value) do
      if type(item) ~= "table" then
        out[#out + 1] = ("%s- %s"):format(pad, scalar(item))
      elseif next(item) == nil then
        out[#out + 1] = pad .. (is_list(item) and "- []" or "- {}")
      else
        put(out, item, indent + 1, pad .. "- ")
      end
    end
    return
  end
  for k, key in ipairs(sorted(value)) do
    local item, head = value[key], (k == 1 and lead or pad) .. scalar(key) .. ":"
    if type(item) ~= "table" then
      out[#out + 1] = head .. " " .. scalar(item)
    elseif next(item) == nil then
      out[#out + 1] = head .. (is_list(item) and " []" or " {}")
    else
      out[#out + 1] = head
      put(out, item, is_list(item) and indent or indent + 1)
    end
  end
end

function yaml.text(value)
  local out = {}
  put(out, value, 0)
  return table.concat(out, "\n") .. "\n"
end

return yaml
