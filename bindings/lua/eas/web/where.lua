-- eas.web.where: a filter by loop variables as a text of an address: "size:2,period:2.5". "%", "," and ":" of a name or a value
-- are written as %25, %2C, %3A.
local ask = require "eas.web.ask"
local format = require "eas.web.format"

local where = {}
local MOST = 8

local function pack(v)
  if type(v) == "number" then return ("%.12g"):format(v) end
  return (tostring(v):gsub("[%%,:]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function unpacked(s)
  return (s:gsub("%%(%x%x)", function(x) return string.char(tonumber(x, 16)) end))
end

-- values: { size = 2, period = 2.5 }, in order of the names.
function where.text(values)
  local names, out = {}, {}
  for name in pairs(values) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do out[i] = pack(name) .. ":" .. pack(values[name]) end
  return table.concat(out, ",")
end

-- The values of such a text; nil of none. A number is one if it reads as one.
function where.values(text)
  if not text or text == "" then return nil end
  local out, n = {}, 0
  for part in (text .. ","):gmatch "([^,]*)," do
    local name, value = part:match "^([^:]+):([^:]*)$"
    n = n + 1
    if not name or n > MOST then
      error(ask.fault(400, ("where: '%s' is no filter"):format(text:sub(1, 60)), "size:2,period:2.5: up to eight loop variables"), 0)
    end
    local x = not value:find "[xXnN]" and tonumber(value)
    out[unpacked(name)] = x and math.abs(x) < 1e300 and x or unpacked(value)
  end
  return out
end

-- The same for people: "period 2.5, size 2".
function where.words(filter)
  local out = {}
  for name, v in pairs(type(filter) == "table" and filter or where.values(filter) or {}) do
    out[#out + 1] = name .. " " .. format.value(v)
  end
  table.sort(out)
  return table.concat(out, ", ")
end

return where
