-- eas.table_file: tables of numbers as files: a FITS binary table (doubles), or text for .txt, .csv, .dat.
local ffi = require "ffi"
local bit = require "bit"
local array = require "eas.array"
local json = require "eas.json"

local table_file = {}
local methods = {}
local meta = { __index = methods }
local BLOCK = 2880

-- columns: { n =, columns = { "period", "power" }, period = array, power = array }; units: { period = "d" }.
function table_file.new(columns, units, keywords)
  if type(columns) ~= "table" or type(columns.columns) ~= "table" then
    error("eas.table takes { n =, columns = { names }, NAME = array, ... }", 2)
  end
  for _, name in ipairs(columns.columns) do
    local column = columns[name]
    if not array.is(column) or tonumber(column.n) ~= columns.n then
      error(("eas.table: column '%s' is not an array of %s numbers"):format(name, tostring(columns.n)), 2)
    end
  end
  return setmetatable({ data = columns, units = units or {}, keywords = keywords or {} }, meta)
end

local function card(name, value, comment)
  local text = type(value) == "boolean" and (value and "T" or "F") or type(value) == "number" and json.number(value)
  if text then
    text = ("%-8s= %20s"):format(name, text:upper())
  else
    text = ("%-8s= '%-8s'"):format(name, tostring(value):gsub("'", "''"))
  end
  return ("%-80s"):format((text .. (comment and " / " .. comment or "")):sub(1, 80))
end

local function header(cards)
  local text = table.concat(cards) .. ("%-80s"):format "END"
  return text .. (" "):rep(-#text % BLOCK)
end

local function table_header(self)
  local names = self.data.columns
  local cards = {
    card("XTENSION", "BINTABLE", "binary table"), card("BITPIX", 8), card("NAXIS", 2), card("NAXIS1", 8 * #names, "bytes of a row"),
    card("NAXIS2", self.data.n, "rows"), card("PCOUNT", 0), card("GCOUNT", 1), card("TFIELDS", #names),
  }
  for i, name in ipairs(names) do
    cards[#cards + 1] = card("TTYPE" .. i, name)
    cards[#cards + 1] = card("TFORM" .. i, "D")
    if self.units[name] then cards[#cards + 1] = card("TUNIT" .. i, self.units[name]) end
  end
  local keys = {}
  for key in pairs(self.keywords) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local value = self.keywords[key]
    if type(value) ~= "table" and value == value then cards[#cards + 1] = card(key:upper():sub(1, 8), value) end
  end
  return header(cards)
end

-- FITS numbers are big-endian: doubles are swapped as pairs of 32-bit words.
local function rows(self)
  local names, n = self.data.columns, self.data.n
  local width = #names
  local out = ffi.new("uint32_t[?]", 2 * width * n)
  for k, name in ipairs(names) do
    local words = ffi.cast("uint32_t *", self.data[name].data)
    for i = 0, n - 1 do
      local at = 2 * (i * width + k - 1)
      out[at], out[at + 1] = bit.bswap(words[2 * i + 1]), bit.bswap(words[2 * i])
    end
  end
  return ffi.string(out, 8 * width * n)
end

local function write_fits(self, file)
  local data = rows(self)
  file:write(header { card("SIMPLE", true), card("BITPIX", 8), card("NAXIS", 0), card("EXTEND", true) },
    table_header(self), data, ("\0"):rep(-#data % BLOCK))
end

local function write_text(self, file, separator)
  local names, line = self.data.columns, {}
  file:write(separator == "," and "" or "# ", table.concat(names, separator), "\n")
  for i = 0, self.data.n - 1 do
    for k, name in ipairs(names) do line[k] = json.number(self.data[name][i]) or "inf" end
    file:write((table.concat(line, separator):gsub("null", "nan")), "\n")
  end
end

function methods.write(self, path)
  local file, why = io.open(path, "wb")
  if not file then error(why, 2) end
  local ending = path:match "%.(%w+)$"
  if ending == "csv" then write_text(self, file, ",")
  elseif ending == "txt" or ending == "dat" then write_text(self, file, " ")
  else write_fits(self, file) end
  local ok, fault = file:close()
  if not ok then error(path .. ": " .. fault, 2) end
end

return table_file
