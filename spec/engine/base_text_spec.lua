-- base/err.h, base/buf.h, base/clock.h: messages, buffers, stamps.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/base/err.h"
T.cdef "engine/base/buf.h"
T.cdef "engine/base/clock.h"
local C = ffi.C

local function taken(p)
  local text = ffi.string(p)
  C.free(p)
  return text
end

describe("eas_err", function()
  local err
  before_each(function() err = ffi.new "eas_err" end)

  it("is filled by what fails, and gives the code back", function()
    assert.equal(C.EAS_EIO, C.eas_fail(err, C.EAS_EIO, "open '%s': %s", "x.fits", "permission denied"))
    assert.equal("open 'x.fits': permission denied", ffi.string(err.text))
    assert.equal(C.EAS_EIO, err.code)
    assert.equal("", ffi.string(err.hint))
  end)

  it("may be absent", function()
    assert.equal(C.EAS_EDB, C.eas_fail(nil, C.EAS_EDB, "no one hears"))
    C.eas_hint(nil, "nor this")
    C.eas_err_prefix(nil, "nor this")
  end)

  it("takes a hint and a prefix, and may be built from its own text", function()
    C.eas_fail(err, C.EAS_EINVAL, "no column 'FLUX'")
    assert.equal(C.EAS_EINVAL, C.eas_hint(err, "columns: %s", "TIME"))
    assert.equal(C.EAS_EINVAL, C.eas_err_prefix(err, "%s", "lc.fits"))
    assert.equal("lc.fits: no column 'FLUX'", ffi.string(err.text))
    assert.equal("columns: TIME", ffi.string(err.hint))
    C.eas_fail(err, C.EAS_EDB, "job 3: %s", ffi.cast("const char *", err.text))
    assert.equal("job 3: lc.fits: no column 'FLUX'", ffi.string(err.text))
    assert.equal("", ffi.string(err.hint))
  end)

  it("stays one line, and says when it was cut", function()
    C.eas_fail(err, C.EAS_EIO, "a\nb\r%s", ("x"):rep(5000))
    local text = ffi.string(err.text)
    assert.equal(1023, #text)
    assert.matches("^a b x+%.%.%.$", text)
    C.eas_err_prefix(err, "%s", ("p"):rep(5000))
    assert.is_true(#ffi.string(err.text) <= 1023)
    assert.matches("^p+%.%.%.$", ffi.string(err.text))
  end)

  it("is not prefixed when empty", function()
    assert.equal(0, C.eas_err_prefix(err, "x"))
    assert.equal("", ffi.string(err.text))
  end)

  it("maps codes to exit statuses", function()
    assert.equal(0, C.eas_err_exit(0))
    assert.equal(2, C.eas_err_exit(C.EAS_EINVAL))
    assert.equal(3, C.eas_err_exit(C.EAS_ECONNECT))
    assert.equal(3, C.eas_err_exit(C.EAS_EREFUSED))
    assert.equal(130, C.eas_err_exit(C.EAS_EINTR))
    assert.equal(1, C.eas_err_exit(C.EAS_EBUG))
    assert.equal(2, C.eas_err_exit(C.EAS_EIO)) -- a file of the user's
    assert.equal(3, C.eas_err_exit(C.EAS_ENOSPC))
  end)
end)

describe("eas_buf", function()
  local b
  before_each(function()
    b = ffi.new "eas_buf"
    C.eas_buf_init(b)
  end)
  after_each(function() C.eas_buf_done(b) end)

  it("grows, and ends with a zero", function()
    for i = 1, 1000 do C.eas_buf_printf(b, "%d,", ffi.cast("int", i)) end
    assert.equal(3893, tonumber(b.len))
    assert.equal(0, b.data[b.len])
    assert.matches("^1,2,3,.*,1000,$", ffi.string(b.data))
  end)

  it("keeps bytes that are zero", function()
    C.eas_buf_add(b, "a\0b", 3)
    C.eas_buf_char(b, 0)
    assert.equal("a\0b\0", ffi.string(b.data, b.len))
  end)

  it("formats what is longer than its room", function()
    local long = ("y"):rep(100000)
    C.eas_buf_printf(b, "<%s>", long)
    assert.equal("<" .. long .. ">", ffi.string(b.data))
  end)

  it("is a text even when nothing was added, and empty after it was taken", function()
    assert.equal("", taken(C.eas_buf_take(b)))
    C.eas_buf_str(b, "x")
    assert.equal("x", taken(C.eas_buf_take(b)))
    assert.equal(0, tonumber(b.len))
    assert.is_true(b.data == nil)
  end)

  it("is emptied but kept by clear", function()
    C.eas_buf_str(b, "abc")
    C.eas_buf_clear(b)
    assert.equal("", ffi.string(b.data))
  end)

  it("formats to the heap", function()
    assert.equal("a 7", taken(C.eas_format("%s %d", "a", ffi.cast("int", 7))))
    assert.is_true(C.eas_strdup(nil) == nil)
  end)
end)

describe("eas_time_format", function()
  local function stamp(us, digits)
    return ffi.string(C.eas_time_format(us, digits, ffi.new "char[32]"))
  end

  it("writes UTC with 0, 3 or 6 digits", function()
    assert.equal("1970-01-01T00:00:00Z", stamp(0, 0))
    assert.equal("2026-03-02T12:04:31.482Z", stamp(1772453071482999LL, 3))
    assert.equal("2026-03-02T12:04:31.482999Z", stamp(1772453071482999LL, 6))
  end)

  it("goes before 1970 and past what a stamp can say", function()
    assert.equal("1969-12-31T23:59:59.999Z", stamp(-1000, 3))
    assert.equal("9999-12-31T23:59:59Z", stamp(0x7fffffffffffffffLL, 0))
  end)

  it("moves the wall clock for tests, not the monotonic one", function()
    local wall, tick = C.eas_now_us(), C.eas_tick_us()
    C.eas_clock_shift(3600e6)
    local moved, later = C.eas_now_us(), C.eas_tick_us()
    C.eas_clock_shift(0)
    assert.is_true(moved - wall >= 3600e6 and moved - wall < 3610e6)
    assert.is_true(later >= tick and later - tick < 10e6)
  end)
end)
