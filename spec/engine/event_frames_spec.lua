-- worker/event.h: frames, whole and cut anywhere; garbage is not believed.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/worker/event.h"
ffi.cdef [[
int pipe(int fds[2]);
long read(int fd, void *buf, size_t n);
long write(int fd, const void *buf, size_t n);
int close(int fd);
]]
local C = ffi.C

local function reader()
  return ffi.gc(ffi.new "eas_event_reader", C.eas_event_reader_done)
end

local function frame(kind, level, text)
  local n = #text
  return string.char(n % 256, math.floor(n / 256) % 256, math.floor(n / 65536) % 256, math.floor(n / 16777216), kind, level, 0, 0) .. text
end

local head, payload = ffi.new "eas_event_head", ffi.new "const char *[1]"

local function take(r)
  local got = {}
  while C.eas_event_next(r, head, payload) == 1 do
    got[#got + 1] = { head.type, head.level, ffi.string(payload[0], head.length) }
    assert.equal(0, payload[0][head.length]) -- a C string too
  end
  return got
end

-- What eas_event_write puts into a pipe.
local function written(kind, level, text)
  local fds = ffi.new "int[2]"
  assert.equal(0, C.pipe(fds))
  local rc = C.eas_event_write(fds[1], kind, level, text, #text)
  C.close(fds[1])
  local block, parts = ffi.new "char[65536]", {}
  while true do
    local n = tonumber(C.read(fds[0], block, 65536))
    if n <= 0 then break end
    parts[#parts + 1] = ffi.string(block, n)
  end
  C.close(fds[0])
  return rc, table.concat(parts)
end

describe("eas_event_next", function()
  local three = frame(1, 20, "hello") .. frame(2, 0, '{"a":1}') .. frame(10, 0, "")
  local expected = { { 1, 20, "hello" }, { 2, 0, '{"a":1}' }, { 10, 0, "" } }

  it("takes frames that come at once", function()
    local r = reader()
    C.eas_event_feed(r, three, #three)
    assert.same(expected, take(r))
  end)

  it("takes the same frames cut at every byte", function()
    for cut = 1, #three - 1 do
      local r = reader()
      C.eas_event_feed(r, three:sub(1, cut), cut)
      local got = take(r)
      C.eas_event_feed(r, three:sub(cut + 1), #three - cut)
      for _, one in ipairs(take(r)) do got[#got + 1] = one end
      assert.same(expected, got)
    end
  end)

  it("keeps zero bytes inside a payload", function()
    local r, one = reader(), frame(1, 10, "a\0b")
    C.eas_event_feed(r, one, #one)
    assert.same({ { 1, 10, "a\0b" } }, take(r))
  end)

  for name, bad in pairs {
    ["an unknown type"] = frame(12, 0, "x"), ["type zero"] = frame(0, 0, "x"),
    ["a length over 1 MB"] = string.char(1, 0, 16, 0, 1, 0, 0, 0),
    ["a length near 2^32"] = string.char(255, 255, 255, 255, 1, 0, 0, 0),
    ["a reserved byte that is set"] = string.char(1, 0, 0, 0, 1, 0, 1, 0) .. "x",
    ["plain text"] = "Segmentation fault\n",
  } do
    it("believes nothing after " .. name, function()
      local r = reader()
      local bytes = frame(1, 20, "before") .. bad .. frame(10, 0, "")
      C.eas_event_feed(r, bytes, #bytes)
      assert.same({ { 1, 20, "before" } }, take(r))
      assert.equal(1, r.garbage)
      C.eas_event_feed(r, three, #three)
      assert.same({}, take(r))
    end)
  end

  it("waits for the rest of the longest frame, and takes it", function()
    local r, text = reader(), ("x"):rep(1048576)
    local bytes = frame(2, 0, text)
    C.eas_event_feed(r, bytes, #bytes - 1)
    assert.same({}, take(r))
    assert.equal(0, r.garbage)
    C.eas_event_feed(r, bytes:sub(-1), 1)
    assert.equal(#text, #take(r)[1][3])
  end)
end)

describe("eas_event_write", function()
  it("writes what the reader takes", function()
    local rc, bytes = written(1, 30, "schön")
    assert.equal(0, rc)
    assert.equal(frame(1, 30, "schön"), bytes)
    rc, bytes = written(10, 0, "")
    assert.equal(0, rc)
    assert.equal(frame(10, 0, ""), bytes)
  end)

  it("refuses a payload over 1 MB unless it is a log line", function()
    local rc, bytes = written(2, 0, ("x"):rep(1048577))
    assert.equal(-90, rc) -- EMSGSIZE
    assert.equal("", bytes)
  end)

  it("tells when nobody reads", function()
    assert.equal(-9, C.eas_event_write(-1, 1, 20, "x", 1)) -- EBADF
  end)
end)
