-- lightcurve/number.h: decimal text to double, bit for bit as strtod.
local ffi = require "ffi"
local T = require "spec.support"
ffi.cdef [[
int eas_number_parse(const char *text, size_t n, double *out);
double strtod(const char *, char **);
]]
local C = ffi.C

local out = ffi.new "double[1]"
local bits = ffi.cast("uint64_t *", out)
local want = ffi.new "double[1]"
local want_bits = ffi.cast("uint64_t *", want)

local function parse(text)
  out[0] = -1
  return C.eas_number_parse(text, #text, out)
end
local function same(text)
  want[0] = C.strtod(text, nil)
  return parse(text) == 0 and bits[0] == want_bits[0]
end

-- LuaJIT's own generator: the same numbers each time
math.randomseed(20260302)
local random = math.random
local function digits(n) -- about n of them, at most 20
  local text = ("%010d%010d"):format(random(0, 9999999999), random(0, 9999999999))
  return text:sub(1, n)
end

describe("eas_number_parse", function()
  it("agrees with strtod in a million random numbers", function()
    local any = ffi.new "double[1]"
    local half = ffi.cast("uint32_t *", any)
    local makers = {
      function() -- as light curves are written
        return ("%.18e"):format(random() * 10 ^ random(-6, 8))
      end,
      function() -- any finite double at all
        half[0], half[1] = random(0, 4294967295), random(0, 2146435071)
        return ("%.17g"):format(any[0])
      end,
      function() -- 1 to 20 digits, a point, an exponent
        local n = random(1, 20)
        local point = random(0, n - 1)
        return ("%s.%se%d"):format(digits(point), digits(n - point), random(-60, 60))
      end,
      function() -- a few digits, as in published tables
        return ("%s%d.%s"):format(random(2) == 1 and "-" or "", random(0, 3000000), digits(random(1, 10)))
      end,
    }
    local bad = {}
    for i = 1, 1000000 do
      local text = makers[i % 4 + 1]()
      if not same(text) then bad[#bad + 1] = text end
    end
    assert.same({}, bad)
  end)

  it("rounds halves to even, and one digit beyond them up", function()
    local bad = {}
    for _ = 1, 5000 do
      local m = random(0, 4503599627370495) + 4503599627370496 -- 53 bits
      local half = (tostring(m * 2ULL + 1):gsub("ULL", ""))
      for _, text in ipairs { half, half .. ".0", half .. ".00000000000000000000000001", half .. "e-3", half .. "e5" } do
        if not same(text) then bad[#bad + 1] = text end
      end
    end
    assert.same({}, bad)
  end)

  it("keeps the edges", function()
    for _, text in ipairs {
      "0", "-0", "0.0", "00000000000000000000000001", "0.000000000000000000000000000000000001", "1e22", "1e23", "9007199254740993",
      "1.7976931348623157e308", "1.7976931348623159e308", "2.2250738585072011e-308", "4.9406564584124654e-324", "2e-324", "1e400",
      "-1e400", "1e-400", "1e99999999999", "0e99999999999", "123456789012345678901234567890", ("1"):rep(700), "0." .. ("0"):rep(400) .. "1",
      "1" .. ("0"):rep(309), "5.", ".5", "+5", "1E5", "1e+5", "179769313486231580793728971405303415079934132710037826936173778980444968",
      "9.999999999999999999", "18446744073709551615", "18446744073709551616", "99999999999999999999",
    } do
      assert.is_true(same(text), text)
    end
  end)

  it("takes nan and inf in any case", function()
    for text, value in pairs { inf = math.huge, ["-Inf"] = -math.huge, INFINITY = math.huge } do
      assert.equal(0, parse(text))
      assert.equal(value, out[0])
    end
    for _, text in ipairs { "nan", "NaN", "-nan", "+NAN" } do
      assert.equal(0, parse(text))
      assert.is_true(out[0] ~= out[0], text)
    end
  end)

  it("refuses all else, and writes nothing", function()
    for _, text in ipairs { "", " ", "1 ", " 1", "-", "+", ".", "e5", "1e", "1e+", "1.2.3", "1,5", "0x10", "1f", "nanx", "infin", "--1", "1e5.5",
                            "1\0002", "١" } do
      assert.is_true(parse(text) < 0, text)
      assert.equal(-1, out[0])
    end
  end)

  it("does not ask the locale for its point", function()
    ffi.cdef "char *setlocale(int, const char *);"
    local kept = ffi.string(C.setlocale(1, nil)) -- LC_NUMERIC
    local found = false
    for _, name in ipairs { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C.UTF-8" } do
      found = found or C.setlocale(1, name) ~= nil
    end
    local ok = parse "1.5e-300" == 0 and out[0] == 1.5e-300
    C.setlocale(1, kept)
    T.skip_unless(found, "no other locale")
    assert.is_true(ok)
  end)
end)
