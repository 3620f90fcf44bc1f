-- lightcurve/lc.h: FITS light curves: TESS, Kepler, generic tables, files that are broken.
local ffi = require "ffi"
local T = require "spec.support"
local fits = require "spec.engine.lightcurve_fits_maker"
T.cdef "engine/lightcurve/lc.h"
ffi.cdef "char *json_dumps(const json_t *, size_t);"
local C = ffi.C
local BAD, nan = 1, 0 / 0

local err
local held = {}
before_each(function() err = ffi.new "eas_err" end)
after_each(function()
  for _, lc in ipairs(held) do C.eas_lc_free(lc) end
  held = {}
end)

local function text() return ffi.string(err.text) .. " | " .. ffi.string(err.hint) end
local function parse(bytes, o, name)
  local box = ffi.new "eas_lc *[1]"
  local set = ffi.new("eas_lc_options", o and o.flux, o and o.quality, o and o.columns)
  local rc = C.eas_lc_parse_fits(box, bytes, #bytes, name or "lc.fits", set, err)
  if rc ~= 0 then return nil, rc end
  held[#held + 1] = box[0]
  local json = C.json_dumps(box[0].metadata, 0xa0)
  local metadata = ffi.string(json)
  C.free(json)
  return box[0].c, metadata
end
local function good(...)
  local c, metadata = parse(...)
  assert.is_truthy(c, text())
  return c, metadata
end
local function refused(code, words, bytes, o)
  local c, rc = parse(bytes, o)
  assert.is_nil(c)
  assert.equal(code, rc, text())
  for _, word in ipairs(type(words) == "table" and words or { words }) do
    assert.is_truthy(text():find(word, 1, true), text())
  end
end
local function column(values, n)
  local out = {}
  for i = 0, tonumber(n) - 1 do out[i + 1] = tonumber(values[i]) end
  return out
end
local function used(c)
  local n = 0
  for i = 0, tonumber(c.n) - 1 do n = n + (c.flag[i] == 0 and 1 or 0) end
  return n
end

describe("a TESS light curve", function()
  local time, sap, pdc, quality = { 1325.25, 1325.5, nan, 1325.75, 1326 }, { 10, 11, 12, 13, 14 }, { 20, nan, 22, 23, 24 }, { 0, 0, 0, 128, 2048 }
  local bytes = fits.tess(time, sap, pdc, quality)

  it("gives PDCSAP, what is bad marked and nothing dropped", function()
    local c, metadata = good(bytes)
    assert.equal(5, tonumber(c.n))
    assert.same({ 0, BAD, BAD, BAD, 0 }, column(c.flag, c.n))
    assert.same({ 1325.25, 20, 24 }, { c.time[0], c.flux[0], c.flux[4] })
    assert.is_true(c.flux_err[0] ~= c.flux_err[0], "no PDCSAP_FLUX_ERR: unknown")
    assert.equal('{"flux_column":"PDCSAP_FLUX","format":"fits","mission":"TESS","object":"TIC 261136679","quality_mask":1775,"sector":1,' ..
      '"targetid":261136679,"teff":5950.5,"time_offset":2457000.0,"time_system":"BTJD"}', metadata)
  end)

  it("gives SAP, or any column, when asked", function()
    assert.same({ 10, 11, 12, 13, 14 }, column(good(bytes, { flux = "sap" }).flux, 5))
    assert.same({ 10, 11, 12, 13, 14 }, column(good(bytes, { flux = "sap_flux" }).flux, 5))
    local c = good(bytes, { columns = "time,sap_flux,pdcsap_flux" })
    assert.equal(24, c.flux_err[4])
    refused(C.EAS_EINVAL, { "lc.fits: HDU 1: no column 'KSPSAP'", "columns: TIME, SAP_FLUX, PDCSAP_FLUX, QUALITY" }, bytes, { flux = "KSPSAP" })
  end)

  it("marks what the mask says", function()
    assert.same({ 0, BAD, BAD, 0, 0 }, column(good(bytes, { quality = "none" }).flag, 5))
    assert.same({ 0, BAD, BAD, BAD, BAD }, column(good(bytes, { quality = "hard" }).flag, 5))
    assert.same({ 0, BAD, BAD, 0, BAD }, column(good(bytes, { quality = "2048" }).flag, 5))
    assert.same({ 0, BAD, BAD, 0, BAD }, column(good(bytes, { quality = "0x800" }).flag, 5))
    refused(C.EAS_EINVAL, { "quality 'best'", "use default, hard, none, lightkurve or a number" }, bytes, { quality = "best" })
    refused(C.EAS_EINVAL, "quality '-1'", bytes, { quality = "-1" })
    local flags, t, f = {}, {}, {}
    for i = 0, 15 do flags[i + 1], t[i + 1], f[i + 1] = 2 ^ i, i, 1 end
    local all = fits.tess(t, f, f, flags)
    local function masked(name)
      local sum, c = 0, good(all, { quality = name })
      for i = 0, 15 do sum = sum + (c.flag[i] == BAD and 2 ^ i or 0) end
      return sum
    end
    assert.same({ 175, 1775, 7919, 0 }, { masked "lightkurve", masked "default", masked "hard", masked "none" })
  end)

  it("without its column says which there are", function()
    local only = fits.primary() .. fits.table({ { name = "TIME", form = "D", values = { 1 } }, { name = "SAP_FLUX", form = "E", values = { 1 } } })
    refused(C.EAS_EINVAL, { "lc.fits: HDU 1: no column 'PDCSAP_FLUX'", "columns: TIME, SAP_FLUX; use --flux sap" }, only, { flux = "pdcsap" })
    assert.equal(1, good(only).flux[0], "the best there is")
  end)

  it("gives plain NaNs, whatever the file's are", function()
    local odd = ffi.new("uint32_t[1]", 0xffffffff)
    local c = good(fits.primary() .. fits.table { { name = "TIME", form = "D", values = { 1, 2 } }, { name = "FLUX", form = "J", values = { 1, 2 } } })
    assert.equal(2, c.flux[1])
    local raw = fits.primary() .. fits.table { { name = "TIME", form = "D", values = { 1, 2 } }, { name = "FLUX", form = "E", values = { 1, 123456 } } }
    local at = raw:find(ffi.string(ffi.new("float[1]", 123456), 4):reverse(), 1, true)
    raw = raw:sub(1, at - 1) .. ffi.string(odd, 4) .. raw:sub(at + 4)
    c = good(raw)
    assert.equal(BAD, c.flag[1])
    assert.equal(0x7ff80000, tonumber(ffi.cast("uint32_t *", c.flux)[3]))
    assert.equal(0, tonumber(ffi.cast("uint32_t *", c.flux)[2]))
  end)
end)

describe("a generic table", function()
  local function generic(columns, cards) return fits.primary() .. fits.table(columns, cards) end

  it("is read by the names of its columns, in any HDU", function()
    local bytes = fits.primary() .. fits.table { { name = "X", form = "D", values = { 1 } } } ..
      fits.table({ { name = "flag", form = "I", values = { 0, 1 } }, { name = "bjd", form = "D", unit = "d", values = { 1, 2 } },
        { name = "Flux", form = "E", values = { 5, 6 } }, { name = "Error", form = "E", values = { 0.5, 0.25 } } })
    local c, metadata = good(bytes)
    assert.same({ 5, 6 }, column(c.flux, 2))
    assert.same({ 0.5, 0.25 }, column(c.flux_err, 2))
    assert.same({ 0, BAD }, column(c.flag, 2))
    assert.equal('{"flux_column":"Flux","format":"fits","quality_mask":-1}', metadata)
  end)

  it("may count hours or seconds", function()
    for unit, scale in pairs { h = 24, s = 86400, min = 1440, [""] = 1, day = 1, ["BJD - 2454833"] = 1 } do
      local c = good(generic { { name = "TIME", form = "D", unit = unit, values = { 0, 12 } }, { name = "FLUX", form = "D", values = { 1, 1 } } })
      assert.is_true(math.abs(c.time[1] - 12 / scale) < 1e-15, unit)
    end
    local c = good(generic({ { name = "TIME", form = "D", values = { 0, 86400 } }, { name = "FLUX", form = "D", values = { 1, 1 } } },
      { { "TIMEUNIT", "s" } }))
    assert.equal(1, c.time[1])
    refused(C.EAS_EFORMAT, "HDU 1: time in 'furlong'", generic { { name = "TIME", form = "D", unit = "furlong", values = { 0 } },
      { name = "FLUX", form = "D", values = { 1 } } })
    local _, metadata = good(generic { { name = "TIME", form = "D", unit = "BJD - 2454833", values = { 0 } }, { name = "FLUX", form = "D", values = { 1 } } })
    assert.is_truthy(metadata:find('"time_offset":2454833.0,"time_system":"BKJD"', 1, true), metadata)
  end)

  it("may hold whole numbers, nulls among them", function()
    local c = good(generic { { name = "TIME", form = "J", values = { 1, 2, 3 } }, { name = "FLUX", form = "I", null = -99, values = { 7, -99, 9 } },
      { name = "QUALITY", form = "K", null = -1, values = { 0, 0, -1 } } })
    assert.same({ 0, BAD, 0 }, column(c.flag, 3))
    assert.same({ 7, 9 }, { c.flux[0], c.flux[2] })
  end)

  it("may be scaled, or bytes, or of text", function()
    local columns = { { name = "TIME", form = "D", values = { 1, 2 } }, { name = "FLUX", form = "I", null = -5, values = { 7, -5 } },
      { name = "FLUX_ERR", form = "B", values = { 200, 3 } }, { name = "QUALITY", form = "I", values = { 0, 4 } } }
    local c = good(generic(columns, { { "TSCAL2", 2 }, { "TZERO2", 1 } }))
    assert.same({ 15, 200, 3, 0 }, { c.flux[0], c.flux_err[0], c.flux_err[1], c.flag[0] })
    assert.is_true(c.flux[1] ~= c.flux[1], "a null is null before it is scaled")
    assert.equal(BAD, c.flag[1])
    c = good(generic(columns))
    assert.same({ 7, 200, 3, 0 }, { c.flux[0], c.flux_err[0], c.flux_err[1], c.flag[0] })
    local ascii = fits.primary() .. fits.text_table({ "TIME", "FLUX" }, { { 1.5, 0.25 }, { 2.5, -1e10 } })
    c = good(ascii)
    assert.same({ 1.5, 2.5, 0.25, -1e10 }, { c.time[0], c.time[1], c.flux[0], c.flux[1] })
    refused(C.EAS_EFORMAT, "lies outside of its row", (ascii:gsub("TBCOL2  =                   21", "TBCOL2  =                   99")))
  end)

  it("out of order is sorted, once, and says so", function()
    local c, metadata = good(generic { { name = "TIME", form = "D", values = { 3, 1, nan, 2, 1 } },
      { name = "FLUX", form = "D", values = { 30, 10, 15, 20, 11 } } })
    assert.same({ 10, 15, 20, 30 }, column(c.flux, c.n))
    assert.same({ 4, 5, 1 }, { tonumber(c.n), tonumber(c.n_rows), tonumber(c.n_duplicate) })
    assert.is_truthy(metadata:find('"time_sorted":true', 1, true))
  end)

  it("may be empty", function()
    assert.equal(0, tonumber(good(generic { { name = "TIME", form = "D", values = {} }, { name = "FLUX", form = "D", values = {} } }).n))
  end)

  it("with vectors or words where numbers belong is refused", function()
    refused(C.EAS_EFORMAT, "HDU 1: column 2 (flux): 3 values a row, 1 expected", generic { { name = "TIME", form = "D", values = { 1 } },
      { name = "FLUX", form = "3E", values = { 1 } } })
    local words = generic({ { name = "TIME", form = "D", values = { 1 } }, { name = "FLUX", form = "8B", values = { 65 } } }):gsub("'8B      '", "'8A      '")
    refused(C.EAS_EFORMAT, "column 2 (flux): holds no numbers", words)
    refused(C.EAS_EINVAL, { "no column 'TIME'", "columns: X" }, generic { { name = "X", form = "D", values = { 1 } } })
    refused(C.EAS_EINVAL, { "no column 'FLUX'" }, generic { { name = "TIME", form = "D", values = { 1 } } })
  end)
end)

describe("a broken file", function()
  local time, flux = {}, {}
  for i = 1, 3000 do time[i], flux[i] = i, 1 end
  local columns = { { name = "TIME", form = "D", values = time }, { name = "FLUX", form = "D", values = flux } }
  local whole = fits.primary() .. fits.table(columns)

  it("that is cut short is refused, wherever", function()
    for _, n in ipairs { 0, 1, 80, 2879, 2880, 2881, 5759, 5760, 5761, 20000, #whole - 2880 } do
      local c, rc = parse(whole:sub(1, n))
      assert.is_nil(c, n)
      assert.is_true(rc < 0)
      assert.is_truthy(text():find("lc.fits", 1, true), text())
    end
    refused(C.EAS_EFORMAT, { "lc.fits: HDU 1: 3000 rows of 16 bytes", "the file ends early" }, whole:sub(1, 20000))
  end)

  it("that claims more rows than there are is refused before memory is taken", function()
    refused(C.EAS_EFORMAT, "ends early", fits.primary() .. fits.table(columns, nil, 40000000))
    refused(C.EAS_EFORMAT, "ends early", fits.primary() .. fits.table(columns, nil, 2000000000))
    local dir, box = T.tmpdir(), ffi.new "eas_lc *[1]"
    T.write(dir .. "/huge.fits", fits.primary() .. fits.table(columns, nil, 60000000))
    T.sh(("truncate -s 960005760 %s/huge.fits"):format(dir)) -- takes no room
    assert.equal(C.EAS_ELIMIT, C.eas_lc_read(box, dir .. "/huge.fits", nil, err))
    assert.is_truthy(text():find("60000000 rows: the limit is 50000000", 1, true), text())
  end)

  it("without a table, or of other kinds, is refused", function()
    refused(C.EAS_EFORMAT, "lc.fits: no table in 1 HDU", fits.primary())
    refused(C.EAS_EFORMAT, "lc.fits: HDU 0: the file ends early", "SIMPLE  = garbage")
    refused(C.EAS_EFORMAT, "lc.fits: HDU 0: header card 1: SIMPLE is expected", ("x"):rep(10000))
  end)

  it("with a malformed header is refused before cfitsio falls over it", function()
    local function table_with(card) return fits.primary() .. fits.table(columns, { card }) end
    local words = "a text in quotes is expected"
    refused(C.EAS_EFORMAT, { "HDU 1: header card 13: ", words }, table_with("TTYPE3  = " .. ("x"):rep(70)))
    refused(C.EAS_EFORMAT, words, table_with "TFORM3  = 'D")
    refused(C.EAS_EFORMAT, "holds bytes that are no text", table_with "TUNIT1  = '\1'")
    refused(C.EAS_EFORMAT, "a whole number is expected", table_with "NAXIS2  = 3.5")
    refused(C.EAS_EFORMAT, "is less than 0", table_with "PCOUNT  = -1")
    refused(C.EAS_EFORMAT, "its size makes no sense", table_with "NAXIS2  = 900000000000000000")
    refused(C.EAS_EFORMAT, "its size makes no sense", table_with "BITPIX  = 7")
  end)

  it("with rubbish after its table is read all the same", function()
    assert.equal(3000, tonumber(good(whole .. ("rubbish"):rep(1000)).n))
    assert.equal(3000, tonumber(good(whole:sub(1, 2880 * 2 + 48000)).n), "a last block that is not whole")
  end)

  it("in a file is told by its name, also gzipped; cfitsio's filters in names mean nothing", function()
    local dir = T.tmpdir()
    local box = ffi.new "eas_lc *[1]"
    T.write(dir .. "/a[1][TIME<3].fits", whole)
    assert.equal(0, C.eas_lc_read(box, dir .. "/a[1][TIME<3].fits", nil, err), text())
    assert.equal(3000, tonumber(box[0].c.n))
    C.eas_lc_free(box[0])
    T.write(dir .. "/b", whole)
    T.sh(("gzip -c %s/b > %s/c"):format(dir, dir))
    assert.equal(0, C.eas_lc_read(box, dir .. "/c", nil, err), text())
    assert.equal(3000, tonumber(box[0].c.n))
    C.eas_lc_free(box[0])
    T.write(dir .. "/d.fits", whole:sub(1, 20000))
    assert.equal(C.EAS_EFORMAT, C.eas_lc_read(box, dir .. "/d.fits", nil, err))
    assert.is_truthy(text():find(dir .. "/d.fits: HDU 1", 1, true), text())
    assert.equal(C.EAS_ENOENT, C.eas_lc_read_fits(box, "http://nowhere.invalid/x.fits", nil, err))
  end)
end)

describe("the real Kepler file", function()
  it("gives what astropy gave the reference", function()
    local path = T.reference "fits/kplr010666592-2009131110544_slc.fits"
    T.skip_unless(path, "no reference data")
    local box = ffi.new "eas_lc *[1]"
    assert.equal(0, C.eas_lc_read(box, path, nil, err), text())
    local lc = box[0]
    held[1] = lc
    assert.same({ 14280, 14280, 0 }, { tonumber(lc.c.n), tonumber(lc.c.n_rows), tonumber(lc.c.n_duplicate) })
    assert.equal(13203, used(lc.c))
    local clean = ffi.new "eas_lc *[1]"
    assert.equal(0, C.eas_lc_clean(clean, lc, err))
    held[2] = clean[0]
    local reference = ffi.new "eas_lc *[1]"
    assert.equal(0, C.eas_lc_read(reference, T.reference "lightcurves/r04_hat-p-7_kepler_short.txt.gz", nil, err), text())
    held[3] = reference[0]
    local a, b = clean[0].c, reference[0].c
    assert.equal(13203, tonumber(a.n))
    assert.equal(13203, tonumber(b.n))
    for i = 0, 13202 do -- 9 and 10 decimals; 1034823.75 is the median
      if math.abs(a.time[i] - b.time[i]) > 5.0001e-10 or math.abs(a.flux[i] / 1034823.75 - b.flux[i]) > 5.0001e-11 or
        math.abs(a.flux_err[i] / 1034823.75 - b.flux_err[i]) > 5.0001e-11 then
        error("sample " .. i)
      end
    end
    local json = C.json_dumps(lc.metadata, 0xa0)
    local metadata = ffi.string(json)
    C.free(json)
    for _, word in ipairs { '"mission":"Kepler"', '"object":"KIC 10666592"', '"targetid":10666592', '"obsmode":"short cadence"', '"time_system":"BKJD"',
      '"time_offset":2454833.0', '"flux_column":"PDCSAP_FLUX"', '"quarter":0' } do
      assert.is_truthy(metadata:find(word, 1, true), metadata)
    end
    local sap = ffi.new("eas_lc_options", "sap", "lightkurve", nil)
    assert.equal(0, C.eas_lc_read(box, path, sap, err))
    held[4] = box[0]
    assert.equal(14238, used(box[0].c))
  end)
end)
