-- eas.json: JSON as the engine keeps it. Whole numbers below 2^53 are integers, others the shortest text
-- that reads back the same; NaN is null; infinity is refused. Keys are sorted, so equal values give equal text.
local cjson = require "cjson"

local json = {}
local list_mark = {}
local concat, format, floor = table.concat, string.format, math.floor

-- Marks a table as a list, so that an empty one is written as [].
function json.list(t)
  return setmetatable(t or {}, list_mark)
end

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
local function escape(c)
  return escapes[c] or format("\\u%04x", c:byte())
end

-- Length of the UTF-8 character at i, or nil.
local function character(s, i)
  local b = s:byte(i)
  local n = b < 0x80 and 1 or b >= 0xc2 and b < 0xe0 and 2 or b >= 0xe0 and b < 0xf0 and 3 or b >= 0xf0 and b < 0xf5 and 4
  if not n or not s:find("^" .. ("[\128-\191]"):rep(n - 1), i + 1) then return nil end
  local second = s:byte(i + 1) or 0
  if (b == 0xe0 and second < 0xa0) or (b == 0xed and second > 0x9f) or (b == 0xf0 and second < 0x90)
     or (b == 0xf4 and second > 0x8f) then return nil end
  return n
end

-- Bytes that are no UTF-8 become U+FFFD: a log line must not be able to break its envelope.
local function utf8_text(s)
  if not s:find "[\128-\255]" then return s end
  local out, i = {}, 1
  while i <= #s do
    local n = character(s, i)
    out[#out + 1] = n and s:sub(i, i + n - 1) or "\239\191\189"
    i = i + (n or 1)
  end
  return concat(out)
end

local function write_string(s)
  if not s:find '[%c"\\\127-\255]' then return '"' .. s .. '"' end
  return '"' .. utf8_text(s):gsub('[%c"\\\127]', escape) .. '"'
end
json.string = write_string

function json.number(x)
  if x ~= x then return "null" end
  if x == math.huge or x == -math.huge then return nil, "infinity cannot be stored" end
  if x == floor(x) and x > -2 ^ 53 and x < 2 ^ 53 then return format("%.0f", x) end
  for digits = 15, 17 do
    local s = format("%." .. digits .. "g", x)
    if tonumber(s) == x then return s:find "[.e]" and s or s .. ".0" end
  end
end

local write

-- Length of a list, or nil when the table is an object. Holes become null while most items are there.
local function list_length(t)
  local count, top = 0, 0
  for k in pairs(t) do
    if type(k) ~= "number" or k < 1 or k ~= floor(k) then return nil end
    count = count + 1
    if k > top then top = k end
  end
  if count == 0 then return getmetatable(t) == list_mark and 0 or nil end
  if top > 2 * count + 8 then return nil end
  return top
end

local function write_table(t, place, depth)
  if depth > 100 then return nil, place .. ": nested more than 100 deep (or in itself)" end
  local out, n = {}, list_length(t)
  if n then
    for i = 1, n do
      local text, why = write(t[i], place .. "[" .. i .. "]", depth + 1)
      if not text then return nil, why end
      out[i] = text
    end
    return "[" .. concat(out, ",") .. "]"
  end
  local keys = {}
  for k in pairs(t) do
    if type(k) ~= "string" then return nil, place .. ": key " .. tostring(k) .. " is not a text" end
    keys[#keys + 1] = k
  end
  table.sort(keys)
  for i, k in ipairs(keys) do
    local text, why = write(t[k], place == "" and k or place .. "." .. k, depth + 1)
    if not text then return nil, why end
    out[i] = write_string(k) .. ":" .. text
  end
  return "{" .. concat(out, ",") .. "}"
end

function write(v, place, depth)
  local kind = type(v)
  if v == nil or v == cjson.null then return "null" end
  if kind == "boolean" then return tostring(v) end
  if kind == "string" then return write_string(v) end
  if kind == "number" then
    local text, why = json.number(v)
    return text, why and place .. ": " .. why
  end
  if kind == "table" then return write_table(v, place, depth) end
  if kind == "cdata" then
    local array = require "eas.array"
    if array.is(v) then return write_table(v:table(), place, depth) end
    if tonumber(v) then return write(tonumber(v), place, depth) end
  end
  return nil, (place == "" and "value" or place) .. ": a " .. kind .. " cannot be stored"
end

-- The text, or nil and why ("a.b: infinity cannot be stored").
function json.encode(v)
  return write(v, "", 0)
end

local function without_null(v)
  if v == cjson.null then return nil end
  if type(v) == "table" then
    for k, x in pairs(v) do v[k] = without_null(x) end
  end
  return v
end

-- Raises for text that is no JSON. null becomes nil.
function json.decode(text)
  return without_null(cjson.decode(text))
end

return json
