-- lightcurve/lc.h: text light curves: the prototype's, the stitching group's, plain columns.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/lightcurve/lc.h"
ffi.cdef "char *json_dumps(const json_t *, size_t); int mkfifo(const char *, unsigned);"
local C = ffi.C
local BAD = 1

local err, dir
local held = {}
before_each(function()
  err = ffi.new "eas_err"
  dir = T.tmpdir()
end)
after_each(function()
  for _, lc in ipairs(held) do C.eas_lc_free(lc) end
  held = {}
end)

local function message() return ffi.string(err.text) end
local function hint() return ffi.string(err.hint) end
local function keep(box)
  held[#held + 1] = box[0]
  return box[0].c, box[0]
end
local function options(o)
  return o and ffi.new("eas_lc_options", o.flux, o.quality, o.columns)
end
local function parse(text, o)
  local box = ffi.new "eas_lc *[1]"
  local rc = C.eas_lc_parse_text(box, text, #text, "lc.txt", options(o), err)
  assert.equal(0, rc, message())
  return keep(box)
end
local function read(path, o)
  local box = ffi.new "eas_lc *[1]"
  local rc = C.eas_lc_read(box, path, options(o), err)
  assert.equal(0, rc, message())
  return keep(box)
end
local function metadata(lc)
  local text = C.json_dumps(lc.metadata, 0x80 + 0x20) -- sorted, compact
  local s = ffi.string(text)
  C.free(text)
  return s
end
-- Fails with this code; text and hint hold these words.
local function refused(code, text, words, o)
  local box = ffi.new "eas_lc *[1]"
  local rc = C.eas_lc_parse_text(box, text, #text, "lc.txt", options(o), err)
  if rc == 0 then C.eas_lc_free(box[0]) end
  assert.equal(code, rc, text:sub(1, 60))
  for _, word in ipairs(type(words) == "table" and words or { words }) do
    assert.is_truthy((message() .. " | " .. hint()):find(word, 1, true), message() .. " | " .. hint())
  end
end
local function column(values, n)
  local out = {}
  for i = 0, tonumber(n) - 1 do out[i + 1] = tonumber(values[i]) end
  return out
end

describe("plain columns", function()
  it("are days, flux and error", function()
    local c, lc = parse "# a comment\n# time[days] flux flux_err\n0.5 1.25 0.001\n1.0 0.75 0.002\n"
    assert.same({ 0.5, 1 }, column(c.time, c.n))
    assert.same({ 1.25, 0.75 }, column(c.flux, c.n))
    assert.same({ 0.001, 0.002 }, column(c.flux_err, c.n))
    assert.same({ 0, 0 }, column(c.flag, c.n))
    assert.equal('{"format":"text"}', metadata(lc))
  end)

  it("may be two, without a heading, with blank lines, blanks, tabs, CRLF and no last newline", function()
    local c = parse "\n  1\t2\r\n\n \t\n3   4   # a remark\r\n# in between\n5 6"
    assert.same({ 1, 3, 5 }, column(c.time, c.n))
    assert.same({ 2, 4, 6 }, column(c.flux, c.n))
    assert.is_true(c.flux_err[0] ~= c.flux_err[0], "unknown error")
  end)

  it("may be separated by commas, with a line of names", function()
    local c = parse '\239\187\191time,flux,flux_err\n1,2,0.5\n 2 , 3 , 0.5\n3;4;0.5\n'
    assert.same({ 1, 2, 3 }, column(c.time, c.n))
    assert.same({ 0.5, 0.5, 0.5 }, column(c.flux_err, c.n))
  end)

  it("are found by name among others", function()
    local c = parse "star,BJD,raw,flux,flux_err,quality\nKIC 7, 10,7,1,0.1,0\nA b c,11,7,2,0.1,64\n"
    assert.same({ 10, 11 }, column(c.time, c.n))
    assert.same({ 1, 2 }, column(c.flux, c.n))
    assert.same({ 0, BAD }, column(c.flag, c.n))
    c = parse("star,BJD,raw,flux,flux_err,quality\nA,10,7,1,0.1,0\nA,11,7,2,0.1,64\n", { columns = "bjd,raw", quality = "none" })
    assert.same({ 7, 7 }, column(c.flux, c.n))
    assert.same({ 0, 0 }, column(c.flag, c.n))
  end)

  it("are found by number", function()
    local c = parse("9 1 5 0.1 x\n9 2 6 0.1 y\n", { columns = "2,3,4" })
    assert.same({ 1, 2 }, column(c.time, c.n))
    assert.same({ 5, 6 }, column(c.flux, c.n))
    assert.same({ 0.1, 0.1 }, column(c.flux_err, c.n))
  end)

  it("may count seconds if their heading says so", function()
    local c = parse "# time[s] flux\n0 1\n43200 1\n"
    assert.same({ 0, 0.5 }, column(c.time, c.n))
    c = parse "Time (sec),Flux\n86400,1\n172800,1\n"
    assert.same({ 1, 2 }, column(c.time, c.n))
    c = parse "time (min),flux\n720,1\n1440,1\n"
    assert.same({ 0.5, 1 }, column(c.time, c.n))
    refused(C.EAS_EFORMAT, "time[furlong] flux\n1 2\n", "time in '[furlong]': days, hours")
  end)

  it("take nan, inf and empty fields as bad samples that keep their place", function()
    local c = parse "1,NaN,0.1\n2,inf,0.1\n3,,0.1\nnan,4,0.1\n5,5,nan\n"
    assert.same({ BAD, BAD, BAD, BAD, 0 }, column(c.flag, c.n))
    assert.equal(5, tonumber(c.n_rows))
    assert.equal(5, c.time[4])
  end)

  it("keep the first of equal times and count the others", function()
    local c = parse "1 1\n1 2\n1 3\n2 4\nnan 5\n2 6\n3 7\n"
    assert.same({ 1, 4 }, { c.flux[0], c.flux[1] })
    assert.same({ 4, 7, 3 }, { tonumber(c.n), tonumber(c.n_rows), tonumber(c.n_duplicate) })
  end)
end)

describe("the prototype's text", function()
  local function seconds(days, flux, flag, sigma) return ("%.18e %.18e %.18e %.18e\n"):format(days * 86400, flux, flag, sigma) end

  it("counts seconds: time flux flag error", function()
    local c, lc = parse("# no heading is needed\n" .. seconds(0.25, 0.999, 0, 1e-4) .. seconds(0.5, 1.001, 1, 2e-4) .. seconds(0.75, 1, 6, 2e-4))
    assert.same({ 0.25, 0.5, 0.75 }, column(c.time, c.n))
    assert.same({ 0.999, 1.001, 1 }, column(c.flux, c.n))
    assert.same({ 1e-4, 2e-4, 2e-4 }, column(c.flux_err, c.n))
    assert.same({ 0, 1, 6 }, column(c.flag, c.n))
    assert.equal('{"format":"prototype"}', metadata(lc))
    c = parse(seconds(0.25, 0.999, 1, 1e-4), { quality = "none" })
    assert.equal(0, c.flag[0])
  end)

  it("with the flux in the place of flags has none", function()
    local lines = {}
    for i = 1, 40 do lines[i] = seconds(i / 96, 1 - i * 1e-5, 1 - i * 1e-5, 0) end
    lines[30] = seconds(30 / 96, 1, 1, 0)
    local c, lc = parse(table.concat(lines))
    for i = 0, 39 do assert.equal(0, c.flag[i], i) end
    assert.equal('{"flags_repaired":true,"format":"prototype"}', metadata(lc))
  end)

  it("with one row that differs has flags, and what is no flag is bad", function()
    local c = parse(seconds(0, 0.9, 0.9, 0) .. seconds(1, 0.9, 0, 0) .. seconds(2, 0.9, -1, 0) .. seconds(3, 1, 5e9, 0))
    assert.same({ BAD, 0, BAD, BAD }, column(c.flag, c.n))
  end)

  it("snaps to the step what rounding to seconds moved", function()
    local lines = {}
    for i = 0, 99 do lines[i + 1] = ("%.18e 1 0 0\n"):format(i * 25 / 86400 * 86400 + (i % 3 - 1) * 2e-9) end
    lines[1] = "0 1 0 0\n"
    lines[51] = ("%.18e 1 0 0\n"):format(50 * 25 + 0.01) -- no rounding
    local c = parse(table.concat(lines))
    for i = 0, 99 do
      if i ~= 50 then assert.equal(i * 25 / 86400, c.time[i], i) end
    end
    assert.is_true(math.abs(c.time[50] - (50 * 25 + 0.01) / 86400) < 1e-14)
  end)
end)

describe("the stitching group's text", function()
  it("is days, flux, flag, with metadata above", function()
    local c, lc = parse "# #star_radius=0.9\n# #count=3\n# #name=PIC 12 = b\n# #empty=\n# #no pair\n0.0,1.0,0\n0.5,0.9,1\n1.0,1.0,0\n"
    assert.same({ 0, 0.5, 1 }, column(c.time, c.n))
    assert.same({ 0, BAD, 0 }, column(c.flag, c.n))
    assert.is_true(c.flux_err[0] ~= c.flux_err[0])
    assert.equal('{"count":3,"empty":"","format":"lcsg","name":"PIC 12 = b","star_radius":0.90000000000000002}', metadata(lc))
  end)

  it("is known without metadata by whole numbers in its third column", function()
    local c, lc = parse "0.0,1.0,0\n0.5,0.9,2\n"
    assert.same({ 0, 2 }, column(c.flag, c.n))
    assert.equal('{"format":"lcsg"}', metadata(lc))
    c = parse "0.0,1.0,0\n0.5,0.9,0.25\n"
    assert.same({ 0, 0.25 }, column(c.flux_err, c.n))
  end)
end)

describe("a bad file", function()
  it("is refused by line, with the remedy", function()
    local F, I = C.EAS_EFORMAT, C.EAS_EINVAL
    refused(F, "", { "lc.txt: no rows: the file is empty" })
    refused(F, "# only\n\n# comments\n", { "no rows: only comments or blank lines" })
    refused(F, "time flux\n", "no line of numbers")
    refused(F, "1 2\n3 x4\n", { "lc.txt: line 2: 'x4' is not a number" })
    refused(F, "1 2\n\n# c\n3 4x\n", { "line 4: '4x' is not a number" })
    refused(F, "1 2\n3 4 5\n", "line 2: 3 columns, 2 expected")
    refused(F, "1 2 3\n3 4\n", "line 2: 2 columns, 3 expected")
    refused(F, "2 1\n1 1\n", { "line 2: time goes back from 2.000000000 to 1.000000000 d", "sort the file" })
    refused(F, "1\n2\n", { "line 1: 1 column: which is time", "--columns 1,2,3" })
    refused(F, "1 2 3 4 5\n", { "5 columns: which is time", "--columns" })
    refused(F, "hello world\nthis is no light curve\n", { "line 2: 'this' is not a number", "a light curve is FITS or text" })
    refused(F, "{\"json\": 1}\n", "is not a number")
    refused(F, "1 2\0\n", "is not a number")
    refused(F, "\0\0\0\0", "is not a number")
    refused(F, "1 0x10\n", "'0x10' is not a number")
    refused(I, "time,flux\n1,2\n", { "no column 'sap'", "the line of names is 'time,flux'" }, { columns = "time,sap" })
    refused(I, "1 2\n", { "no column 3", "it has 2 columns" }, { columns = "1,3" })
    refused(I, "1 2\n", { "names no time and flux" }, { columns = "1" })
    refused(I, "1 2\n", { "no column 'a'" }, { columns = "1,a" })
    refused(F, ("1 "):rep(100) .. "\n", "more than 64 columns")
    refused(F, "1 2\n" .. ("9"):rep(400000), "64 KB")
  end)

  it("of other things is refused by name", function()
    local box = ffi.new "eas_lc *[1]"
    assert.equal(C.EAS_ENOENT, C.eas_lc_read(box, dir .. "/none", nil, err))
    assert.equal(("%s/none: no such file"):format(dir), message())
    assert.equal(C.EAS_EFORMAT, C.eas_lc_read(box, dir, nil, err))
    assert.is_truthy(message():find("folder", 1, true))
    T.skip_unless(C.geteuid() ~= 0, "root reads everything")
    T.write(dir .. "/closed", "1 2\n")
    C.chmod(dir .. "/closed", 0)
    assert.equal(C.EAS_EIO, C.eas_lc_read(box, dir .. "/closed", nil, err))
    assert.is_truthy(message():find("permission denied", 1, true))
  end)
end)

describe("gzip, large enough to be inflated by a thread of its own,", function()
  local text = {}
  for i = 1, 100000 do text[i] = ("%.9f %.9f"):format(i * 0.01, 1 + math.sin(i)) end
  text = table.concat(text, "\n") .. "\n"

  it("is known by its contents, and gives the same", function()
    T.write(dir .. "/a", text)
    assert.equal(0, T.sh(("cd %s && gzip -c a > b"):format(dir)).status)
    local a, b = read(dir .. "/a"), read(dir .. "/b")
    assert.equal(100000, tonumber(a.n))
    for _, name in ipairs { "time", "flux" } do
      assert.equal(ffi.string(a[name], 800000), ffi.string(b[name], 800000))
    end
  end)

  it("with a bad row in its middle is refused by line", function()
    local at = text:find("\n500.000000000 ", 1, true)
    T.write(dir .. "/x", text:sub(1, at) .. "oops\n" .. text:sub(at + 1))
    T.sh(("gzip %s/x"):format(dir))
    local box = ffi.new "eas_lc *[1]"
    assert.equal(C.EAS_EFORMAT, C.eas_lc_read(box, dir .. "/x.gz", nil, err))
    assert.is_truthy(message():find("x.gz: line 50000: 'oops' is not a number", 1, true), message())
  end)

  it("may have several members, and padding", function()
    T.sh(("cd %s && (echo 1 2 | gzip; echo 3 4 | gzip; printf '\\0\\0\\0') > x"):format(dir))
    assert.same({ 1, 3 }, column(read(dir .. "/x").time, 2))
  end)

  it("that is cut short or damaged is refused", function()
    T.write(dir .. "/a", text)
    T.sh(("cd %s && gzip a"):format(dir))
    local whole = T.read(dir .. "/a.gz")
    local box = ffi.new "eas_lc *[1]"
    for _, n in ipairs { 2, 9, 11, 1000, 400000, #whole - 9, #whole - 1 } do
      T.write(dir .. "/cut.gz", whole:sub(1, n))
      assert.equal(C.EAS_EFORMAT, C.eas_lc_read(box, dir .. "/cut.gz", nil, err), n)
      assert.is_truthy(message():find("gzip data end early: the file is cut short", 1, true), message())
    end
    T.write(dir .. "/bad.gz", whole:sub(1, 5000) .. "\255\255\255\255" .. whole:sub(5005))
    assert.equal(C.EAS_EFORMAT, C.eas_lc_read(box, dir .. "/bad.gz", nil, err))
    T.write(dir .. "/sum.gz", whole:sub(1, #whole - 8) .. "\1\2\3\4" .. whole:sub(#whole - 3))
    assert.equal(C.EAS_EFORMAT, C.eas_lc_read(box, dir .. "/sum.gz", nil, err))
    assert.is_truthy(message():find("gzip data are damaged", 1, true), message())
  end)
end)

describe("eas_lc_read_sidecar", function()
  local function sidecar(text)
    if text then T.write(dir .. "/lc.gz.metadata.cfg", text) end
    local box = ffi.new "json_t *[1]"
    local rc = C.eas_lc_read_sidecar(dir .. "/lc.gz", box, err)
    return rc == 0 and metadata { metadata = box[0] } or message(), rc
  end

  it("reads [metadata], keeping whole numbers whole", function()
    assert.equal("{}", sidecar())
    assert.equal('{"binary":0,"mes":238.9,"name":"a: b","orbital_period":50.0,"x":"inf","y":-3,"z":""}',
      (sidecar "; c\n[other]\na: 1\n[metadata]\nbinary: 0\nmes = 238.9\norbital_period: 50.0\nname: a: b\nx: inf\ny=-3\nz:\n# c\n[end]\nb: 1\n"
        :gsub("238.90000000000001", "238.9")))
  end)

  it("says what it does not understand", function()
    for text, word in pairs {
      [""] = "no section [metadata]", ["[metadata]\nx\n"] = ":2: 'key: value' expected", ["[metadata]\n: 1\n"] = "without a key",
      ["[metadata]\na: 1\na: 2\n"] = ":3: 'a' is there twice", ["[metadata]\na: \255\n"] = "UTF-8",
    } do
      local got, rc = sidecar(text)
      assert.equal(C.EAS_EFORMAT, rc)
      assert.is_truthy(got:find(word, 1, true), got)
    end
  end)
end)
