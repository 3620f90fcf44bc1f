-- Makes FITS files byte by byte, as missions do and as nobody should. Big endian, blocks of 2880.
local ffi = require "ffi"
local M = {}

local function pad(text, filler)
  local rest = #text % 2880
  return rest == 0 and text or text .. filler:rep(2880 - rest)
end

-- A card from { "KEY", value }: a string, a number (whole ones as integers), true, or nil for an unset value. A text
-- is taken as a whole card.
local function card(c)
  if type(c) == "string" then return (c .. (" "):rep(80)):sub(1, 80) end
  local value = c[2]
  if type(value) == "string" then
    value = ("'%-8s'"):format(value:gsub("'", "''"))
  elseif value == true then
    value = ("%20s"):format "T"
  elseif type(value) == "number" then
    value = ("%20s"):format(c.real and ("%.10f"):format(value) or ("%d"):format(value))
  end
  return (("%-8s= %s"):format(c[1], value or "") .. (" "):rep(80)):sub(1, 80)
end

local function header(cards)
  local out = {}
  for i, c in ipairs(cards) do out[i] = card(c) end
  out[#out + 1] = card "END"
  return pad(table.concat(out), " ")
end

local function swapped(ctype, size, value)
  local bytes = ffi.string(ffi.new(ctype .. "[1]", value), size)
  return bytes:reverse()
end
local encode = {
  D = function(v) return swapped("double", 8, v) end,
  E = function(v) return swapped("float", 4, v) end,
  J = function(v) return swapped("int32_t", 4, v) end,
  I = function(v) return swapped("int16_t", 2, v) end,
  K = function(v) return swapped("int64_t", 8, v) end,
  B = function(v) return string.char(v) end,
}
local width = { D = 8, E = 4, J = 4, I = 2, K = 8, B = 1 }

-- columns: { { name=, form="D" (or "3E"), unit=, null=, values={...} } }; cards: more of them. claim: rows the
-- header claims instead of those that are there.
function M.table(columns, cards, claim)
  local n, row = #columns[1].values, 0
  local list = { { "XTENSION", "BINTABLE" }, { "BITPIX", 8 }, { "NAXIS", 2 }, false, { "NAXIS2", claim or n }, { "PCOUNT", 0 },
    { "GCOUNT", 1 }, { "TFIELDS", #columns } }
  for i, c in ipairs(columns) do
    local count, letter = c.form:match "^(%d*)(%a)"
    row = row + (tonumber(count) or 1) * width[letter]
    list[#list + 1] = { "TTYPE" .. i, c.name }
    list[#list + 1] = { "TFORM" .. i, c.form }
    if c.unit then list[#list + 1] = { "TUNIT" .. i, c.unit } end
    if c.null then list[#list + 1] = { "TNULL" .. i, c.null } end
  end
  list[4] = { "NAXIS1", row }
  for _, c in ipairs(cards or {}) do list[#list + 1] = c end
  local data = {}
  for k = 1, n do
    for _, c in ipairs(columns) do
      local count, letter = c.form:match "^(%d*)(%a)"
      for _ = 1, tonumber(count) or 1 do data[#data + 1] = encode[letter](c.values[k]) end
    end
  end
  return header(list) .. pad(table.concat(data), "\0")
end

-- An ASCII table: rows of numbers, 20 characters each.
function M.text_table(names, rows)
  local list = { { "XTENSION", "TABLE" }, { "BITPIX", 8 }, { "NAXIS", 2 }, { "NAXIS1", 20 * #names }, { "NAXIS2", #rows }, { "PCOUNT", 0 },
    { "GCOUNT", 1 }, { "TFIELDS", #names } }
  for i, name in ipairs(names) do
    list[#list + 1] = { "TTYPE" .. i, name }
    list[#list + 1] = { "TFORM" .. i, "E20.10" }
    list[#list + 1] = { "TBCOL" .. i, 20 * i - 19 }
  end
  local data = {}
  for _, row in ipairs(rows) do
    for _, value in ipairs(row) do data[#data + 1] = ("%20.10E"):format(value) end
  end
  return header(list) .. pad(table.concat(data), " ")
end

function M.primary(cards)
  local list = { { "SIMPLE", true }, { "BITPIX", 8 }, { "NAXIS", 0 }, { "EXTEND", true } }
  for _, c in ipairs(cards or {}) do list[#list + 1] = c end
  return header(list)
end

-- A light curve as TESS's: BTJD, float fluxes, QUALITY.
function M.tess(time, sap, pdcsap, quality)
  return M.primary { { "TELESCOP", "TESS" }, { "OBJECT", "TIC 261136679" }, { "TICID", 261136679 }, { "SECTOR", 1 },
    { "TEFF", 5950.5, real = true }, { "RADIUS", nil } } ..
    M.table({ { name = "TIME", form = "D", unit = "BJD - 2457000, days", values = time },
      { name = "SAP_FLUX", form = "E", unit = "e-/s", values = sap }, { name = "PDCSAP_FLUX", form = "E", unit = "e-/s", values = pdcsap },
      { name = "QUALITY", form = "J", values = quality } },
      { { "EXTNAME", "LIGHTCURVE" }, { "BJDREFI", 2457000 }, { "BJDREFF", 0, real = true }, { "TIMEUNIT", "d" } })
end

-- The same with every column and the usual keys of the mission's files. Fluxes are relative to 1; a flux that is NaN is of a
-- cadence without data; error: relative.
function M.tess_whole(time, flux, quality, error)
  local level, nan, n = 21345.5, 0 / 0, #time
  local function column(name, form, unit, value)
    local values = {}
    for i = 1, n do values[i] = value(i) end
    return { name = name, form = form, unit = unit, values = values }
  end
  local function electrons(i) return level * flux[i] end
  local function steady(value) return function(i) return flux[i] == flux[i] and value or nan end end
  local columns = { column("TIME", "D", "BJD - 2457000, days", function(i) return time[i] end),
    column("TIMECORR", "E", "d", function(i) return 1e-3 + 1e-6 * i end), column("CADENCENO", "J", nil, function(i) return 70444 + i end),
    column("SAP_FLUX", "E", "e-/s", function(i) return electrons(i) * (0.97 + 0.05 * i / n) end), -- drifts
    column("SAP_FLUX_ERR", "E", "e-/s", steady(level * error)), column("SAP_BKG", "E", "e-/s", steady(812.25)),
    column("SAP_BKG_ERR", "E", "e-/s", steady(1.5)), column("PDCSAP_FLUX", "E", "e-/s", electrons),
    column("PDCSAP_FLUX_ERR", "E", "e-/s", steady(level * error)), column("QUALITY", "J", nil, function(i) return quality[i] end) }
  for _, name in ipairs { "PSF_CENTR1", "PSF_CENTR2", "MOM_CENTR1", "MOM_CENTR2" } do
    columns[#columns + 1] = column(name, "D", "pixel", steady(1044.5))
    columns[#columns + 1] = column(name .. "_ERR", "E", "pixel", steady(1e-3))
  end
  for _, name in ipairs { "POS_CORR1", "POS_CORR2" } do columns[#columns + 1] = column(name, "E", "pixel", steady(0.01)) end
  local star = { { "TELESCOP", "TESS" }, { "INSTRUME", "TESS Photometer" }, { "OBJECT", "TIC 261136679" }, { "TICID", 261136679 },
    { "SECTOR", 1 }, { "CAMERA", 4 }, { "CCD", 1 }, { "TESSMAG", 5.105, real = true }, { "TEFF", 5950.5, real = true },
    { "LOGG", nil }, { "RADIUS", 1.1, real = true } }
  return M.primary(star) .. M.table(columns, { { "EXTNAME", "LIGHTCURVE" }, { "TELESCOP", "TESS" }, { "TIMEREF", "SOLARSYSTEM" },
    { "TASSIGN", "SPACECRAFT" }, { "TIMESYS", "TDB" }, { "BJDREFI", 2457000 }, { "BJDREFF", 0, real = true }, { "TIMEUNIT", "d" },
    { "EXPOSURE", 20.4, real = true }, { "TSTART", time[1], real = true }, { "TSTOP", time[n], real = true } })
end

return M
