-- lightcurve/lc.h: what is written comes back, bit for bit; copies; the public reference light curves.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/lightcurve/lc.h"
ffi.cdef [[
char *json_dumps(const json_t *, size_t);
json_t *json_loads(const char *, size_t, void *);
int json_equal(const json_t *, const json_t *);
int json_object_update(json_t *, json_t *);
]]
local C = ffi.C

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
local function new(n)
  local box = ffi.new "eas_lc *[1]"
  assert.equal(0, C.eas_lc_new(box, n, err), message())
  held[#held + 1] = box[0]
  return box[0]
end
local function read(path)
  local box = ffi.new "eas_lc *[1]"
  assert.equal(0, C.eas_lc_read(box, path, nil, err), message())
  held[#held + 1] = box[0]
  return box[0]
end
local function write(lc, name)
  assert.equal(0, C.eas_lc_write(lc, dir .. "/" .. name, err), message())
  return dir .. "/" .. name
end

-- n samples at irregular times, gaps in all columns, every flag
local function sample(n)
  math.randomseed(7)
  local lc, t = new(n), 1325.29
  for i = 0, n - 1 do
    t = t + math.random() * 0.02 + 1e-9
    lc.c.time[i] = t
    lc.c.flux[i] = 1 + (math.random() - 0.5) * 10 ^ math.random(-9, 2)
    if i % 3 ~= 0 then lc.c.flux_err[i] = math.random() * 1e-4 end
    lc.c.flag[i] = (i % 32) - i % 2
    if i % 100 == 50 then
      lc.c.flux[i] = 0 / 0
      lc.c.flag[i] = lc.c.flag[i] + 1
    end
  end
  return lc
end

local function differences(a, b)
  assert.equal(tonumber(a.c.n), tonumber(b.c.n))
  local bad = 0
  for i = 0, tonumber(a.c.n) - 1 do
    for _, name in ipairs { "time", "flux", "flux_err", "flag" } do
      local x, y = a.c[name][i], b.c[name][i]
      if x ~= y and (x == x or y == y) then bad = bad + 1 end
    end
  end
  return bad
end

describe("what is written comes back exactly", function()
  for _, name in ipairs { "lc.fits", "lc", "lc.txt", "lc.gz", "lc.txt.gz" } do
    it("from " .. name, function()
      local lc = sample(20000)
      assert.equal(0, differences(lc, read(write(lc, name))))
    end)
  end

  it("at a fixed step, too", function()
    local lc = new(5000)
    for i = 0, 4999 do lc.c.time[i], lc.c.flux[i] = i * 25 / 86400, 1 end
    for _, name in ipairs { "a.txt", "a.fits" } do assert.equal(0, differences(lc, read(write(lc, name)))) end
    for i = 0, 4999 do lc.c.time[i] = i * 0.010416667 + 3e-10 end -- nearly a step: not snapped to it
    for _, name in ipairs { "a.txt", "a.fits" } do assert.equal(0, differences(lc, read(write(lc, name)))) end
  end)

  it("with no or one sample", function()
    for n = 0, 1 do assert.equal(n, tonumber(read(write(sample(n), n .. ".fits")).c.n)) end
    assert.equal(0, differences(sample(1), read(write(sample(1), "1.gz"))))
    local box = ffi.new "eas_lc *[1]"
    assert.equal(C.EAS_EFORMAT, C.eas_lc_read(box, write(sample(0), "0.txt"), nil, err))
    assert.is_truthy(message():find("no rows", 1, true))
  end)

  it("the same bytes each time", function()
    local lc = sample(300)
    for _, name in ipairs { "x.fits", "x.gz" } do
      local first = T.read(write(lc, name))
      assert.equal(first, T.read(write(lc, name)))
    end
  end)

  it("in the endings' formats", function()
    local lc = sample(10)
    assert.equal("SIMPLE", T.read(write(lc, "a.fits")):sub(1, 6))
    assert.equal("SIMPLE", T.read(write(lc, "a.lc")):sub(1, 6))
    assert.equal("\31\139", T.read(write(lc, "a.TXT.GZ")):sub(1, 2))
    local lines = T.read(write(lc, "a.txt"))
    assert.is_truthy(lines:find("\n[%d.]+e%+08 [%d.]+e[+-]%d%d 0%.0+e%+00 nan\n"), lines)
  end)
end)

describe("metadata", function()
  local function round(json)
    local lc = sample(3)
    local want = C.json_loads(json, 0, nil)
    assert.is_true(want ~= nil, json)
    C.json_object_update(lc.metadata, want)
    local got = read(write(lc, "m.fits"))
    local text = C.json_dumps(got.metadata, 0xa0)
    local shown = ffi.string(text)
    C.free(text)
    assert.equal(1, C.json_equal(want, got.metadata), shown)
    return T.read(dir .. "/m.fits")
  end

  it("comes back from FITS with its types", function()
    round "{}"
    round '{"i":9007199254740993,"r":1.0,"big":-9223372036854775807,"t":true,"n":null,"s":"","list":[1,2.5,{"x":"y"}],"pi":3.141592653589793}'
    round '{"outcome":"PASS","EASMETA":"x","END":1,"SIMPLE":"F","time_offset":2457000.25,"object":"TIC 1","mission":"TESS"}'
  end)

  it("may be long, and of any characters", function()
    local long = {}
    for i = 1, 300 do long[i] = ('"%s_%d":"%s"'):format(("key"):rep(i % 40 + 1), i, ("v'&  "):rep(i)) end
    round("{" .. table.concat(long, ",") .. "}")
    round [[{"a key with blanks, = and 'quotes'":"Ünïcode \n\t\u0001 \" \\ &","&":"&&&&"}]]
    for n = 40, 140 do round(('{"s":"%s"}'):format(("&"):rep(n))) end
    for n = 40, 140 do round(('{"s":"%s"}'):format((" '"):rep(n))) end
  end)

  it("shows numbers to people in the header", function()
    local header = round '{"orbital_period":365.25,"count":7,"time_offset":2454833.0,"object":"KIC 7"}'
    for _, card in ipairs { "HIERARCH EAS", "BJDREFI =              2454833", "OBJECT  = 'KIC 7   '", "TTYPE1  = 'TIME    '",
      "TTYPE4  = 'QUALITY '", "EXTNAME = 'LIGHTCURVE'" } do
      assert.is_truthy(header:find(card, 1, true), card)
    end
  end)

  it("that is no JSON in a file is refused", function()
    round '{"abc":1}'
    T.write(dir .. "/m.fits", (T.read(dir .. "/m.fits"):gsub('{"abc":1}', '{"abc":1 ')))
    local box = ffi.new "eas_lc *[1]"
    assert.equal(C.EAS_EFORMAT, C.eas_lc_read(box, dir .. "/m.fits", nil, err))
    assert.is_truthy(message():find("HDU 1: card EASMETA holds no JSON object", 1, true), message())
  end)
end)

describe("writing where it cannot be done", function()
  it("says so and leaves nothing", function()
    for _, name in ipairs { "/none/lc.fits", "/none/lc.gz" } do
      assert.equal(C.EAS_EIO, C.eas_lc_write(sample(3), dir .. name, err))
      assert.is_truthy(message():find(("write '%s%s': "):format(dir, name), 1, true), message())
    end
    T.sh("mkdir " .. dir .. "/folder.gz")
    assert.equal(C.EAS_EIO, C.eas_lc_write(sample(3), dir .. "/folder.gz", err))
    assert.is_truthy(message():find("is a directory", 1, true), message())
    assert.equal(C.EAS_EINVAL, C.eas_lc_write(sample(3), dir .. "/" .. ("x"):rep(2000), err))
  end)

  it("notices a full disk", function()
    T.skip_unless(T.sh("test -c /dev/full").status == 0, "no /dev/full")
    T.sh(("ln -s /dev/full %s/full.gz; ln -s /dev/full %s/full.txt"):format(dir, dir))
    for _, name in ipairs { "full.gz", "full.txt" } do
      assert.equal(C.EAS_ENOSPC, C.eas_lc_write(sample(3000), dir .. "/" .. name, err))
      assert.is_truthy(message():find("no space left on device", 1, true), message())
      assert.equal(1, T.sh(("test -e %s/%s"):format(dir, name)).status)
    end
  end)
end)

describe("copies", function()
  local function times(lc)
    local out = {}
    for i = 0, tonumber(lc.c.n) - 1 do out[i + 1] = lc.c.time[i] end
    return out
  end
  local function truncated(lc, duration)
    local box = ffi.new "eas_lc *[1]"
    local rc = C.eas_lc_truncate(box, lc, duration, err)
    if rc < 0 then return rc end
    held[#held + 1] = box[0]
    return times(box[0])
  end

  it("cut to t0 <= t < t0 + duration", function()
    local lc = new(5)
    for i = 0, 4 do lc.c.time[i] = 100 + i * 0.5 end
    assert.same({ 100, 100.5 }, truncated(lc, 1))
    assert.same({ 100, 100.5, 101 }, truncated(lc, 1.0001))
    assert.same({ 100 }, truncated(lc, 1e-9))
    assert.equal(5, #truncated(lc, 1e9))
    assert.same({}, truncated(new(0), 1))
    for _, d in ipairs { 0, -1, 0 / 0 } do
      assert.equal(C.EAS_EINVAL, truncated(lc, d))
      assert.is_truthy(message():find("must be more than 0", 1, true))
    end
  end)

  it("clean: without what is bad, not finite or double; the metadata is theirs", function()
    local lc = new(7)
    for i = 0, 6 do lc.c.time[i], lc.c.flux[i] = i, 1 end
    lc.c.flag[1], lc.c.flag[2], lc.c.flux[3], lc.c.time[4], lc.c.time[6] = 1, 2 + 4 + 8 + 16, 0 / 0, 0 / 0, 5
    local box = ffi.new "eas_lc *[1]"
    assert.equal(0, C.eas_lc_clean(box, lc, err))
    held[#held + 1] = box[0]
    assert.same({ 0, 2, 5 }, times(box[0]))
    assert.equal(7, tonumber(box[0].c.n_rows))
    C.json_object_update(box[0].metadata, C.json_loads('{"x":1}', 0, nil))
    assert.equal(0, C.json_equal(box[0].metadata, lc.metadata))
  end)

  it("refuse to be absurdly long", function()
    local box = ffi.new "eas_lc *[1]"
    assert.equal(C.EAS_ELIMIT, C.eas_lc_new(box, 1e12, err))
  end)
end)

describe("the public light curves", function()
  local golden = { -- points, span in days
    p01_deep_27d_10min = { 3946, 27.395833333 }, p02_shallow_90d_15min = { 8640, 89.989583333 }, p03_gaps_60d_30min = { 2372, 59.979166667 },
    p04_noise_30d_15min = { 2880, 29.989583333 }, p05_two_80d_20min = { 5760, 79.986111111 }, p06_rednoise_40d_15min = { 3840, 39.989583333, true },
    p07_usp_20d_2min = { 14400, 19.998611111 }, p08_long_120d_30min = { 5688, 119.979166667, true }, ["r01_k2-3_epic201367065"] = { 3632, 80.07230156 },
    r02_trappist1_k2_long = { 3173, 78.4854484 }, r03_kepler36_part1 = { 5343, 122.56451154 }, ["r04_hat-p-7_kepler_short"] = { 13203, 9.726063052, true },
  }
  for name, want in pairs(golden) do
    it("read whole: " .. name, function()
      local path = T.reference("lightcurves/" .. name .. ".txt.gz")
      T.skip_unless(path, "no reference data")
      local c = read(path).c
      local n = tonumber(c.n)
      assert.equal(want[1], n)
      assert.is_true(math.abs(c.time[n - 1] - c.time[0] - want[2]) < 1e-9, c.time[n - 1] - c.time[0])
      assert.equal(want[3] or false, c.flux_err[0] == c.flux_err[0])
      for i = 0, n - 1 do assert(c.flag[i] == 0 and c.flux[i] > 0 and c.flux[i] < 3) end
    end)
  end
end)
