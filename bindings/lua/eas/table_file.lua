-- eas.table_file: tables of numbers as files: a FITS binary table (doubles), or text; also gzipped.
local ffi = require "ffi"
local bit = require "bit"
local array = require "eas.array"
local core = require "eas.core"
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

local function fits(self)
  local data = rows(self)
  return table.concat { header { card("SIMPLE", true), card("BITPIX", 8), card("NAXIS", 0), card("EXTEND", true) },
    table_header(self), data, ("\0"):rep(-#data % BLOCK) }
end

local function text(self, separator)
  local names, line, out = self.data.columns, {}, {}
  out[1] = (separator == "," and "" or "# ") .. table.concat(names, separator) .. "\n"
  for i = 0, self.data.n - 1 do
    for k, name in ipairs(names) do
      local x = self.data[name][i]
      line[k] = x ~= x and "nan" or json.number(x) or (x > 0 and "inf" or "-inf")
    end
    out[#out + 1] = table.concat(line, separator) .. "\n"
  end
  return table.concat(out)
end

-- By the ending: .csv, .txt, .dat, each also with .gz; else FITS.
function methods.write(self, path)
  local plain = path:gsub("%.gz$", "")
  local ending = plain:match "%.(%w+)$"
  local separator = ending == "csv" and "," or (ending == "txt" or ending == "dat") and " "
  local ok, why = core.write_file(path, separator and text(self, separator) or fits(self), plain ~= path)
  if not ok then error(why, 2) end
end

-- A text as it is; gzipped where the name ends in .gz.
function table_file.text(words)
  if type(words) ~= "string" then error("eas.text takes a text", 2) end
  return { write = function(_, path)
    local ok, why = core.write_file(path, words, path:match "%.gz$" ~= nil)
    if not ok then error(why, 2) end
  end }
end

return table_file
